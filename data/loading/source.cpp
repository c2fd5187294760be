#include "data/loading/source.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/functors/image.h"

namespace basin::data {
namespace {

// What a device keeps of one set, at most.
constexpr std::size_t kMostBytes = std::size_t{4} << 30;

// Writes one row: pixel x comes from column `columns[x]` of `row`, or is black, through the tables. kChannels
// is the number of channels where the compiler should know it, else 0.
template <std::size_t kChannels>
void write_row(const std::uint8_t* row, const std::vector<std::int64_t>& columns, const float* tables,
               std::size_t any_channels, float* out) {
  const std::size_t channels = kChannels != 0 ? kChannels : any_channels;
  for (const std::int64_t column : columns) {
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t value = column < 0 ? 0 : row[static_cast<std::size_t>(column) * channels + c];
      *out++ = tables[256 * c + value];
    }
  }
}

}  // namespace

std::vector<float> normalisation_table(const std::vector<double>& mean,
                                       const std::vector<double>& deviation) {
  std::vector<float> table;
  table.reserve(256 * mean.size());
  for (std::size_t c = 0; c < mean.size(); ++c)
    for (int value = 0; value < 256; ++value)
      table.push_back(static_cast<float>((value / 255.0 - mean[c]) / deviation[c]));
  return table;
}

DatasetSource::DatasetSource(Dataset set, const Augmentation& augmentation, std::uint64_t seed)
    : set_(std::move(set)),
      augmentation_(augmentation),
      seed_(seed),
      pixels_(set_.images.data<std::uint8_t>()),
      black_row_(static_cast<std::size_t>(set_.width() * set_.channels()), 0) {
  if (augmentation_.padding == Augmentation::Padding::reflect &&
      augmentation_.crop >= std::min(set_.height(), set_.width())) {
    throw UsageError("augmentation: a reflected border of ", augmentation_.crop,
                     " pixels needs larger images than ", set_.height(), 'x', set_.width());
  }
  check(augmentation_.policy);
  check(augmentation_.jitter);
  changes_colors_ = augmentation_.policy.kind != Policy::Kind::none || augmentation_.jitter != ColorJitter{};
  if (changes_colors_ && set_.channels() != 3) {
    throw UsageError("augmentation: policies and jitter need images of 3 channels, those of ", set_.name,
                     " have ", set_.channels());
  }
  normalised_ = normalisation_table(set_.mean, set_.deviation);
}

std::int64_t ExampleSource::draw(std::int64_t, std::int64_t, std::int64_t*) const {
  throw InternalError("[data] these examples are written, not drawn: they have no pictures on a device");
}

Draw DatasetSource::drawn(std::int64_t epoch, std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw ArgumentError("[data] ", set_.name, " (", set_.split, ") has no example ", index, ", only ",
                        size());
  }
  if (augmentation_ == Augmentation{}) return {};
  return draw_augmentation(augmentation_, set_.height(), set_.width(), seed_,
                           static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index));
}

std::optional<Pictures> DatasetSource::pictures(Device device) const {
  if (changes_colors_ || set_.images.bytes() > kMostBytes) return {};
  const std::lock_guard lock(mutex_);
  if (sent_ && sent_->pixels.device() == device) return sent_;
  sent_.reset();
  try {
    const Tensor table = Tensor::from(normalised_, {set_.channels(), 256});
    sent_ = {.pixels = set_.images.to(device),
             .table = table.to(device),
             .reflect = augmentation_.padding == Augmentation::Padding::reflect};
  } catch (const MemoryError&) {
    return {};
  }
  return sent_;
}

std::int64_t DatasetSource::draw(std::int64_t epoch, std::int64_t index, std::int64_t* row) const {
  const Draw d = drawn(epoch, index);
  for (const std::int64_t number :
       {index, d.down, d.right, std::int64_t{d.flipped}, d.box_top, d.box_bottom, d.box_left, d.box_right})
    *row++ = number;
  return set_.labels[static_cast<std::size_t>(index)];
}

std::int64_t DatasetSource::write(std::int64_t epoch, std::int64_t index, float* image) const {
  const Draw draw = drawn(epoch, index);
  const std::int64_t height = set_.height();
  const std::int64_t width = set_.width();
  const std::int64_t channels = set_.channels();
  const bool reflect = augmentation_.padding == Augmentation::Padding::reflect;
  thread_local std::vector<std::int64_t> columns;
  columns.resize(static_cast<std::size_t>(width));
  for (std::int64_t x = 0; x < width; ++x) {
    const std::int64_t cropped = draw.flipped ? width - 1 - x : x;
    columns[static_cast<std::size_t>(x)] = functors::behind(cropped + draw.right, width, reflect);
  }
  const auto write_one_row = channels == 1 ? write_row<1> : channels == 3 ? write_row<3> : write_row<0>;
  const std::uint8_t* source = pixels_ + index * height * width * channels;
  thread_local Image changed;
  if (changes_colors_) {
    changed = {height, width, {source, source + height * width * 3}};
    augment_colors(augmentation_.policy, augmentation_.jitter, seed_, static_cast<std::uint64_t>(epoch),
                   static_cast<std::uint64_t>(index), changed);
    source = changed.pixels.data();
  }
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t source_y = functors::behind(y + draw.down, height, reflect);
    const std::uint8_t* row = source_y < 0 ? black_row_.data() : source + source_y * width * channels;
    write_one_row(row, columns, normalised_.data(), static_cast<std::size_t>(channels),
                  image + y * width * channels);
  }
  for (std::int64_t y = draw.box_top; y < draw.box_bottom; ++y) {
    float* row = image + y * width * channels;
    std::fill(row + draw.box_left * channels, row + draw.box_right * channels, 0.0f);
  }
  return set_.labels[static_cast<std::size_t>(index)];
}

}  // namespace basin::data
