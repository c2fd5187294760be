#include "data/loading/split.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/random.h"

namespace basin::data {
namespace {

using Indices = std::vector<std::int64_t>;

// Addresses under Stream::split.
constexpr std::uint64_t kHeldOut = 0;
constexpr std::uint64_t kSubset = 1;

void expect_held_out(const Dataset& set, std::int64_t n) {
  if (n < 1 || n >= set.size()) {
    throw UsageError(set.name, " (", set.split, ") has ", set.size(), " images; cannot hold ", n,
                     " of them out for validation (1 to ", set.size() - 1, " can be)");
  }
}

void name_splits(HeldOut& parts) {
  parts.train.split = "train";
  parts.validation.split = "validation";
}

}  // namespace

Dataset select(const Dataset& set, const Indices& indices) {
  if (indices.empty()) throw ArgumentError("[select] no index given; a data set has at least one image");
  const std::size_t image_bytes = set.images.bytes() / static_cast<std::size_t>(set.size());
  Dataset part = set;
  part.images = Tensor::empty({static_cast<Index>(indices.size()), set.height(), set.width(), set.channels()},
                              Dtype::u8);
  part.labels.clear();
  part.labels.reserve(indices.size());
  std::byte* out = part.images.mutable_raw();
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= set.size()) {
      throw ArgumentError("[select] no image ", index, " in ", set.name, " (", set.split, "), which has ",
                          set.size());
    }
    std::memcpy(out, set.images.raw() + static_cast<std::size_t>(index) * image_bytes, image_bytes);
    out += image_bytes;
    part.labels.push_back(set.labels[static_cast<std::size_t>(index)]);
  }
  return finished(std::move(part));
}

HeldOut split(const Dataset& set, std::int64_t n, std::uint64_t seed) {
  expect_held_out(set, n);
  Indices order = permutation(set.size(), seed, Stream::split, kHeldOut);
  std::sort(order.begin(), order.begin() + n);
  std::sort(order.begin() + n, order.end());
  HeldOut parts;
  parts.validation_indices.assign(order.begin(), order.begin() + n);
  parts.train_indices.assign(order.begin() + n, order.end());
  parts.train = select(set, parts.train_indices);
  parts.validation = select(set, parts.validation_indices);
  name_splits(parts);
  return parts;
}

HeldOut split_last(const Dataset& set, std::int64_t n) {
  expect_held_out(set, n);
  const std::int64_t kept = set.size() - n;
  HeldOut parts{.train = first(set, kept), .validation = set};
  parts.validation.images = set.images.slice_rows(kept, set.size());
  parts.validation.labels.assign(set.labels.begin() + kept, set.labels.end());
  parts.validation = finished(std::move(parts.validation));
  parts.train_indices.resize(static_cast<std::size_t>(kept));
  parts.validation_indices.resize(static_cast<std::size_t>(n));
  std::iota(parts.train_indices.begin(), parts.train_indices.end(), std::int64_t{0});
  std::iota(parts.validation_indices.begin(), parts.validation_indices.end(), kept);
  name_splits(parts);
  return parts;
}

Dataset subset(const Dataset& set, std::int64_t n, std::uint64_t seed) {
  return select(set, subset_indices(set, n, seed));
}

std::vector<std::int64_t> subset_indices(const Dataset& set, std::int64_t n, std::uint64_t seed) {
  if (n < 1 || n > set.size()) {
    throw UsageError(set.name, " (", set.split, ") has ", set.size(), " images; cannot draw a subset of ", n);
  }
  // Each image's turn: how many of its class come before it in the permutation.
  const Indices order = permutation(set.size(), seed, Stream::split, kSubset);
  std::vector<std::int64_t> met(static_cast<std::size_t>(set.classes()), 0);
  std::vector<std::pair<std::int64_t, std::int64_t>> turns;  // turn, image
  turns.reserve(order.size());
  for (const std::int64_t image : order) {
    const auto label = static_cast<std::size_t>(set.labels[static_cast<std::size_t>(image)]);
    turns.emplace_back(met[label]++, image);
  }
  std::stable_sort(turns.begin(), turns.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Indices chosen;
  for (std::int64_t i = 0; i < n; ++i) chosen.push_back(turns[static_cast<std::size_t>(i)].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace basin::data
