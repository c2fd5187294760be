#include "apps/lab/curve/weight_matching.h"

#include <cmath>
#include <map>
#include <numeric>

#include "apps/lab/curve/assignment.h"
#include "core/error.h"
#include "core/ops.h"
#include "core/random.h"

namespace basin::apps {
namespace {

/// Where the draws of the rounds' orders are among those of a seed.
constexpr std::uint64_t kRounds = 1000;

/// A tensor as blocks along an axis: before x extent x after.
struct Blocks {
  Index before = 1, extent = 1, after = 1;
  Blocks(const Shape& shape, int axis) : extent(shape[axis]) {
    for (int i = 0; i < axis; ++i) before *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) after *= shape[i];
  }
};

/// Row i: all numbers of f64 x that belong to channel i of the use.
Tensor rows_of(const Tensor& x, const ChannelUse& use) {
  const Blocks blocks(x.shape(), use.axis);
  const auto channels = static_cast<Index>(use.places[0].size());
  Tensor rows = Tensor::empty({channels, std::ssize(use.places) * blocks.before * blocks.after}, Dtype::f64);
  const double* from = x.data<double>();
  double* to = rows.mutable_data<double>();
  for (Index i = 0; i < channels; ++i)
    for (const std::vector<Index>& row : use.places)
      for (Index b = 0; b < blocks.before; ++b) {
        const double* block = from + (b * blocks.extent + row[static_cast<std::size_t>(i)]) * blocks.after;
        to = std::copy(block, block + blocks.after, to);
      }
  return rows;
}

/// The tensor with the channels of one class permuted along the axis of that use.
Tensor permuted_along(const Tensor& x, const ChannelUse& use, const std::vector<std::int64_t>& permutation) {
  std::vector<Index> from(static_cast<std::size_t>(x.shape()[use.axis]));
  std::iota(from.begin(), from.end(), Index{0});
  for (const std::vector<Index>& row : use.places)
    for (std::size_t i = 0; i < row.size(); ++i)
      from[static_cast<std::size_t>(row[i])] = row[static_cast<std::size_t>(permutation[i])];
  return gather(x, Tensor::from(from), use.axis);
}

/// Weights by name in f64; b's with the permutations so far.
class Matching {
 public:
  Matching(const std::vector<ChannelClass>& classes, const NamedTensors& a, const NamedTensors& b)
      : classes_(classes) {
    for (const NamedTensor& t : a) a_[t.name] = t.tensor.to(Dtype::f64);
    for (const NamedTensor& t : b) b_[t.name] = t.tensor.to(Dtype::f64);
    for (const ChannelClass& c : classes) {
      report.permutations.emplace_back(static_cast<std::size_t>(c.size));
      std::iota(report.permutations.back().begin(), report.permutations.back().end(), std::int64_t{0});
    }
    report.before = product();
  }

  double product() const {
    double sum = 0;
    for (const auto& [name, tensor] : a_) sum += static_cast<double>(dot(tensor, b_.at(name)));
    return sum;
  }

  /// Whether the class has found a better permutation, and taken it.
  bool improve(std::size_t number) {
    const ChannelClass& c = classes_[number];
    Tensor gain = Tensor::zeros({c.size, c.size}, Dtype::f64);
    for (const ChannelUse& use : c.uses) {
      const auto weight = a_.find(use.tensor);  // statistics are permuted along, and not matched
      if (weight == a_.end()) continue;
      axpby(1, matmul(rows_of(weight->second, use), rows_of(b_.at(use.tensor), use), false, true), 1, gain);
    }
    const std::vector<std::int64_t> step = best_assignment(gain.to_vector<double>(), c.size);
    ++report.assignments;
    double now = 0, then = 0, size = 0;
    for (Index i = 0; i < c.size; ++i) {
      const double* row = gain.data<double>() + i * c.size;
      now += row[i];
      then += row[step[static_cast<std::size_t>(i)]];
      size += std::abs(row[i]) + std::abs(row[step[static_cast<std::size_t>(i)]]);
    }
    constexpr double kRounding = 1e-12;
    if (!(then > now + kRounding * size)) return false;
    std::map<std::string, Tensor> moved;
    for (const ChannelUse& use : c.uses)
      if (b_.contains(use.tensor))
        moved[use.tensor] =
            permuted_along(moved.contains(use.tensor) ? moved[use.tensor] : b_.at(use.tensor), use, step);
    // Where a class stands in two axes of one tensor, the gain was of one of them with the other held.
    double rise = 0;
    for (const auto& [name, tensor] : moved)
      rise += static_cast<double>(dot(a_.at(name), tensor - b_.at(name)));
    if (!(rise > 0)) return false;
    for (auto& [name, tensor] : moved) b_.at(name) = tensor;
    std::vector<std::int64_t>& all = report.permutations[number];
    std::vector<std::int64_t> next(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) next[i] = all[static_cast<std::size_t>(step[i])];
    all = next;
    return true;
  }

  MatchingReport report;

 private:
  const std::vector<ChannelClass>& classes_;
  std::map<std::string, Tensor> a_, b_;
};

}  // namespace

MatchingReport match_weights(const std::vector<ChannelClass>& classes, const NamedTensors& a,
                             const NamedTensors& b, std::uint64_t seed, const data::Watch& watch) {
  Matching matching(classes, a, b);
  const auto count = static_cast<std::int64_t>(classes.size());
  for (bool changed = true; changed;) {
    changed = false;
    const auto round = static_cast<std::uint64_t>(++matching.report.rounds);
    std::int64_t done = 0;
    for (const std::int64_t number : permutation(count, seed, Stream::probe, kRounds + round)) {
      changed = matching.improve(static_cast<std::size_t>(number)) || changed;
      if (watch) watch(++done, count);
    }
  }
  matching.report.after = matching.product();
  return matching.report;
}

Tensor permuted(const std::vector<ChannelClass>& classes, const Permutations& permutations,
                const std::string& name, const Tensor& tensor) {
  Tensor result = tensor;
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (const ChannelUse& use : classes[c].uses)
      if (use.tensor == name) result = permuted_along(result, use, permutations[c]);
  return result;
}

}  // namespace basin::apps
