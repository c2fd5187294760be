// How a card computes.
#pragma once

#include <cstddef>

namespace basin::cuda {

/// In which numbers convolutions and matrix products are formed.
enum class Precision {
  f32,   // as the CPU does
  tf32,  // f32 whose products in convolutions and matmul keep 10 bits of mantissa
};

struct Options {
  Precision precision = Precision::f32;
  bool deterministic = false;  // the same bits in each run; no autotune
  bool autotune = true;        // --cudnn-autotune: times the best few plans of each convolution
  bool cached_memory = true;   // false: each tensor is asked of CUDA anew, for compute-sanitizer to see
  std::size_t workspace = std::size_t{256} << 20;  // bytes a convolution may use beside its tensors
};

}  // namespace basin::cuda
