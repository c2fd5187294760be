#include "data/augment.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/random.h"

namespace basin::data {
namespace {

// The number after "name=" in `term`; false if the term is not of that name.
bool parse_number(const std::string& term, const std::string& name, int& value) {
  if (term.rfind(name + "=", 0) != 0) return false;
  const char* begin = term.data() + name.size() + 1;
  const char* end = term.data() + term.size();
  int parsed = 0;
  const auto [stop, failure] = std::from_chars(begin, end, parsed);
  if (failure != std::errc{} || stop != end || parsed < 0 || parsed > 4096) {
    throw UsageError("augmentation '", term, "': expected ", name, "=N with N from 0 to 4096");
  }
  value = parsed;
  return true;
}

}  // namespace

Augmentation parse_augmentation(const std::string& list) {
  Augmentation result;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string term = list.substr(begin, end - begin);
    begin = end + 1;
    if (term == "none") {
      result = {};
    } else if (term == "basic" || term == "cutout") {
      result.crop = 4;
      result.flip = true;
      if (term == "cutout") result.cutout = 16;
    } else if (term == "flip") {
      result.flip = true;
    } else if (term == "reflect") {
      result.padding = Augmentation::Padding::reflect;
    } else if (!parse_number(term, "crop", result.crop) && !parse_number(term, "cutout", result.cutout)) {
      throw UsageError("unknown augmentation '", term,
                       "'; known are none, basic, cutout, crop=P, flip, cutout=S, reflect, joined by commas");
    }
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const Augmentation& augmentation) {
  std::string list;
  const auto add = [&list](const std::string& term) { list += (list.empty() ? "" : ",") + term; };
  if (augmentation.crop > 0) add("crop=" + std::to_string(augmentation.crop));
  if (augmentation.padding == Augmentation::Padding::reflect) add("reflect");
  if (augmentation.flip) add("flip");
  if (augmentation.cutout > 0) add("cutout=" + std::to_string(augmentation.cutout));
  return out << (list.empty() ? "none" : list);
}

Draw draw_augmentation(const Augmentation& augmentation, std::int64_t height, std::int64_t width,
                       std::uint64_t seed, std::uint64_t epoch, std::uint64_t index) {
  Random random(seed, Stream::augment, epoch, index);
  const auto below = [&random](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  Draw draw;
  draw.down = below(2 * augmentation.crop + 1) - augmentation.crop;
  draw.right = below(2 * augmentation.crop + 1) - augmentation.crop;
  draw.flipped = random.bits() >> 31 != 0 && augmentation.flip;
  const std::int64_t top = below(height) - augmentation.cutout / 2;
  const std::int64_t left = below(width) - augmentation.cutout / 2;
  draw.box_top = std::clamp<std::int64_t>(top, 0, height);
  draw.box_bottom = std::clamp<std::int64_t>(top + augmentation.cutout, 0, height);
  draw.box_left = std::clamp<std::int64_t>(left, 0, width);
  draw.box_right = std::clamp<std::int64_t>(left + augmentation.cutout, 0, width);
  return draw;
}

}  // namespace basin::data
