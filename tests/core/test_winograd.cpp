// Winograd's convolution and its two gradients against naive loops in f64, on shapes that cut tiles, vectors
// and panels everywhere; threads and the batch around an image do not show in the bits.
#include <algorithm>
#include <initializer_list>

#include "core/cpu/conv/winograd/winograd.h"
#include "core/cpu/convolution.h"
#include "core/error.h"
#include "tests/core/conv_errors.h"

namespace {

using namespace kernel_testing;
using basin::ConvAlgorithm;
using basin::ConvGeometry;
using basin::WithConvAlgorithm;
using basin::cpu::WinogradTile;

struct Case {
  Index batch, h, w, in_c, out_c, pad_h = 1, pad_w = 1;

  ConvGeometry geometry() const {
    ConvGeometry g;
    g.batch = batch, g.in_h = h, g.in_w = w, g.in_c = in_c, g.out_c = out_c;
    g.kernel_h = g.kernel_w = 3, g.pad_h = pad_h, g.pad_w = pad_w;
    g.out_h = h + 2 * pad_h - 2, g.out_w = w + 2 * pad_w - 2;
    return g;
  }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "x {" << c.batch << "," << c.h << "," << c.w << "," << c.in_c << "} -> " << c.out_c
             << ", pad " << c.pad_h << "x" << c.pad_w;
}

struct Algorithm {
  ConvAlgorithm name;
  const WinogradTile& tile() const {
    const basin::cpu::WinogradKernels& all = basin::cpu::winograd_kernels();
    return name == ConvAlgorithm::winograd2 ? all.two : all.four;
  }
};

// Random numbers in f32 and the three members of the triangle.
struct Problem {
  ConvGeometry g;
  std::vector<float> x, w, dy;

  explicit Problem(const Case& c)
      : g(c.geometry()),
        x(numbers<float>(g.x_shape().elements(), 1)),
        w(numbers<float>(g.w_shape().elements(), 2)),
        dy(numbers<float>(g.y_shape().elements(), 3)) {}

  Result<float> forward(const WinogradTile& tile) const {
    Result<float> y(g.y_shape().elements());
    basin::cpu::winograd_conv2d(tile, g, x.data(), w.data(), y.data());
    return y;
  }
  Result<float> input_grad(const WinogradTile& tile) const {
    Result<float> dx(g.x_shape().elements());
    basin::cpu::winograd_input_grad(tile, g, dy.data(), w.data(), dx.data());
    return dx;
  }
  Result<float> weight_grad(const WinogradTile& tile) const {
    Result<float> dw(g.w_shape().elements());
    basin::cpu::winograd_weight_grad(tile, g, x.data(), dy.data(), dw.data());
    return dw;
  }
};

// The same in f64, by the plain loops.
struct Reference {
  std::vector<double> y, dx, dw;

  explicit Reference(const Problem& p) : y(p.dy.size()), dx(p.x.size()), dw(p.w.size()) {
    const std::vector<double> x(p.x.begin(), p.x.end()), w(p.w.begin(), p.w.end()),
        dy(p.dy.begin(), p.dy.end());
    basin::cpu::conv2d(p.g, x.data(), w.data(), y.data());
    basin::cpu::conv2d_input_grad(p.g, dy.data(), w.data(), dx.data());
    basin::cpu::conv2d_weight_grad(p.g, x.data(), dy.data(), dw.data());
  }
};

// Relative L2 errors of these cases, with few terms to sum or many, on numbers that are not normal: twice
// what normal ones may have.
struct Tolerances {
  double forward, weight_grad;
};
Tolerances tolerances(ConvAlgorithm algorithm) {
  const ConvErrors most = most_errors(algorithm);
  return {2 * most.output[2], 2 * most.weight_grad};
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> list;
    // Channel counts around the vector and panel widths.
    for (Index in_c : {1, 3, 4, 16, 17, 35, 37, 64})
      for (Index out_c : {1, 3, 4, 16, 17, 35, 37, 64}) list.push_back({2, 5, 7, in_c, out_c});
    // Sizes and paddings: whole tiles, ragged ones, images smaller than a tile or than the kernel.
    for (Index h : {1, 2, 3, 4, 5, 7, 8, 14, 28, 32, 33})
      for (Index w : {1, 4, 7, 14, 33})
        for (Index pad : {0, 1, 2})
          if (h + 2 * pad >= 3 && w + 2 * pad >= 3) list.push_back({1, h, w, 4, 18, pad, pad});
    for (Index batch = 1; batch <= 5; ++batch) list.push_back({batch, 8, 8, 16, 16});
    list.push_back({2, 9, 6, 5, 20, 0, 2});
    list.push_back({2, 6, 11, 20, 5, 2, 1});
    // Many strips; partial sums; so many weights that the threads share the points.
    list.push_back({70, 8, 8, 16, 17});
    list.push_back({40, 4, 4, 35, 37});
    list.push_back({19, 7, 7, 64, 64});
    list.push_back({2, 5, 5, 180, 170});
    list.push_back({1, 190, 190, 8, 16});
    list.push_back({9, 66, 66, 9, 8});
    return list;
  }();
  return all;
}

}  // namespace

TEST_CASE("winograd: forward and gradients against naive loops, every instruction set") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c);
    const Reference want(problem);
    for (const std::string& set : basin::cpu::instruction_sets()) {
      CAPTURE(set);
      const WithInstructionSet with(set);
      for (const Algorithm algorithm :
           {Algorithm{ConvAlgorithm::winograd2}, Algorithm{ConvAlgorithm::winograd4}}) {
        const WinogradTile& tile = algorithm.tile();
        const Tolerances most = tolerances(algorithm.name);
        CAPTURE(tile.outputs);
        CHECK(relative_error(problem.forward(tile), want.y) <= most.forward);
        CHECK(relative_error(problem.input_grad(tile), want.dx) <= most.forward);
        CHECK(relative_error(problem.weight_grad(tile), want.dw) <= most.weight_grad);
      }
    }
  }
}

TEST_CASE("winograd: the same bits for any number of threads, and for AVX2 as for AVX-512") {
  for (const Case& c : {Case{37, 8, 8, 35, 37}, Case{3, 33, 40, 16, 16}, Case{70, 9, 9, 24, 64},
                        Case{40, 16, 16, 16, 16}, Case{9, 8, 8, 176, 180}}) {
    CAPTURE(c);
    const Problem problem(c);
    for (const Algorithm algorithm :
         {Algorithm{ConvAlgorithm::winograd2}, Algorithm{ConvAlgorithm::winograd4}}) {
      const WithThreads one(1);
      const Result<float> y = problem.forward(algorithm.tile()), dx = problem.input_grad(algorithm.tile()),
                          dw = problem.weight_grad(algorithm.tile());
      const auto check_same = [&] {
        CHECK(same_bits(problem.forward(algorithm.tile()), y));
        CHECK(same_bits(problem.input_grad(algorithm.tile()), dx));
        CHECK(same_bits(problem.weight_grad(algorithm.tile()), dw));
      };
      for (int threads : {2, 3, 4}) {
        CAPTURE(threads);
        const WithThreads with(threads);
        check_same();
      }
      if (std::string(basin::cpu::instruction_set()) == "avx512") {
        const WithInstructionSet avx2("avx2");
        check_same();
      }
    }
  }
}

TEST_CASE("winograd: an image's result does not depend on the batch around it") {
  for (Case c :
       {Case{70, 8, 8, 17, 20}, Case{40, 7, 5, 16, 70}, Case{33, 20, 20, 9, 16}, Case{20, 8, 8, 180, 170}}) {
    CAPTURE(c);
    const Problem all(c);
    const Index batch = c.batch;
    for (const Algorithm algorithm :
         {Algorithm{ConvAlgorithm::winograd2}, Algorithm{ConvAlgorithm::winograd4}}) {
      const WinogradTile& tile = algorithm.tile();
      const Result<float> y = all.forward(tile), dx = all.input_grad(tile);
      const Index y_size = y.size() / batch, x_size = dx.size() / batch;
      for (Index first : {Index{0}, Index{3}, batch - 5}) {
        for (Index count : {1, 2, 5}) {
          c.batch = count;
          Problem some(c);
          some.w = all.w;
          std::copy_n(all.x.begin() + first * x_size, count * x_size, some.x.begin());
          std::copy_n(all.dy.begin() + first * y_size, count * y_size, some.dy.begin());
          const Result<float> some_y = some.forward(tile), some_dx = some.input_grad(tile);
          CHECK(std::equal(some_y.data(), some_y.data() + count * y_size, y.data() + first * y_size));
          CHECK(std::equal(some_dx.data(), some_dx.data() + count * x_size, dx.data() + first * x_size));
        }
      }
    }
  }
}

TEST_CASE("conv_algorithm: direct is the default, a setting ends with its scope, names go both ways") {
  CHECK(basin::conv_algorithm() == ConvAlgorithm::direct);
  {
    const WithConvAlgorithm four(ConvAlgorithm::winograd4);
    CHECK(basin::conv_algorithm() == ConvAlgorithm::winograd4);
    {
      const WithConvAlgorithm two(ConvAlgorithm::winograd2);
      CHECK(basin::conv_algorithm() == ConvAlgorithm::winograd2);
    }
    CHECK(basin::conv_algorithm() == ConvAlgorithm::winograd4);
  }
  CHECK(basin::conv_algorithm() == ConvAlgorithm::direct);
}

TEST_CASE(
    "conv_algorithm: conv2d and its gradients follow it where Winograd pays, and are direct elsewhere") {
  // The three passes of kernels.h one after the other.
  const auto passes = [](const Problem& p) {
    std::vector<float> all(p.dy.size() + p.x.size() + p.w.size());
    float* y = all.data();
    float* dx = y + p.dy.size();
    basin::cpu::conv2d(p.g, p.x.data(), p.w.data(), y);
    basin::cpu::conv2d_input_grad(p.g, p.dy.data(), p.w.data(), dx);
    basin::cpu::conv2d_weight_grad(p.g, p.x.data(), p.dy.data(), dx + p.x.size());
    return all;
  };
  const auto under = [&](ConvAlgorithm algorithm, const Problem& p) {
    const WithConvAlgorithm with(algorithm);
    return passes(p);
  };
  const auto pays = [](ConvAlgorithm algorithm, const ConvGeometry& g) {
    return basin::cpu::winograd_tile(algorithm, g) != nullptr;
  };

  const Problem problem(Case{3, 8, 8, 16, 17});
  const std::vector<float> direct = passes(problem);
  CHECK(under(ConvAlgorithm::direct, problem) == direct);
  for (const Algorithm algorithm :
       {Algorithm{ConvAlgorithm::winograd2}, Algorithm{ConvAlgorithm::winograd4}}) {
    const std::vector<float> got = under(algorithm.name, problem);
    const Result<float> y = problem.forward(algorithm.tile()), dx = problem.input_grad(algorithm.tile()),
                        dw = problem.weight_grad(algorithm.tile());
    std::vector<float> want(y.data(), y.data() + y.size());
    want.insert(want.end(), dx.data(), dx.data() + dx.size());
    want.insert(want.end(), dw.data(), dw.data() + dw.size());
    CHECK(got == want);
    CHECK(got != direct);
    CHECK(passes(problem) == direct);
  }

  ConvGeometry strided = Case{2, 9, 9, 16, 16}.geometry(), grouped = Case{2, 8, 8, 16, 16}.geometry(),
               wide_pad = Case{2, 8, 8, 16, 16, 3, 3}.geometry(), five = Case{2, 8, 8, 16, 16}.geometry();
  strided.stride_h = strided.stride_w = 2, strided.out_h = strided.out_w = 5;
  grouped.groups = 2;
  five.kernel_h = five.kernel_w = 5, five.pad_h = five.pad_w = 2;
  for (const ConvGeometry& g : {strided, grouped, wide_pad, five, Case{2, 32, 32, 3, 16}.geometry(),
                                Case{2, 5, 5, 64, 64}.geometry(), Case{2, 2, 2, 64, 64, 0, 1}.geometry()}) {
    CHECK_FALSE(pays(ConvAlgorithm::winograd4, g));
    CHECK_FALSE(pays(ConvAlgorithm::direct, g));
  }
  const Problem small(Case{2, 5, 5, 16, 16});
  CHECK(under(ConvAlgorithm::winograd4, small) == passes(small));
  for (Index size : {7, 8, 14, 28, 32, 33}) {
    CHECK(pays(ConvAlgorithm::winograd4, Case{2, size, size, 16, 16}.geometry()));
    CHECK_FALSE(pays(ConvAlgorithm::direct, Case{2, size, size, 16, 16}.geometry()));
  }

  // f64 is what the others are measured against.
  const std::vector<double> x(problem.x.begin(), problem.x.end()), w(problem.w.begin(), problem.w.end());
  std::vector<double> y(problem.dy.size()), same(problem.dy.size());
  basin::cpu::conv2d(problem.g, x.data(), w.data(), y.data());
  const WithConvAlgorithm four(ConvAlgorithm::winograd4);
  basin::cpu::conv2d(problem.g, x.data(), w.data(), same.data());
  CHECK(same == y);
}
