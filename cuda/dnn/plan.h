// Plans: how cuDNN computes a graph on a card, by which engine and with how much memory beside the tensors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/dnn/descriptor.h"

namespace basin::cuda::dnn {

/// Which engines may be used. One that adds up in less than f32 never is.
struct Allowed {
  bool tensor_cores = true;  // for f32: products of 10 bits of mantissa (TF32)
  bool nondeterministic = true;
  std::size_t workspace = 0;  // at most that many bytes
};

/// A compiled graph.
struct Plan {
  Descriptor compiled;
  std::int64_t engine = -1;  // cuDNN's number of it
  std::size_t workspace = 0;
  bool tensor_cores = false, nondeterministic = false;
  bool compiled_here = false;  // its code was made just now, which takes about a second

  /// Asks the handle's stream for the graph: x, w and y are the addresses of its tensors kX, kW and kY.
  void execute(cudnnHandle_t handle, const void* x, const void* w, const void* y, std::byte* workspace) const;
};

/// The first `most` plans that are allowed, in the order in which cuDNN's heuristics expect them to be fast.
/// Errors: Refusal that says how many engines there were, and why none is left.
std::vector<Plan> plans_of(const Descriptor& graph, cudnnHandle_t handle, const Allowed& allowed,
                           std::size_t most);

}  // namespace basin::cuda::dnn
