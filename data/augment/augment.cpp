#include "data/augment/augment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/io/utf8.h"
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
  if (failure != std::errc{} || stop != end || parsed < 1 || parsed > 4096) {
    throw UsageError("augmentation ", quote(term), ": expected ", name, "=N with N from 1 to 4096");
  }
  value = parsed;
  return true;
}

// The numbers after "name=" in `term`, joined by colons; none if the term is not of that name. Errors:
// UsageError unless there are `count`.
std::vector<double> parse_numbers(const std::string& term, const std::string& name, std::size_t count,
                                  const char* expected) {
  std::vector<double> numbers;
  if (term.rfind(name + "=", 0) != 0) return numbers;
  const char* at = term.data() + name.size() + 1;
  const char* end = term.data() + term.size();
  for (;;) {
    double number = 0;
    const auto [stop, failure] = std::from_chars(at, end, number);
    if (failure != std::errc{} || (stop != end && *stop != ':')) break;
    numbers.push_back(number);
    if (stop == end && numbers.size() == count) return numbers;
    if (stop == end) break;
    at = stop + 1;
  }
  throw UsageError("augmentation ", quote(term), ": expected ", name, "=", expected);
}

// autoaugment, autoaugment=cifar10|imagenet, randaugment, randaugment=N:M; false for another term.
bool parse_policy(const std::string& term, Policy& policy) {
  if (term == "autoaugment" || term == "autoaugment=cifar10") {
    policy = {.kind = Policy::Kind::autoaugment_cifar10};
  } else if (term == "autoaugment=imagenet") {
    policy = {.kind = Policy::Kind::autoaugment_imagenet};
  } else if (term == "randaugment") {
    policy = {.kind = Policy::Kind::randaugment};
  } else {
    const char* expected = "N:M, N from 1 to 20 operations, magnitude M from 0 to 30, e.g. randaugment=2:9";
    const std::vector<double> numbers = parse_numbers(term, "randaugment", 2, expected);
    if (numbers.empty()) return false;
    const auto whole = [](double number, int most) {
      return number >= 0 && number <= most && number == std::floor(number);
    };
    if (!whole(numbers[0], 20) || numbers[0] < 1 || !whole(numbers[1], 30)) {
      throw UsageError("augmentation ", quote(term), ": expected randaugment=", expected);
    }
    policy = {Policy::Kind::randaugment, static_cast<int>(numbers[0]), static_cast<int>(numbers[1])};
  }
  return true;
}

bool parse_jitter(const std::string& term, ColorJitter& jitter) {
  const std::vector<double> numbers = parse_numbers(term, "jitter", 4, "BRIGHTNESS:CONTRAST:SATURATION:HUE");
  if (numbers.empty()) return false;
  jitter = {numbers[0], numbers[1], numbers[2], numbers[3]};
  check(jitter);
  if (jitter == ColorJitter{}) throw UsageError("augmentation ", quote(term), " changes nothing");
  return true;
}

bool parse_mix(const std::string& term, BatchMix& mix) {
  for (const auto& [name, alpha] : {std::pair{"mixup", &mix.mixup}, {"cutmix", &mix.cutmix}}) {
    const char* expected = "ALPHA with ALPHA from 0.01 to 1000";
    const std::vector<double> numbers = parse_numbers(term, name, 1, expected);
    if (numbers.empty()) continue;
    if (numbers[0] == 0) throw UsageError("augmentation ", quote(term), ": expected ", name, "=", expected);
    *alpha = numbers[0];
    return true;
  }
  return parse_number(term, "batch-cutout", mix.cutout);
}

std::string printed(const Policy& policy) {
  switch (policy.kind) {
    case Policy::Kind::autoaugment_cifar10:
      return "autoaugment";
    case Policy::Kind::autoaugment_imagenet:
      return "autoaugment=imagenet";
    default:
      return text("randaugment=", policy.operations, ':', policy.magnitude);
  }
}

// The shortest digits that read back as the same number.
std::string shortest(double number) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

}  // namespace

Augmentation parse_augmentation(const std::string& list) {
  Augmentation result;
  std::set<std::string> given;  // what a term has set: no other may set it again
  const auto set = [&](const std::string& term, const std::string& what) {
    if (!given.insert(what).second)
      throw UsageError("augmentation ", quote(term), " sets what a term before it has set");
  };
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string term = list.substr(begin, end - begin), name = term.substr(0, term.find('='));
    begin = end + 1;
    if (term == "none") {
      if (term != list) throw UsageError("augmentation 'none' stands alone, not with others");
    } else if (term == "basic" || term == "cutout") {
      // What it stands for gives way to a term behind it: basic,crop=2.
      if (given.count("crop") > 0 || (term == "cutout" && given.count("cutout") > 0))
        throw UsageError("augmentation ", quote(term), " stands before the terms that change a part of it");
      set(term, term + " as a whole");
      result.crop = 4;
      result.flip = true;
      if (term == "cutout") result.cutout = 16;
    } else if (term == "flip") {
      set(term, term);
      result.flip = true;
    } else if (term == "reflect") {
      set(term, term);
      result.padding = Augmentation::Padding::reflect;
    } else if (parse_policy(term, result.policy)) {
      set(term, "policy");
    } else if (parse_number(term, "crop", result.crop) || parse_number(term, "cutout", result.cutout) ||
               parse_jitter(term, result.jitter) || parse_mix(term, result.mix)) {
      set(term, name);
    } else {
      throw UsageError("unknown augmentation ", quote(term),
                       "; known are none, basic, cutout, crop=P, flip, cutout=S, reflect, autoaugment, "
                       "autoaugment=imagenet, randaugment=N:M, jitter=B:C:S:H, mixup=ALPHA, cutmix=ALPHA, "
                       "batch-cutout=S, joined by commas");
    }
  }
  check(result.mix);
  if (result.padding == Augmentation::Padding::reflect && result.crop == 0)
    throw UsageError("augmentation 'reflect' is of a crop's border: it needs crop=P, basic or cutout");
  return result;
}

std::ostream& operator<<(std::ostream& out, const Augmentation& augmentation) {
  std::string list;
  const auto add = [&list](const std::string& term) { list += (list.empty() ? "" : ",") + term; };
  if (augmentation.policy.kind != Policy::Kind::none) add(printed(augmentation.policy));
  if (const ColorJitter& jitter = augmentation.jitter; jitter != ColorJitter{}) {
    add("jitter=" + shortest(jitter.brightness) + ':' + shortest(jitter.contrast) + ':' +
        shortest(jitter.saturation) + ':' + shortest(jitter.hue));
  }
  if (augmentation.crop > 0) add("crop=" + std::to_string(augmentation.crop));
  if (augmentation.padding == Augmentation::Padding::reflect) add("reflect");
  if (augmentation.flip) add("flip");
  if (augmentation.cutout > 0) add("cutout=" + std::to_string(augmentation.cutout));
  if (augmentation.mix.cutout > 0) add("batch-cutout=" + std::to_string(augmentation.mix.cutout));
  if (augmentation.mix.mixup > 0) add("mixup=" + shortest(augmentation.mix.mixup));
  if (augmentation.mix.cutmix > 0) add("cutmix=" + shortest(augmentation.mix.cutmix));
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
