#include "data/augment/policies.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "data/augment/image_ops.h"

namespace basin::data {
namespace {

using Op = ImageOperation;

constexpr int kChoices = 14;  // of RandAugment: all but invert
constexpr int kAutoAugmentLevels = 10;
constexpr int kRandAugmentLevels = 31;

const AutoAugmentTable kCifar10Policy = {{
    {{{Op::invert, 0.1, 0}, {Op::contrast, 0.2, 6}}},
    {{{Op::rotate, 0.7, 2}, {Op::translate_x, 0.3, 9}}},
    {{{Op::sharpness, 0.8, 1}, {Op::sharpness, 0.9, 3}}},
    {{{Op::shear_y, 0.5, 8}, {Op::translate_y, 0.7, 9}}},
    {{{Op::autocontrast, 0.5, 0}, {Op::equalize, 0.9, 0}}},
    {{{Op::shear_y, 0.2, 7}, {Op::posterize, 0.3, 7}}},
    {{{Op::color, 0.4, 3}, {Op::brightness, 0.6, 7}}},
    {{{Op::sharpness, 0.3, 9}, {Op::brightness, 0.7, 9}}},
    {{{Op::equalize, 0.6, 0}, {Op::equalize, 0.5, 0}}},
    {{{Op::contrast, 0.6, 7}, {Op::sharpness, 0.6, 5}}},
    {{{Op::color, 0.7, 7}, {Op::translate_x, 0.5, 8}}},
    {{{Op::equalize, 0.3, 0}, {Op::autocontrast, 0.4, 0}}},
    {{{Op::translate_y, 0.4, 3}, {Op::sharpness, 0.2, 6}}},
    {{{Op::brightness, 0.9, 6}, {Op::color, 0.2, 8}}},
    {{{Op::solarize, 0.5, 2}, {Op::invert, 0.0, 0}}},
    {{{Op::equalize, 0.2, 0}, {Op::autocontrast, 0.6, 0}}},
    {{{Op::equalize, 0.2, 0}, {Op::equalize, 0.6, 0}}},
    {{{Op::color, 0.9, 9}, {Op::equalize, 0.6, 0}}},
    {{{Op::autocontrast, 0.8, 0}, {Op::solarize, 0.2, 8}}},
    {{{Op::brightness, 0.1, 3}, {Op::color, 0.7, 0}}},
    {{{Op::solarize, 0.4, 5}, {Op::autocontrast, 0.9, 0}}},
    {{{Op::translate_y, 0.9, 9}, {Op::translate_y, 0.7, 9}}},
    {{{Op::autocontrast, 0.9, 0}, {Op::solarize, 0.8, 3}}},
    {{{Op::equalize, 0.8, 0}, {Op::invert, 0.1, 0}}},
    {{{Op::translate_y, 0.7, 9}, {Op::autocontrast, 0.9, 0}}},
}};

const AutoAugmentTable kImageNetPolicy = {{
    {{{Op::posterize, 0.4, 8}, {Op::rotate, 0.6, 9}}},
    {{{Op::solarize, 0.6, 5}, {Op::autocontrast, 0.6, 0}}},
    {{{Op::equalize, 0.8, 0}, {Op::equalize, 0.6, 0}}},
    {{{Op::posterize, 0.6, 7}, {Op::posterize, 0.6, 6}}},
    {{{Op::equalize, 0.4, 0}, {Op::solarize, 0.2, 4}}},
    {{{Op::equalize, 0.4, 0}, {Op::rotate, 0.8, 8}}},
    {{{Op::solarize, 0.6, 3}, {Op::equalize, 0.6, 0}}},
    {{{Op::posterize, 0.8, 5}, {Op::equalize, 1.0, 0}}},
    {{{Op::rotate, 0.2, 3}, {Op::solarize, 0.6, 8}}},
    {{{Op::equalize, 0.6, 0}, {Op::posterize, 0.4, 6}}},
    {{{Op::rotate, 0.8, 8}, {Op::color, 0.4, 0}}},
    {{{Op::rotate, 0.4, 9}, {Op::equalize, 0.6, 0}}},
    {{{Op::equalize, 0.0, 0}, {Op::equalize, 0.8, 0}}},
    {{{Op::invert, 0.6, 0}, {Op::equalize, 1.0, 0}}},
    {{{Op::color, 0.6, 4}, {Op::contrast, 1.0, 8}}},
    {{{Op::rotate, 0.8, 8}, {Op::color, 1.0, 2}}},
    {{{Op::color, 0.8, 8}, {Op::solarize, 0.8, 7}}},
    {{{Op::sharpness, 0.4, 7}, {Op::invert, 0.6, 0}}},
    {{{Op::shear_x, 0.6, 5}, {Op::equalize, 1.0, 0}}},
    {{{Op::color, 0.4, 0}, {Op::equalize, 0.6, 0}}},
    {{{Op::equalize, 0.4, 0}, {Op::solarize, 0.2, 4}}},
    {{{Op::solarize, 0.6, 5}, {Op::autocontrast, 0.6, 0}}},
    {{{Op::invert, 0.6, 0}, {Op::equalize, 1.0, 0}}},
    {{{Op::color, 0.6, 4}, {Op::contrast, 1.0, 8}}},
    {{{Op::equalize, 0.8, 0}, {Op::equalize, 0.6, 0}}},
}};

bool has_sign(Op operation) { return operation >= Op::shear_x && operation <= Op::sharpness; }

// torch.linspace: in f32, the upper half counted from its end. Blends are cut off, so a last bit shows.
double linear_scale(double from, double to, int level, int levels) {
  const auto start = static_cast<float>(from);
  const auto end = static_cast<float>(to);
  const float step = (end - start) / static_cast<float>(levels - 1);
  return level < levels / 2 ? start + step * static_cast<float>(level)
                            : end - step * static_cast<float>(levels - 1 - level);
}

}  // namespace

void apply(const ImageChange& change, Image& image) {
  const double m = change.magnitude;
  switch (change.operation) {
    case Op::identity:
      return;
    case Op::shear_x:
      return shear_x(image, m);
    case Op::shear_y:
      return shear_y(image, m);
    case Op::translate_x:
      return translate(image, static_cast<std::int64_t>(m), 0);
    case Op::translate_y:
      return translate(image, 0, static_cast<std::int64_t>(m));
    case Op::rotate:
      return rotate(image, m);
    case Op::brightness:
      return brightness(image, 1 + m);
    case Op::color:
      return color(image, 1 + m);
    case Op::contrast:
      return contrast(image, 1 + m);
    case Op::sharpness:
      return sharpness(image, 1 + m);
    case Op::posterize:
      return posterize(image, static_cast<int>(m));
    case Op::solarize:
      return solarize(image, m);
    case Op::autocontrast:
      return autocontrast(image);
    case Op::equalize:
      return equalize(image);
    case Op::invert:
      return invert(image);
  }
}

ImageChange change_at_level(ImageOperation operation, int level, int levels, bool negative,
                            std::int64_t height, std::int64_t width) {
  const auto scale = [&](double from, double to) { return linear_scale(from, to, level, levels); };
  double magnitude = 0;
  switch (operation) {
    case Op::shear_x:
    case Op::shear_y:
      magnitude = scale(0, 0.3);
      break;
    case Op::translate_x:
      magnitude = std::trunc(scale(0, 150.0 / 331 * static_cast<double>(width)));
      break;
    case Op::translate_y:
      magnitude = std::trunc(scale(0, 150.0 / 331 * static_cast<double>(height)));
      break;
    case Op::rotate:
      magnitude = scale(0, 30);
      break;
    case Op::brightness:
    case Op::color:
    case Op::contrast:
    case Op::sharpness:
      magnitude = scale(0, 0.9);
      break;
    case Op::posterize:
      magnitude = 8 - std::nearbyint(level / ((levels - 1) / 4.0));
      break;
    case Op::solarize:
      magnitude = scale(255, 0);
      break;
    default:
      break;
  }
  return {operation, negative && has_sign(operation) ? -magnitude : magnitude};
}

const AutoAugmentTable& autoaugment_table(Policy::Kind kind) {
  if (kind == Policy::Kind::autoaugment_cifar10) return kCifar10Policy;
  if (kind == Policy::Kind::autoaugment_imagenet) return kImageNetPolicy;
  throw ArgumentError("[policy] only AutoAugment has a table of pairs");
}

void check(const Policy& policy) {
  if (policy.kind != Policy::Kind::randaugment) return;
  if (policy.operations < 1 || policy.operations > 20 || policy.magnitude < 0 ||
      policy.magnitude >= kRandAugmentLevels) {
    throw UsageError("RandAugment of ", policy.operations, " operations at magnitude ", policy.magnitude,
                     ": expected 1 to 20 operations, magnitude 0 to ", kRandAugmentLevels - 1);
  }
}

std::vector<ImageChange> draw_policy(const Policy& policy, std::int64_t height, std::int64_t width,
                                     Random& random) {
  std::vector<ImageChange> changes;
  if (policy.kind == Policy::Kind::none) return changes;
  if (policy.kind == Policy::Kind::randaugment) {
    for (int i = 0; i < policy.operations; ++i) {
      const auto operation = static_cast<Op>(random.below(kChoices));
      const bool negative = random.bits() >> 31 != 0;
      changes.push_back(
          change_at_level(operation, policy.magnitude, kRandAugmentLevels, negative, height, width));
    }
    return changes;
  }
  const AutoAugmentTable& table = autoaugment_table(policy.kind);
  for (const PolicyOperation& step : table[static_cast<std::size_t>(random.below(table.size()))]) {
    const bool done = random.uniform() < step.probability;
    const bool negative = random.bits() >> 31 != 0;
    if (!done) continue;
    changes.push_back(
        change_at_level(step.operation, step.level, kAutoAugmentLevels, negative, height, width));
  }
  return changes;
}

void check(const ColorJitter& jitter) {
  for (const double strength : {jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue}) {
    if (!(strength >= 0 && strength <= 100)) {
      throw UsageError("colour jitter of ", strength, ": expected a strength from 0 to 100");
    }
  }
  if (jitter.hue > 0.5)
    throw UsageError("colour jitter of the hue by ", jitter.hue, ": expected at most 0.5");
}

void jitter_colors(const ColorJitter& jitter, Image& image, Random& random) {
  std::array<int, 4> order = {0, 1, 2, 3};
  for (std::size_t place = 4; place > 1; --place) {
    std::swap(order[place - 1], order[static_cast<std::size_t>(random.below(place))]);
  }
  const std::array<double, 4> strengths = {jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue};
  std::array<double, 4> values{};
  for (std::size_t i = 0; i < 4; ++i) {
    const double low = i == 3 ? -strengths[i] : std::max(0.0, 1 - strengths[i]);
    const double high = i == 3 ? strengths[i] : 1 + strengths[i];
    values[i] = low + (high - low) * random.uniform();
  }
  for (const int which : order) {
    const auto i = static_cast<std::size_t>(which);
    if (strengths[i] == 0) continue;
    if (i == 0) brightness(image, values[i]);
    if (i == 1) contrast(image, values[i]);
    if (i == 2) color(image, values[i]);
    if (i == 3) shift_hue(image, values[i]);
  }
}

void augment_colors(const Policy& policy, const ColorJitter& jitter, std::uint64_t seed, std::uint64_t epoch,
                    std::uint64_t index, Image& image) {
  if (policy.kind != Policy::Kind::none) {
    Random random(seed, Stream::augment, epoch, index + (std::uint64_t{1} << 48));
    for (const ImageChange& change : draw_policy(policy, image.height, image.width, random)) {
      apply(change, image);
    }
  }
  if (jitter != ColorJitter{}) {
    Random random(seed, Stream::augment, epoch, index + (std::uint64_t{1} << 49));
    jitter_colors(jitter, image, random);
  }
}

}  // namespace basin::data
