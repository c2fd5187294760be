#include "data/sets/dataset.h"

#include <array>
#include <utility>

#include "core/io/hash.h"

namespace basin::data {

std::string content_hash(const Dataset& set) {
  Sha256 sum;
  const std::string head = text("basin-images ", set.size(), ' ', set.height(), ' ', set.width(), ' ',
                                set.channels(), ' ', set.classes(), '\n');
  sum.update(head.data(), head.size());
  for (const std::int64_t label : set.labels) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(label) >> (8 * i));
    }
    sum.update(bytes.data(), bytes.size());
  }
  sum.update(set.images.raw(), set.images.bytes());
  return sum.hex();
}

Dataset finished(Dataset set) {
  const std::string who = set.name + " (" + set.split + "): ";
  if (!set.images.defined() || set.images.rank() != 4 || set.images.dtype() != Dtype::u8) {
    throw DataError(who, "images must be u8 {N,H,W,C}, got ", set.images.dtype(), ' ', set.images.shape());
  }
  if (set.images.elements() == 0) throw DataError(who, "no images: shape ", set.images.shape());
  if (set.images.size(0) != set.size()) {
    throw DataError(who, set.images.size(0), " images but ", set.size(), " labels");
  }
  const auto channels = static_cast<std::size_t>(set.channels());
  if (set.mean.size() != channels || set.deviation.size() != channels) {
    throw DataError(who, channels, " channels, but normalisation has ", set.mean.size(), " means and ",
                    set.deviation.size(), " deviations");
  }
  for (const double deviation : set.deviation) {
    if (!(deviation > 0)) throw DataError(who, "a channel's deviation must be positive, got ", deviation);
  }
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    if (set.labels[i] < 0 || set.labels[i] >= set.classes()) {
      throw DataError(who, "label ", set.labels[i], " at position ", i, " is not below ", set.classes());
    }
  }
  set.hash = content_hash(set);
  return set;
}

Dataset first(const Dataset& set, std::int64_t n) {
  if (n < 1 || n > set.size()) {
    throw UsageError(set.name, " (", set.split, ") has ", set.size(), " images; cannot take the first ", n);
  }
  Dataset cut = set;
  cut.images = set.images.slice_rows(0, n);
  cut.labels.resize(static_cast<std::size_t>(n));
  return finished(std::move(cut));
}

}  // namespace basin::data
