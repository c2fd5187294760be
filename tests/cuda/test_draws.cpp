// What layers draw, drawn on the card: the bits of core/random.h's Random, whichever side knows the step.
#include "core/draws.h"

#include "core/random.h"
#include "tests/cuda/comparison.h"

namespace {

using namespace cuda_testing;

Scalar number_there(double value) { return Scalar(Tensor::full({}, value, Dtype::f64, cuda_device())); }

constexpr std::uint64_t kSeed = 0x123456789abcdef0, kLayer = 0x00aabbccddeeff11;
constexpr Dtype kDtypes[] = {Dtype::f32, Dtype::f64};

/// LayerDraws of the card: the step known to the host, known to the card, and at a place that is not aligned.
void check_drawn(const DrawFormula& formula, Stream stream, std::uint64_t step, const Tensor& want) {
  CAPTURE(step);
  CAPTURE(want.shape());
  for (Dtype dtype : kDtypes) {
    const Tensor rounded = want.to(dtype);
    const LayerDraws known{formula, stream, {kSeed, step, kLayer}},
        away{formula, stream, {kSeed, number_there(static_cast<double>(step)), kLayer}};
    CHECK(same_bits(drawn(known, want.shape(), dtype, Device{}), rounded));
    CHECK(same_bits(here(drawn(known, want.shape(), dtype, cuda_device())), rounded));
    CHECK(same_bits(here(drawn(away, want.shape(), dtype, cuda_device())), rounded));
    Tensor apart = unaligned(Tensor::zeros(want.shape(), dtype));
    card().draw(away, apart);
    CHECK(same_bits(here(apart), rounded));
  }
}

constexpr std::uint64_t kLastStep = 4294967295U;

TEST_CASE("draws: a mask drops on the card what it drops on the host") {
  for (Index n : {1, 4, 6, 2063})
    for (double p : {0.0, 0.3, 0.999})
      for (std::uint64_t step : {std::uint64_t{0}, std::uint64_t{7}, kLastStep}) {
        Random random(kSeed, Stream::dropout, step, kLayer);
        std::vector<double> want(static_cast<std::size_t>(n));
        for (double& m : want) m = random.bits() < p * 4294967296.0 ? 0 : 1 / (1 - p);
        check_drawn(DropoutMask(p), Stream::dropout, step, Tensor::from(want));
      }
  const Tensor none = drawn({DropoutMask(0.5), Stream::dropout, {}}, {0, 3}, Dtype::f32, cuda_device());
  CHECK(none.shape() == Shape{0, 3});
}

TEST_CASE("draws: the factors of shaken branches are the host's, image by image") {
  for (Index n : {1, 2, 7, 300})
    for (std::uint64_t step : {std::uint64_t{0}, std::uint64_t{5}, kLastStep}) {
      const auto at = [n](Index row, Index i) { return static_cast<std::size_t>(row * n + i); };
      std::vector<double> shares(static_cast<std::size_t>(4 * n)), drops(static_cast<std::size_t>(2 * n));
      Random random(kSeed, Stream::shake, step, kLayer), again(kSeed, Stream::shake, step, kLayer);
      for (Index i = 0; i < n; ++i) {
        for (Index pass : {0, 1}) {
          shares[at(pass, i)] = random.uniform();
          shares[at(2 + pass, i)] = 1 - shares[at(pass, i)];
        }
        const bool kept = again.uniform() < 0.6;
        const double alpha = again.uniform(-0.3, 1.7), beta = again.uniform(0.1, 0.7);
        drops[at(0, i)] = kept ? 1 : alpha;
        drops[at(1, i)] = kept ? 1 : beta;
      }
      check_drawn(ShakeShakeFactors{}, Stream::shake, step, Tensor::from(shares, {4, n, 1, 1, 1}));
      check_drawn(ShakeDropFactors{0.6, -0.3, 1.7, 0.1, 0.7}, Stream::shake, step,
                  Tensor::from(drops, {2, n, 1, 1, 1}));
    }
}

TEST_CASE("draws: a number that rounds up to the end of its interval is the one before, on the card too") {
  // Of an interval without numbers between its ends every u > 1/2 would give `high`.
  const double high = std::nextafter(1.0, 2.0);
  const LayerDraws d{ShakeDropFactors{0, 1, high, 1, high}, Stream::shake, {kSeed, 3, kLayer}};
  CHECK(same_bits(here(drawn(d, {2, 64}, Dtype::f64, cuda_device())), Tensor::full({2, 64}, 1, Dtype::f64)));
}

TEST_CASE("draws: an address that Random refuses is refused for a card too") {
  for (const Device device : {Device{}, cuda_device()}) {
    const auto draw_at = [&](const DrawAddress& at) {
      return drawn({DropoutMask(0.5), Stream::dropout, at}, {4}, Dtype::f32, device);
    };
    CHECK_THROWS_WITH_AS(draw_at({.step = 4294967296.0}), "[random] epoch must be below 2^32, got 4294967296",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(draw_at({.layer = std::uint64_t{1} << 56}), doctest::Contains("[random] index"),
                         ArgumentError);
    const Shape much{Index{1} << 20, (Index{1} << 14) + 1};
    CHECK_THROWS_WITH_AS(drawn({DropoutMask(0.5), Stream::dropout, {}}, much, Dtype::f32, device),
                         "[random] more than 2^34 draws at one address", InternalError);
  }
}

TEST_CASE("draws: no order of threads changes a bit") {
  every_schedule([] {
    const DrawAddress at{kSeed, 7, 3};
    const auto there = [&](const DrawFormula& f, Stream stream, const Shape& shape) {
      return drawn({f, stream, at}, shape, Dtype::f32, cuda_device());
    };
    return Tensors{there(DropoutMask(0.5), Stream::dropout, {5000}),
                   there(ShakeShakeFactors{}, Stream::shake, {4, 700}),
                   there(ShakeDropFactors{0.5, -1, 1, 0, 1}, Stream::shake, {2, 700})};
  });
}

}  // namespace
