// The convolution and its two gradients against naive loops in f64, over many geometries; threads,
// instruction sets and the batch around an image do not show in the bits.
#include <algorithm>

#include "core/cpu/convolution.h"
#include "tests/core/kernel_testing.h"

namespace {

using namespace kernel_testing;
using basin::ConvGeometry;

struct Case {
  Index batch, h, w, in_c, out_c, kernel_h, kernel_w;
  Index stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, groups = 1;

  ConvGeometry geometry() const {
    ConvGeometry g;
    g.batch = batch, g.in_h = h, g.in_w = w, g.in_c = in_c, g.out_c = out_c;
    g.kernel_h = kernel_h, g.kernel_w = kernel_w, g.stride_h = stride_h, g.stride_w = stride_w;
    g.pad_h = pad_h, g.pad_w = pad_w, g.groups = groups;
    g.out_h = (h + 2 * pad_h - kernel_h) / stride_h + 1;
    g.out_w = (w + 2 * pad_w - kernel_w) / stride_w + 1;
    return g;
  }
};

Case square(Index batch, Index size, Index in_c, Index out_c, Index kernel, Index stride, Index pad,
            Index groups = 1) {
  return {batch, size, size, in_c, out_c, kernel, kernel, stride, stride, pad, pad, groups};
}

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "x {" << c.batch << "," << c.h << "," << c.w << "," << c.in_c << "} -> " << c.out_c
             << ", kernel " << c.kernel_h << "x" << c.kernel_w << ", stride " << c.stride_h << "x"
             << c.stride_w << ", pad " << c.pad_h << "x" << c.pad_w << ", groups " << c.groups;
}

// Calls body(x, w, y) with the flat indices of every product of the convolution.
template <class Body>
void for_each_product(const ConvGeometry& g, Body body) {
  const Index cg = g.in_c / g.groups, kg = g.out_c / g.groups;
  for (Index n = 0; n < g.batch; ++n)
    for (Index oh = 0; oh < g.out_h; ++oh)
      for (Index ow = 0; ow < g.out_w; ++ow)
        for (Index r = 0; r < g.kernel_h; ++r)
          for (Index s = 0; s < g.kernel_w; ++s) {
            const Index ih = oh * g.stride_h - g.pad_h + r, iw = ow * g.stride_w - g.pad_w + s;
            if (ih < 0 || ih >= g.in_h || iw < 0 || iw >= g.in_w) continue;
            for (Index c = 0; c < cg; ++c)
              for (Index k = 0; k < g.out_c; ++k)
                body(((n * g.in_h + ih) * g.in_w + iw) * g.in_c + k / kg * cg + c,
                     ((r * g.kernel_w + s) * cg + c) * g.out_c + k,
                     ((n * g.out_h + oh) * g.out_w + ow) * g.out_c + k);
          }
}

// The three members of the triangle on one set of numbers.
template <class T>
struct Problem {
  ConvGeometry g;
  std::vector<T> x, w, dy;

  explicit Problem(const ConvGeometry& geometry)
      : g(geometry),
        x(numbers<T>(g.x_shape().elements(), 1)),
        w(numbers<T>(g.w_shape().elements(), 2)),
        dy(numbers<T>(g.y_shape().elements(), 3)) {}

  Result<T> forward() const {
    Result<T> y(g.y_shape().elements());
    basin::cpu::conv2d(g, x.data(), w.data(), y.data());
    return y;
  }
  Result<T> input_grad() const {
    Result<T> dx(g.x_shape().elements());
    basin::cpu::conv2d_input_grad(g, dy.data(), w.data(), dx.data());
    return dx;
  }
  Result<T> weight_grad() const {
    Result<T> dw(g.w_shape().elements());
    basin::cpu::conv2d_weight_grad(g, x.data(), dy.data(), dw.data());
    return dw;
  }
};

template <class T>
void check(const Case& c, const std::vector<std::string>& instruction_sets, double tolerance) {
  const Problem<T> problem(c.geometry());
  std::vector<Sum> y(problem.dy.size()), dx(problem.x.size()), dw(problem.w.size());
  for_each_product(problem.g, [&](Index i, Index j, Index k) {
    const auto xi = static_cast<std::size_t>(i), wi = static_cast<std::size_t>(j),
               yi = static_cast<std::size_t>(k);
    y[yi].add(static_cast<double>(problem.x[xi]), static_cast<double>(problem.w[wi]));
    dx[xi].add(static_cast<double>(problem.dy[yi]), static_cast<double>(problem.w[wi]));
    dw[wi].add(static_cast<double>(problem.x[xi]), static_cast<double>(problem.dy[yi]));
  });
  CAPTURE(c);
  for (const std::string& name : instruction_sets) {
    CAPTURE(name);
    const WithInstructionSet with(name);
    CHECK(largest_error(problem.forward(), y) <= tolerance);
    CHECK(largest_error(problem.input_grad(), dx) <= tolerance);
    CHECK(largest_error(problem.weight_grad(), dw) <= tolerance);
  }
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> list;
    // Channel counts around the vector and panel widths.
    for (Index in_c : {1, 3, 5, 16, 17, 35, 64})
      for (Index out_c : {1, 3, 16, 17, 32, 35, 64}) list.push_back(square(2, 6, in_c, out_c, 3, 1, 1));
    // Kernels, strides and paddings on odd sizes.
    for (Index kernel : {1, 2, 3, 5, 7})
      for (Index stride : {1, 2, 3})
        for (Index pad : {0, 1, 2, 3})
          list.push_back({2, 9, 12, 5, 18, kernel, kernel, stride, stride, pad, pad});
    // Widths that end up in every kind of tile.
    for (Index size = 1; size <= 33; ++size) list.push_back({1, 5, size, 4, 20, 3, 3, 1, 1, 1, 1});
    for (Index size = 1; size <= 20; ++size) list.push_back({1, 9, size, 3, 8, 3, 3, 1, 1, 1, 1});
    // Nothing square.
    list.push_back({2, 7, 13, 6, 10, 1, 5, 1, 2, 0, 3});
    list.push_back({2, 13, 7, 6, 40, 5, 2, 3, 1, 2, 0});
    list.push_back({3, 11, 10, 20, 7, 3, 4, 2, 3, 0, 2});
    // A stride beyond the kernel leaves input pixels that no output sees.
    list.push_back(square(2, 10, 17, 20, 1, 2, 0));
    list.push_back(square(2, 11, 4, 4, 2, 3, 0));
    list.push_back(square(2, 9, 4, 4, 1, 4, 3));
    // Padding beyond the kernel.
    list.push_back(square(1, 4, 3, 5, 2, 1, 4));
    list.push_back(square(1, 3, 3, 5, 3, 2, 5));
    // Groups: wide, narrow, depthwise, depthwise with a multiplier.
    list.push_back(square(2, 7, 40, 20, 3, 1, 1, 2));
    list.push_back(square(2, 7, 12, 24, 3, 2, 1, 4));
    list.push_back(square(2, 6, 8, 8, 1, 1, 0, 2));
    for (Index channels : {2, 16, 35}) {
      list.push_back(square(3, 9, channels, channels, 3, 1, 1, channels));
      list.push_back(square(2, 10, channels, channels, 5, 2, 2, channels));
      list.push_back(square(2, 7, channels, 3 * channels, 3, 1, 1, channels));
    }
    // Larger batches of small images: strides, borders and pixels that no output sees, again.
    list.push_back(square(20, 8, 5, 7, 3, 1, 1));
    list.push_back(square(20, 15, 4, 18, 3, 2, 1));
    list.push_back(square(12, 10, 17, 20, 1, 2, 0));  // pixels that no output sees
    list.push_back(square(16, 9, 4, 4, 1, 4, 3));
    list.push_back(square(70, 4, 6, 5, 5, 1, 2));
    list.push_back(square(70, 4, 3, 5, 2, 1, 4));  // outputs that see only the border
    list.push_back(square(70, 3, 3, 5, 3, 2, 5));
    list.push_back({20, 13, 7, 6, 40, 5, 2, 3, 1, 2, 0});
    list.push_back(square(13, 9, 35, 35, 3, 1, 1, 35));
    list.push_back(square(13, 10, 16, 16, 5, 2, 2, 16));
    // Batches that are split into partial sums, images that are split into strips.
    list.push_back(square(37, 4, 16, 16, 3, 1, 1));
    list.push_back(square(70, 8, 8, 24, 3, 2, 1));
    list.push_back(square(1, 70, 16, 8, 3, 1, 1));
    list.push_back({1, 90, 60, 100, 2, 3, 3, 1, 1, 1, 1});
    list.push_back({1, 65, 40, 2, 100, 3, 3, 2, 2, 1, 1});
    list.push_back(square(40, 5, 33, 10, 1, 1, 0));
    return list;
  }();
  return all;
}

}  // namespace

TEST_CASE("conv2d f32: forward and gradients against naive loops, every instruction set") {
  for (const Case& c : cases()) check<float>(c, basin::cpu::instruction_sets(), kTolerance32);
}

TEST_CASE("conv2d f64: forward and gradients against naive loops") {
  for (std::size_t i = 0; i < cases().size(); i += 3)
    check<double>(cases()[i], {basin::cpu::instruction_set()}, kTolerance64);
}

TEST_CASE("conv2d: an empty batch gives no image and a zero weight gradient") {
  const Problem<float> problem(square(0, 5, 3, 4, 3, 1, 1).geometry());
  CHECK(problem.forward().size() == 0);
  CHECK(problem.input_grad().size() == 0);
  const Result<float> dw = problem.weight_grad();
  for (Index i = 0; i < dw.size(); ++i) CHECK(dw[i] == 0);
}

TEST_CASE("conv2d: the same bits for any number of threads, and for AVX2 as for AVX-512") {
  for (const Case& c : {square(37, 8, 35, 37, 3, 1, 1), square(20, 16, 16, 32, 3, 2, 1),
                        square(3, 40, 3, 16, 3, 1, 1), square(50, 4, 100, 40, 1, 1, 0),
                        square(18, 9, 20, 20, 3, 1, 1, 20), square(5, 12, 24, 48, 5, 3, 2, 3)}) {
    CAPTURE(c);
    const Problem<float> problem(c.geometry());
    const WithThreads one(1);
    const Result<float> y = problem.forward(), dx = problem.input_grad(), dw = problem.weight_grad();
    for (int threads : {2, 3, 4}) {
      CAPTURE(threads);
      const WithThreads with(threads);
      CHECK(same_bits(problem.forward(), y));
      CHECK(same_bits(problem.input_grad(), dx));
      CHECK(same_bits(problem.weight_grad(), dw));
    }
    if (basin::cpu::instruction_sets().front() == "avx512") {
      const WithInstructionSet avx512("avx512");
      const Result<float> wide_y = problem.forward(), wide_dx = problem.input_grad(),
                          wide_dw = problem.weight_grad();
      const WithInstructionSet avx2("avx2");
      CHECK(same_bits(problem.forward(), wide_y));
      CHECK(same_bits(problem.input_grad(), wide_dx));
      CHECK(same_bits(problem.weight_grad(), wide_dw));
    }
  }
}

TEST_CASE("conv2d: an image's result does not depend on the batch around it") {
  for (const Case& c :
       {square(70, 8, 17, 20, 3, 1, 1), square(66, 4, 16, 70, 3, 1, 1), square(65, 9, 3, 16, 3, 2, 1),
        square(40, 6, 50, 20, 1, 1, 0), square(64, 5, 18, 18, 3, 1, 1, 18), square(33, 1, 600, 5, 1, 1, 0)}) {
    CAPTURE(c);
    const Problem<float> all(c.geometry());
    const Result<float> y = all.forward(), dx = all.input_grad();
    const Index y_size = y.size() / c.batch, x_size = dx.size() / c.batch;
    for (Index first : {Index{0}, Index{3}, c.batch - 5}) {
      for (Index count : {1, 2, 5}) {
        Case smaller = c;
        smaller.batch = count;
        Problem<float> some(smaller.geometry());
        some.w = all.w;
        std::copy_n(all.x.begin() + first * x_size, count * x_size, some.x.begin());
        std::copy_n(all.dy.begin() + first * y_size, count * y_size, some.dy.begin());
        const Result<float> some_y = some.forward(), some_dx = some.input_grad();
        CHECK(std::equal(some_y.data(), some_y.data() + count * y_size, y.data() + first * y_size));
        CHECK(std::equal(some_dx.data(), some_dx.data() + count * x_size, dx.data() + first * x_size));
      }
    }
  }
}

TEST_CASE("conv2d: an infinity spoils only the outputs that see it, and only its group") {
  for (Index groups : {1, 2, 20}) {
    Case c = square(2, 8, 20, 20, 3, 1, 1, groups);
    Problem<float> problem(c.geometry());
    problem.x[static_cast<std::size_t>(((0 * 8 + 4) * 8 + 4) * 20 + 3)] =
        std::numeric_limits<float>::infinity();
    const Result<float> y = problem.forward();
    for (Index i = 0; i < y.size(); ++i) {
      const Index channel = i % 20, col = i / 20 % 8, row = i / 160 % 8, n = i / 1280;
      const bool sees = n == 0 && std::abs(row - 4) <= 1 && std::abs(col - 4) <= 1 &&
                        channel / (20 / groups) == 3 / (20 / groups);
      CHECK(std::isfinite(y[i]) == !sees);
    }
  }
}
