// Weight matching: one network's channels put in the order of another's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/lab/curve/channel_symmetry.h"
#include "data/watch.h"

namespace basin::apps {

/// Tensors by their names in a model.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

/// Of each class, for each of its places the channel that goes there.
using Permutations = std::vector<std::vector<std::int64_t>>;

struct MatchingReport {
  Permutations permutations{};
  std::int64_t rounds = 0;       // over all classes, the last one changed nothing
  std::int64_t assignments = 0;  // linear assignment problems solved
  double before = 0, after = 0;  // the inner product of the weights
};

/// Ainsworth, Hayase, Srinivasa 2023, "Git Re-Basin: Merging Models modulo Permutation Symmetries", algorithm
/// 1: the permutations of b's channels that make the inner product <a, permuted b> of all weights large, one
/// class after the other with the others held, each a linear assignment problem solved exactly, until a whole
/// round changes nothing. The order of the classes in a round is drawn by (seed, round). The inner product
/// rises with every change, so the end is a local optimum. `a` and `b` have the same names and shapes; sums
/// are f64. `watch` is told after each assignment how many are done in the round. Errors: those of
/// best_assignment(), for weights that are not finite; what the watch throws.
MatchingReport match_weights(const std::vector<ChannelClass>& classes, const NamedTensors& a,
                             const NamedTensors& b, std::uint64_t seed, const data::Watch& watch = {});

/// The tensor with its channels permuted; itself where no class stands in it. Of any dtype, on the host.
Tensor permuted(const std::vector<ChannelClass>& classes, const Permutations& permutations,
                const std::string& name, const Tensor& tensor);

}  // namespace basin::apps
