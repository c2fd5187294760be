#include "data/augment/mix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/augment/elementary.h"

namespace basin::data {
namespace {

constexpr std::uint64_t kPurpose = std::uint64_t{1} << 48;  // see policies.h for the first two

// ln of a variate of Gamma(alpha): of Gamma(alpha + 1) times a uniform one to the power of 1 / alpha if alpha
// < 1.
double draw_log_gamma(double alpha, Random& random) {
  const double shape = alpha < 1 ? alpha + 1 : alpha;
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  double result = 0;
  for (;;) {
    const double x = random.normal();
    const double root = 1 + c * x;
    const double u = 1 - random.uniform();
    if (root <= 0) continue;
    const double v = root * root * root;
    const double log_v = logarithm(v);
    if (logarithm(u) < 0.5 * x * x + d - d * v + d * log_v) {
      result = logarithm(d) + log_v;
      break;
    }
  }
  if (alpha < 1) result += logarithm(1 - random.uniform()) / alpha;
  return result;
}

// Beta(alpha, alpha) can be drawn; false for NaN.
bool usable(double alpha) { return alpha >= 0.01 && alpha <= 1000; }

void check_images(const char* who, const Tensor& images) {
  if (images.rank() != 4 || images.dtype() != Dtype::f32 || images.elements() == 0) {
    throw ArgumentError("[", who, "] images must be f32 {B,H,W,C}, got ", images.dtype(), ' ',
                        images.shape());
  }
}

void check_labels(const char* who, const Tensor& images, const Tensor& labels) {
  check_images(who, images);
  if (labels.dtype() != Dtype::i64 || labels.shape() != Shape{images.size(0)}) {
    throw ArgumentError("[", who, "] labels must be i64 {", images.size(0), "}, got ", labels.dtype(), ' ',
                        labels.shape());
  }
}

// Lambda and the partners, which mixup and cutmix draw alike.
MixDraw draw_partners(double alpha, std::int64_t images, Random& random) {
  MixDraw draw{.lambda = draw_beta(alpha, random)};
  draw.partners.resize(static_cast<std::size_t>(images));
  std::iota(draw.partners.begin(), draw.partners.end(), std::int64_t{0});
  for (std::size_t place = draw.partners.size(); place > 1; --place) {
    std::swap(draw.partners[place - 1], draw.partners[static_cast<std::size_t>(random.below(place))]);
  }
  return draw;
}

Mixed with_partners(const Tensor& labels, const MixDraw& draw) {
  Mixed mixed{.labels = Tensor::empty(labels.shape(), Dtype::i64), .lambda = draw.lambda};
  const std::int64_t* from = labels.data<std::int64_t>();
  std::int64_t* to = mixed.labels.mutable_data<std::int64_t>();
  for (const std::int64_t partner : draw.partners) *to++ = from[partner];
  return mixed;
}

// Calls change(image, its partner) for all images, each partner as it was before. Along a cycle of the
// permutation only the first image is needed once more after it has changed: it is kept aside.
template <class Change>
void with_each_partner(Tensor& images, const std::vector<std::int64_t>& partner_of, Change change) {
  const auto pixels = static_cast<std::size_t>(images.elements() / images.size(0));
  float* numbers = images.mutable_data<float>();
  std::vector<float> first(pixels);
  std::vector<bool> done(partner_of.size());
  for (std::size_t start = 0; start < partner_of.size(); ++start) {
    if (done[start]) continue;
    std::copy(numbers + start * pixels, numbers + (start + 1) * pixels, first.begin());
    std::size_t image = start;
    do {
      const auto partner = static_cast<std::size_t>(partner_of[image]);
      change(numbers + image * pixels, partner == start ? first.data() : numbers + partner * pixels);
      done[image] = true;
      image = partner;
    } while (image != start);
  }
}

std::int64_t draw_below(Random& random, std::int64_t n) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
}

// How far a box reaches from its centre: [centre - before, centre + after).
struct Reach {
  std::int64_t before, after;
};

// A box around a pixel that is drawn, cut at the border.
Rectangle draw_box(Reach rows, Reach columns, std::int64_t height, std::int64_t width, Random& random) {
  const std::int64_t y = draw_below(random, height);
  const std::int64_t x = draw_below(random, width);
  return {.top = std::max<std::int64_t>(y - rows.before, 0),
          .bottom = std::min(y + rows.after, height),
          .left = std::max<std::int64_t>(x - columns.before, 0),
          .right = std::min(x + columns.after, width)};
}

MixDraw draw_mixup(double alpha, std::int64_t images, std::uint64_t seed, std::uint64_t epoch,
                   std::uint64_t step) {
  Random random(seed, Stream::augment, epoch, step + 3 * kPurpose);
  return draw_partners(alpha, images, random);
}

MixDraw draw_cutmix(double alpha, std::int64_t images, std::int64_t height, std::int64_t width,
                    std::uint64_t seed, std::uint64_t epoch, std::uint64_t step) {
  Random random(seed, Stream::augment, epoch, step + 3 * kPurpose);
  MixDraw draw = draw_partners(alpha, images, random);
  const double half = 0.5 * std::sqrt(1 - draw.lambda);
  const auto half_height = static_cast<std::int64_t>(half * static_cast<double>(height));
  const auto half_width = static_cast<std::int64_t>(half * static_cast<double>(width));
  const Rectangle box = draw_box({half_height, half_height}, {half_width, half_width}, height, width, random);
  const std::int64_t replaced = (box.bottom - box.top) * (box.right - box.left);
  draw.exchanged = box;
  draw.lambda = 1 - static_cast<double>(replaced) / static_cast<double>(height * width);
  return draw;
}

Rectangle draw_covered(std::int64_t side, std::int64_t height, std::int64_t width, std::uint64_t seed,
                       std::uint64_t epoch, std::uint64_t step) {
  Random random(seed, Stream::augment, epoch, step + 4 * kPurpose);
  const Reach reach{side / 2, side - side / 2};
  return draw_box(reach, reach, height, width, random);
}

}  // namespace

void check(const BatchMix& mix) {
  for (const auto& [name, alpha] : {std::pair{"mixup", mix.mixup}, {"cutmix", mix.cutmix}}) {
    if (alpha != 0 && !usable(alpha))
      throw UsageError(name, "=", alpha, ": Beta(alpha, alpha) expects alpha from 0.01 to 1000");
  }
  if (mix.cutout < 0)
    throw UsageError("batch-cutout: the square's side must be at least 1, got ", mix.cutout);
  if (mix.mixup != 0 && mix.cutmix != 0) throw UsageError("mixup and cutmix exclude each other");
}

double draw_beta(double alpha, Random& random) {
  if (!usable(alpha)) {
    throw ArgumentError("[mix] Beta(alpha, alpha) expects alpha from 0.01 to 1000, got ", alpha);
  }
  const double a = draw_log_gamma(alpha, random);
  const double b = draw_log_gamma(alpha, random);
  return 1 / (1 + exponential(b - a));
}

Mixed mixup(Tensor& images, const Tensor& labels, double alpha, std::uint64_t seed, std::uint64_t epoch,
            std::uint64_t step) {
  check_labels("mixup", images, labels);
  const MixDraw draw = draw_mixup(alpha, images.size(0), seed, epoch, step);
  const std::int64_t pixels = images.elements() / images.size(0);
  const auto share = static_cast<float>(draw.lambda);
  const float rest = 1 - share;
  with_each_partner(images, draw.partners, [&](float* image, const float* partner) {
    for (std::int64_t i = 0; i < pixels; ++i) image[i] = share * image[i] + rest * partner[i];
  });
  return with_partners(labels, draw);
}

Mixed cutmix(Tensor& images, const Tensor& labels, double alpha, std::uint64_t seed, std::uint64_t epoch,
             std::uint64_t step) {
  check_labels("cutmix", images, labels);
  const std::int64_t width = images.size(2);
  const std::int64_t channels = images.size(3);
  const MixDraw draw = draw_cutmix(alpha, images.size(0), images.size(1), width, seed, epoch, step);
  const Rectangle& box = draw.exchanged;
  with_each_partner(images, draw.partners, [&](float* image, const float* partner) {
    for (std::int64_t y = box.top; y < box.bottom; ++y) {
      const std::int64_t begin = (y * width + box.left) * channels;
      const std::int64_t end = (y * width + box.right) * channels;
      std::copy(partner + begin, partner + end, image + begin);
    }
  });
  return with_partners(labels, draw);
}

void cutout_batch(Tensor& images, std::int64_t side, std::uint64_t seed, std::uint64_t epoch,
                  std::uint64_t step) {
  check_images("cutout", images);
  if (side < 1) throw ArgumentError("[cutout] the square's side must be at least 1, got ", side);
  const std::int64_t height = images.size(1);
  const std::int64_t width = images.size(2);
  const std::int64_t channels = images.size(3);
  const Rectangle box = draw_covered(side, height, width, seed, epoch, step);
  float* numbers = images.mutable_data<float>();
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    for (std::int64_t y = box.top; y < box.bottom; ++y) {
      float* row = numbers + (n * height + y) * width * channels;
      std::fill(row + box.left * channels, row + box.right * channels, 0.0f);
    }
  }
}

MixDraw draw_mix(const BatchMix& mix, std::int64_t images, std::int64_t height, std::int64_t width,
                 std::uint64_t seed, std::uint64_t epoch, std::uint64_t step) {
  MixDraw draw;
  if (mix.mixup > 0) draw = draw_mixup(mix.mixup, images, seed, epoch, step);
  if (mix.cutmix > 0) draw = draw_cutmix(mix.cutmix, images, height, width, seed, epoch, step);
  if (mix.cutout > 0) draw.covered = draw_covered(mix.cutout, height, width, seed, epoch, step);
  return draw;
}

Mixed mix_batch(const BatchMix& mix, Tensor& images, const Tensor& labels, std::uint64_t seed,
                std::uint64_t epoch, std::uint64_t step) {
  if (mix.cutout > 0) cutout_batch(images, mix.cutout, seed, epoch, step);
  if (mix.mixup > 0) return mixup(images, labels, mix.mixup, seed, epoch, step);
  if (mix.cutmix > 0) return cutmix(images, labels, mix.cutmix, seed, epoch, step);
  return {};
}

}  // namespace basin::data
