// Parts of a data set: a validation split held out of the training images, and small subsets. Which images
// is a pure function of (size, labels, n, seed), the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "data/sets/dataset.h"

namespace basin::data {

/// The images at `indices`, in that order, copied, with the hash of these. Errors: ArgumentError for no
/// index or one out of range.
Dataset select(const Dataset& set, const std::vector<std::int64_t>& indices);

/// A set cut in two: their splits are called "train" and "validation", both in the order of the whole.
struct HeldOut {
  Dataset train{};
  Dataset validation{};
  std::vector<std::int64_t> train_indices{};  // places in the whole, rising
  std::vector<std::int64_t> validation_indices{};
};

/// Holds n images out: the first n of permutation(size, seed, Stream::split, 0), classes not balanced. With
/// the same seed a larger n holds out the same images and more. Errors: UsageError unless 1 <= n < size.
HeldOut split(const Dataset& set, std::int64_t n, std::uint64_t seed);

/// Holds the last n images out, as google-research/sam does (5,000 of CIFAR's 50,000); shares the pixels.
/// Errors: UsageError unless 1 <= n < size.
HeldOut split_last(const Dataset& set, std::int64_t n);

/// n images drawn by seed with equal shares for all classes, in the order of the set. In the order of
/// permutation(size, seed, Stream::split, 1), one image of each class is taken, then another of each, until
/// there are n: shares differ by one where n is no multiple of the number of classes, and a class that runs
/// out leaves its share to the others. A larger n takes the same images and more. Errors: UsageError unless
/// 1 <= n <= size.
Dataset subset(const Dataset& set, std::int64_t n, std::uint64_t seed);
/// Their places in the set, rising.
std::vector<std::int64_t> subset_indices(const Dataset& set, std::int64_t n, std::uint64_t seed);

}  // namespace basin::data
