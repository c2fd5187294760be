// The binary versions of CIFAR-10 and CIFAR-100: records of label bytes and 3072 pixel bytes in planes R, G,
// B.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/watch.h"

namespace basin::data {

/// Where a record's label is and what it may be.
struct CifarLayout {
  int label_bytes;  // 1 (CIFAR-10), 2 (CIFAR-100: coarse, fine); the last one is the label
  int classes;      // labels are below this
};

inline constexpr CifarLayout kCifar10{.label_bytes = 1, .classes = 10};
inline constexpr CifarLayout kCifar100{.label_bytes = 2, .classes = 100};

/// Reads exactly `records` records: pixels as {records,32,32,3} into `pixels`, labels appended to `labels`.
/// Errors: DataError naming the file: missing, any other size than `records` records, a label out of range
/// with its position.
void read_cifar(const std::string& path, const CifarLayout& layout, std::int64_t records,
                std::uint8_t* pixels, std::vector<std::int64_t>& labels, const Watch& watch = {});

}  // namespace basin::data
