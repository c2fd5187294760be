// A data set whose images carry their number, for tests that follow images through splits.
#pragma once

#include <string>
#include <utility>

#include "data/sets/dataset.h"

namespace basin::test {

/// `labels.size()` images of two pixels: the high and the low byte of their number.
inline data::Dataset numbered(std::vector<std::int64_t> labels, std::int64_t classes) {
  const auto n = static_cast<std::int64_t>(labels.size());
  data::Dataset set{.name = "numbered", .split = "train", .labels = std::move(labels)};
  set.images = Tensor::empty({n, 1, 2, 1}, Dtype::u8);
  std::uint8_t* pixel = set.images.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    *pixel++ = static_cast<std::uint8_t>(i / 256);
    *pixel++ = static_cast<std::uint8_t>(i % 256);
  }
  for (std::int64_t k = 0; k < classes; ++k) set.class_names.push_back(std::to_string(k));
  set.mean = {0.5};
  set.deviation = {0.25};
  return data::finished(std::move(set));
}

/// Labels 0, 1, ..., classes - 1, 0, 1, ...
inline data::Dataset numbered(std::int64_t n, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(i % classes);
  return numbered(std::move(labels), classes);
}

/// The numbers that a set's images carry.
inline std::vector<std::int64_t> numbers_of(const data::Dataset& set) {
  const std::uint8_t* pixel = set.images.data<std::uint8_t>();
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < set.size(); ++i) numbers.push_back(pixel[2 * i] * 256 + pixel[2 * i + 1]);
  return numbers;
}

}  // namespace basin::test
