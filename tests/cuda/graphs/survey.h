// The graphs of convolutions compiled by the real cuDNN for cards that are described to it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>

#include "tests/cuda/doubles/described_cards.h"
#include "tests/cuda/graphs/geometries.h"

namespace basin::testing {

/// In which numbers: of what is stored, and whether f32 may be multiplied as TF32.
struct Numbers {
  const char* name;
  Dtype activations;
  bool tensor_cores;
};
inline constexpr Numbers kNumbers[] = {{"f32", Dtype::f32, false},
                                       {"tf32", Dtype::f32, true},
                                       {"bf16", Dtype::bf16, true},
                                       {"f64", Dtype::f64, true}};

/// What cuDNN says of one graph.
struct Verdict {
  bool compiled = false;
  bool deterministic = false;  // by an engine whose bits are the same each time
  bool tensor_cores = false;
  bool compiled_here = false;  // its code was made when the plan was
  std::size_t workspace = 0;   // bytes
  std::string why;             // where it is not compiled
};

/// Compiles graphs, each once, for one card after the other. Deterministic engines come first; a workspace is
/// at most 256 MiB.
class Survey {
 public:
  Survey();
  ~Survey();
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  const Verdict& verdict(const fake::DescribedCard& card, const Numbers& numbers, const Asked& asked,
                         Index batch);
  std::size_t graphs() const { return verdicts_.size(); }

 private:
  using Key = std::tuple<std::string, std::string, Index, Asked>;
  cudnnHandle_t handle_ = nullptr;
  std::map<Key, Verdict> verdicts_;
};

}  // namespace basin::testing
