// Batch norm read through by the convolution behind it, both gradients in one walk, sums formed on the way:
// the same bits as the separate calls (sums: but for rounding), by every instruction set, algorithm and
// number of threads, on shapes that take every kernel.
#include <limits>

#include "core/conv_algorithm.h"
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

struct Case {
  Shape x, w;
  ConvOptions options = {};
};

ConvOptions window(Index stride, Index pad, Index groups = 1) {
  return {.stride_h = stride, .stride_w = stride, .pad_h = pad, .pad_w = pad, .groups = groups};
}

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "x " << c.x << ", w " << c.w << ", stride " << c.options.stride_h << "x" << c.options.stride_w
             << ", pad " << c.options.pad_h << "x" << c.options.pad_w << ", groups " << c.options.groups;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // Winograd where it is asked for: whole and ragged blocks of channels, strips, partial sums.
      {{5, 8, 8, 16}, {3, 3, 16, 32}, window(1, 1)},
      {{1, 7, 9, 17}, {3, 3, 17, 19}, window(1, 1)},
      {{2, 13, 12, 48}, {3, 3, 48, 33}, window(1, 0)},
      {{1, 10, 11, 35}, {3, 3, 35, 16}, window(1, 2)},
      {{5, 32, 32, 16}, {3, 3, 16, 16}, window(1, 1)},
      {{33, 32, 32, 16}, {3, 3, 16, 17}, window(1, 1)},  // enough tiles for gradients in one walk
      {{140, 16, 15, 8}, {3, 3, 8, 12}, window(1, 0)},
      // Direct kernels.
      {{5, 7, 9, 3}, {3, 3, 3, 20}, window(1, 1)},
      {{5, 9, 7, 19}, {3, 3, 19, 20}, window(2, 1)},
      {{1, 16, 16, 64}, {3, 3, 64, 35}, window(2, 1)},
      {{1, 70, 60, 16}, {3, 3, 16, 8}, window(2, 1)},
      {{5, 7, 9, 6}, {5, 5, 6, 18}, window(1, 2)},
      {{1, 17, 19, 3}, {7, 7, 3, 16}, window(2, 3)},
      {{2, 7, 9, 33}, {2, 3, 33, 10}, {.stride_h = 1, .stride_w = 3, .pad_h = 0, .pad_w = 2}},
      {{40, 6, 6, 8}, {3, 3, 8, 24}, window(2, 1)},
      // Matrix products: one and several tasks of rows, parts of the sum, sums of parts.
      {{1, 1, 3, 5}, {1, 1, 5, 3}, {}},
      {{5, 7, 9, 25}, {1, 1, 25, 33}, {}},
      {{1, 16, 16, 100}, {1, 1, 100, 40}, {}},
      {{5, 7, 9, 512}, {1, 1, 512, 24}, {}},
      {{1, 14, 15, 700}, {1, 1, 700, 70}, {}},
      {{20, 16, 16, 17}, {1, 1, 17, 16}, {}},
      // A single channel and single pixels, strides and padding of a 1x1 kernel.
      {{5, 7, 9, 25}, {1, 1, 25, 12}, window(2, 0)},
      {{1, 8, 8, 64}, {1, 1, 64, 100}, window(2, 0)},
      {{2, 5, 6, 10}, {1, 1, 10, 7}, window(1, 1)},
      {{300, 1, 1, 1}, {1, 1, 1, 2}, {}},
      // Groups: their channels begin within a block.
      {{2, 7, 9, 51}, {3, 3, 17, 30}, window(1, 1, 3)},
      {{5, 6, 7, 12}, {3, 3, 3, 24}, window(2, 1, 4)},
      {{5, 7, 9, 40}, {1, 1, 20, 18}, window(1, 0, 2)},
      // Depthwise, with a multiplier too.
      {{5, 7, 9, 35}, {3, 3, 1, 35}, window(1, 1, 35)},
      {{1, 12, 11, 16}, {5, 5, 1, 16}, window(2, 2, 16)},
      {{2, 7, 7, 18}, {3, 3, 1, 54}, window(1, 1, 18)},
  };
  return all;
}

/// One normalisation, the convolution behind it, and a gradient that comes back.
struct Problem {
  ConvGeometry g;
  Tensor x, gamma, beta, mean, inv_std, w, dy;

  Problem(const Case& c, Dtype dtype)
      : g(conv_geometry(c.x, c.w, c.options)), x(random(c.x, dtype, 1, -1, 3)) {
    const Shape channels{g.in_c};
    gamma = random(channels, dtype, 2, -1.5, 1.5);
    beta = random(channels, dtype, 3);
    mean = random(channels, dtype, 4, 0.5, 1.5);
    inv_std = random(channels, dtype, 5, 0.5, 1.5);
    w = random(c.w, dtype, 6);
    dy = random(g.y_shape(), dtype, 7);
  }

  BatchNormForward norm(bool relu) const { return {x, gamma, beta, mean, inv_std, nullptr, relu}; }

  /// A result's room, of NaN: what is not written shows.
  static Tensor unwritten(const Shape& shape, Dtype dtype) {
    Tensor t = Tensor::empty(shape, dtype);
    t.fill(std::numeric_limits<double>::quiet_NaN());
    return t;
  }

  /// y and dw by one call each.
  Tensors together(bool relu) const {
    Tensors out{unwritten(g.y_shape(), x.dtype()), unwritten(g.w_shape(), x.dtype())};
    const BatchNormForward f = norm(relu);
    backend().conv2d({.geometry = g, .norm = &f}, x, w, out[0]);
    backend().conv2d_weight_grad({.geometry = g, .norm = &f}, x, dy, out[1]);
    return out;
  }

  /// The same with the normalised x in between.
  Tensors apart(bool relu) const {
    Tensor z = unwritten(g.x_shape(), x.dtype());
    backend().batch_norm(norm(relu), z);
    Tensors out{unwritten(g.y_shape(), x.dtype()), unwritten(g.w_shape(), x.dtype())};
    backend().conv2d({g}, z, w, out[0]);
    backend().conv2d_weight_grad({g}, z, dy, out[1]);
    return out;
  }
};

/// For every instruction set and algorithm.
template <class Body>
void for_kernels(Body body) {
  for_instruction_sets([&] {
    for (ConvAlgorithm algorithm :
         {ConvAlgorithm::direct, ConvAlgorithm::winograd2, ConvAlgorithm::winograd4}) {
      const std::string how = name_of(algorithm);
      CAPTURE(how);
      const WithConvAlgorithm with(algorithm);
      body();
    }
  });
}

void check_bits(const Tensors& got, const Tensors& want) {
  CHECK(same_bits(got[0], want[0]));  // y
  CHECK(same_bits(got[1], want[1]));  // dw
}

}  // namespace

TEST_CASE("conv2d of a norm and its weight gradient: the bits of the two calls") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c, Dtype::f32);
    for_kernels([&] {
      for (bool relu : {false, true}) {
        CAPTURE(relu);
        check_bits(problem.together(relu), problem.apart(relu));
      }
    });
  }
}

TEST_CASE("conv2d of a norm in f64: the bits of the two calls") {
  for_instruction_sets([&] {
    for (std::size_t i = 0; i < cases().size(); i += 3) {
      CAPTURE(cases()[i]);
      const Problem problem(cases()[i], Dtype::f64);
      for (bool relu : {false, true}) check_bits(problem.together(relu), problem.apart(relu));
    }
  });
}

TEST_CASE("conv2d of a norm: the same bits for any number of threads") {
  const WithConvAlgorithm with(ConvAlgorithm::winograd4);
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c, Dtype::f32);
    Tensors one;
    for (int threads : {1, 2, 3}) {
      CAPTURE(threads);
      const WithThreads now(threads);
      const Tensors got = problem.together(true);
      if (threads == 1) one = got;
      check_bits(got, one);
    }
  }
}

TEST_CASE("conv2d of a norm: the border is zero, not the normalised zero") {
  // gamma 1, mean 0, inv_std 1, beta 10, all weights 1: a pixel that is seen counts 10 + x.
  const Case c{{1, 4, 4, 16}, {3, 3, 16, 16}, window(1, 1)};
  for_instruction_sets([&] {
    for (ConvAlgorithm algorithm : {ConvAlgorithm::direct, ConvAlgorithm::winograd4}) {
      const WithConvAlgorithm with(algorithm);
      Problem p(c, Dtype::f32);
      p.x.fill(0), p.mean.fill(0), p.gamma.fill(1), p.inv_std.fill(1), p.beta.fill(10), p.w.fill(1);
      const Values y = values_of(p.together(true)[0]);
      CHECK(y[0] == doctest::Approx(4 * 16 * 10));             // a corner
      CHECK(y[16] == doctest::Approx(6 * 16 * 10));            // an edge
      CHECK(y[5 * 16] == doctest::Approx(9 * 16 * 10));        // inside
      CHECK(y[15 * 16 + 15] == doctest::Approx(4 * 16 * 10));  // the last corner
    }
  });
}

TEST_CASE("conv2d of a norm: infinities and NaN spoil what they spoil in the two calls") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Case& c : {cases()[0], cases()[6], cases()[14], cases()[26]}) {
    CAPTURE(c);
    Problem problem(c, Dtype::f32);
    float* x = problem.x.mutable_data<float>();
    const Index step = problem.x.elements() / 5;
    x[0] = static_cast<float>(infinity), x[step] = -static_cast<float>(infinity);
    x[2 * step] = std::numeric_limits<float>::quiet_NaN();
    for_instruction_sets([&] {
      for (bool relu : {false, true}) {
        const Tensors got = problem.together(relu), want = problem.apart(relu);
        CHECK(largest_error(got[0], values_of(want[0])) == 0);
        CHECK(largest_error(got[1], values_of(want[1])) == 0);
      }
    });
  }
}

TEST_CASE("conv2d_gradients: the bits of the two calls, for any number of threads") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem p(c, Dtype::f32);
    for_kernels([&] {
      Tensors want{Problem::unwritten(p.g.x_shape(), Dtype::f32),
                   Problem::unwritten(p.g.w_shape(), Dtype::f32)};
      backend().conv2d_input_grad(p.g, p.dy, p.w, want[0]);
      backend().conv2d_weight_grad({p.g}, p.x, p.dy, want[1]);
      for (int threads : {1, 3}) {
        const WithThreads with(threads);
        Tensors got{Problem::unwritten(p.g.x_shape(), Dtype::f32),
                    Problem::unwritten(p.g.w_shape(), Dtype::f32)};
        backend().conv2d_gradients(p.g, p.x, p.w, p.dy, {got[0], got[1]});
        check_bits(got, want);
      }
    });
  }
}

namespace {

/// dx, dgamma, dbeta, dw of relu? and batch statistics.
Tensors all_gradients(const Problem& p, bool relu, bool together) {
  const Dtype dtype = p.x.dtype();
  Tensors out{Problem::unwritten(p.g.x_shape(), dtype), Problem::unwritten(p.gamma.shape(), dtype),
              Problem::unwritten(p.gamma.shape(), dtype), Problem::unwritten(p.g.w_shape(), dtype)};
  const BatchNormBackward norm{p.x, p.gamma, p.beta, p.mean, p.inv_std, out[0], relu, nullptr, true};
  if (together)
    backend().conv2d_gradients(p.g, p.x, p.w, p.dy, {out[0], out[3], &norm, &out[1], &out[2]});
  else
    backend().Backend::conv2d_gradients(p.g, p.x, p.w, p.dy, {out[0], out[3], &norm, &out[1], &out[2]});
  return out;
}

double largest(const Tensor& t) {
  double most = 0;
  for (double v : values_of(t)) most = std::max(most, std::fabs(v));
  return most;
}

}  // namespace

TEST_CASE("conv2d_gradients of a norm: what the calls one by one give, for any number of threads") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    for (Dtype dtype : kBothDtypes) {
      if (dtype == Dtype::f64 && c.x.elements() > 20000) continue;  // plain loops
      const Problem p(c, dtype);
      for_kernels([&] {
        for (bool relu : {false, true}) {
          CAPTURE(relu);
          const Tensors want = all_gradients(p, relu, false), one = all_gradients(p, relu, true);
          CHECK(same_bits(one[3], want[3]));  // dw
          // The sums over pixels are formed in other pieces. A sum's terms cancel: dy is the scale of its
          // error.
          const double pixels = static_cast<double>(p.x.elements() / p.g.in_c);
          const double scale = largest(want[0]) + largest(p.dy);
          CHECK(largest_error(one[0], values_of(want[0])) < 10 * tolerance(dtype) * (1 + scale));
          for (std::size_t i : {1, 2})
            CHECK(largest_error(one[i], values_of(want[i]), pixels) < 10 * tolerance(dtype) * (1 + scale));
          const WithThreads with(3);
          const Tensors three = all_gradients(p, relu, true);
          for (std::size_t i = 0; i < 4; ++i) CHECK(same_bits(three[i], one[i]));
        }
      });
    }
  }
}

TEST_CASE("the moments formed beside a convolution are those of its result") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    for (Dtype dtype : kBothDtypes) {
      if (dtype == Dtype::f64 && c.x.elements() > 20000) continue;
      Problem p(c, dtype);
      for (bool far : {false, true}) {  // a mean that is large beside the deviation
        CAPTURE(far);
        if (far) p.x = binary(BinaryOp::add, p.x, Tensor::full({}, 30, dtype));
        const auto of_result = [&](bool norm, Tensor& y) {
          Moments m{Problem::unwritten({p.g.out_c}, dtype), Problem::unwritten({p.g.out_c}, dtype)};
          const BatchNormForward f = p.norm(true);
          backend().conv2d({p.g, norm ? &f : nullptr, &m}, p.x, p.w, y);
          return m;
        };
        for_kernels([&] {
          for (bool norm : {false, true}) {
            CAPTURE(norm);
            Tensor y = Problem::unwritten(p.g.y_shape(), dtype), plain = y.clone(), again = y.clone();
            const Moments m = of_result(norm, y);
            const BatchNormForward f = p.norm(true);
            backend().conv2d({p.g, norm ? &f : nullptr}, p.x, p.w, plain);
            CHECK(same_bits(y, plain));
            const Values v = values_of(y);
            const std::size_t channels = static_cast<std::size_t>(p.g.out_c);
            Values mean(channels), var(channels), most(channels);
            const double pixels = static_cast<double>(v.size() / channels);
            for (std::size_t i = 0; i < v.size(); ++i) mean[i % channels] += v[i] / pixels;
            for (std::size_t i = 0; i < v.size(); ++i) {
              const double d = v[i] - mean[i % channels];
              var[i % channels] += d * d / pixels;
              most[i % channels] = std::max(most[i % channels], d * d);
            }
            const Values got_mean = values_of(m.mean), got_var = values_of(m.var);
            for (std::size_t k = 0; k < channels; ++k) {
              CHECK(std::fabs(got_mean[k] - mean[k]) <=
                    2 * tolerance(dtype) * (std::fabs(mean[k]) + std::sqrt(var[k])));
              // A part's center is one of its pixels: what cancels is its distance from the mean.
              CHECK(std::fabs(got_var[k] - var[k]) <= 4 * tolerance(dtype) * (var[k] + most[k]) + 1e-30);
            }
            const WithThreads with(3);
            const Moments three = of_result(norm, again);
            CHECK(same_bits(three.mean, m.mean));
            CHECK(same_bits(three.var, m.var));
          }
        });
      }
    }
  }
}
