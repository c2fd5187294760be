// Philox4x32-10, the distributions on top of it, and what layers draw.
#include "core/random.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/backend.h"
#include "core/draws.h"
#include "core/functors/philox.h"

namespace basin {
namespace {

// ln(x) for x in (0, 1], good to about one unit in the last place. Our own, because the C library's differs
// between versions and CPUs in the last bit. x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m -
// 1) / (m + 1)).
double natural_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < std::numbers::sqrt2 / 2) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  double series = 0;
  for (int power = 23; power >= 1; power -= 2) series = series * (s * s) + 1.0 / power;  // |s| < 0.172
  return exponent * std::numbers::ln2 + 2 * s * series;
}

// (cos, sin) of 2 pi v for v in [0, 1): Taylor series on the eighth turn around the nearest quarter, then
// rotated.
std::pair<double, double> cos_sin_turn(double v) {
  const int quarter = static_cast<int>(4 * v + 0.5);
  const double x = 2 * std::numbers::pi * (v - 0.25 * quarter);  // the difference is exact, |x| <= pi / 4
  const double minus_square = -(x * x);
  double cosine = 1;
  for (int n = 16; n >= 2; n -= 2) cosine = 1 + cosine * minus_square / (n * (n - 1));
  double sine = 1;
  for (int n = 17; n >= 3; n -= 2) sine = 1 + sine * minus_square / (n * (n - 1));
  sine *= x;
  switch (quarter % 4) {
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    case 3:
      return {sine, -cosine};
    default:
      return {cosine, sine};
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  return functors::philox_rounds(counter, key);
}

Random::Random(std::uint64_t seed, Stream stream, std::uint64_t epoch, std::uint64_t index) {
  if (epoch >> 32 != 0) throw ArgumentError("[random] epoch must be below 2^32, got ", epoch);
  if (index >> 56 != 0) throw ArgumentError("[random] index must be below 2^56, got ", index);
  const functors::PhiloxAddress at(seed, static_cast<std::uint32_t>(stream), epoch, index);
  key_ = at.key;
  counter_ = at.counter;
}

std::uint32_t Random::bits() {
  if (used_ == 4) {
    if (exhausted_) throw InternalError("[random] more than 2^34 draws at one address");
    buffer_ = philox(counter_, key_);
    exhausted_ = ++counter_[0] == 0;
    used_ = 0;
  }
  return buffer_[used_++];
}

double Random::uniform() {
  const std::uint32_t first = bits();
  return functors::unit_interval(first, bits());
}

double Random::uniform(double low, double high) {
  if (!(low < high) || !std::isfinite(high - low)) {
    throw ArgumentError("[random] uniform expects low < high, both finite, got low ", low, ", high ", high);
  }
  return functors::between(uniform(), low, high);
}

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2 * natural_log(1 - uniform()));
  const auto [cosine, sine] = cos_sin_turn(uniform());
  spare_ = radius * sine;
  has_spare_ = true;
  return radius * cosine;
}

std::uint64_t Random::below(std::uint64_t n) {
  if (n == 0) throw ArgumentError("[random] below expects n >= 1, got 0");
  const int width = std::bit_width(n - 1);
  const std::uint64_t mask = width == 0 ? 0 : ~std::uint64_t{0} >> (64 - width);
  for (;;) {
    std::uint64_t value = bits();
    if (width > 32) value = value << 32 | bits();
    value &= mask;
    if (value < n) return value;
  }
}

std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed, Stream stream,
                                      std::uint64_t epoch) {
  if (n < 0) throw ArgumentError("[random] permutation expects n >= 0, got ", n);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Random random(seed, stream, epoch);
  for (std::size_t place = order.size(); place > 1; --place) {
    std::swap(order[place - 1], order[static_cast<std::size_t>(random.below(place))]);
  }
  return order;
}

Tensor drawn(const LayerDraws& d, const Shape& shape, Dtype dtype, Device device) {
  // Random says what is wrong with an address, also on a device that has no Random.
  const auto step = static_cast<std::int64_t>(d.at.step.known() ? d.at.step.value() : 0);
  static_cast<void>(Random(d.at.seed, d.stream, static_cast<std::uint64_t>(step), d.at.layer));
  const auto draws = [&](const auto& formula) { return shape.elements() / formula.kRows * formula.kDraws; };
  if (std::visit(draws, d.formula) > Index{1} << 34)
    throw InternalError("[random] more than 2^34 draws at one address");
  Tensor out = Tensor::empty(shape, dtype, device);
  if (out.elements() > 0) backend_of(out, Work::elementwise)->draw(d, out);
  return out;
}

}  // namespace basin
