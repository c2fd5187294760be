// How exact the f32 convolutions are: every algorithm and pass on the numbers of a network, against f64.
#include <algorithm>
#include <initializer_list>

#include "core/cpu/conv/gemm.h"
#include "core/cpu/conv/winograd/winograd.h"
#include "core/cpu/convolution.h"
#include "core/random.h"
#include "tests/core/conv_errors.h"

namespace {

using namespace kernel_testing;
using basin::ConvAlgorithm;
using basin::ConvGeometry;

ConvGeometry geometry(Index batch, Index size, Index in_c, Index out_c) {
  ConvGeometry g;
  g.batch = batch, g.in_h = g.in_w = g.out_h = g.out_w = size, g.in_c = in_c, g.out_c = out_c;
  g.kernel_h = g.kernel_w = 3, g.pad_h = g.pad_w = 1;
  return g;
}

// Normal numbers, in f64 and the same in f32.
struct Numbers {
  std::vector<double> wide;
  std::vector<float> narrow;

  Numbers(Index count, std::uint64_t seed, double deviation) {
    basin::Random random(seed, basin::Stream::user);
    for (Index i = 0; i < count; ++i) wide.push_back(deviation * random.normal());
    round();
  }
  Numbers& relu() {
    for (double& value : wide) value = std::max(value, 0.0);
    round();
    return *this;
  }
  void round() {
    narrow.assign(wide.begin(), wide.end());
    wide.assign(narrow.begin(), narrow.end());
  }
};

// The three passes of a convolution on x and dy, with weights that keep the variance of what they see.
struct Problem {
  ConvGeometry g;
  Numbers x, dy, w;
  std::vector<double> y, dx, dw;  // exact

  Problem(const ConvGeometry& geometry, const Numbers& input, const Numbers& output_grad)
      : g(geometry),
        x(input),
        dy(output_grad),
        w(g.w_shape().elements(), 2, std::sqrt(2.0 / static_cast<double>(9 * g.in_c))),
        y(dy.wide.size()),
        dx(x.wide.size()),
        dw(w.wide.size()) {
    basin::cpu::conv2d(g, x.wide.data(), w.wide.data(), y.data());
    basin::cpu::conv2d_input_grad(g, dy.wide.data(), w.wide.data(), dx.data());
    basin::cpu::conv2d_weight_grad(g, x.wide.data(), dy.wide.data(), dw.data());
  }

  struct Errors {
    double y, dx, dw;
  };
  Errors errors() const {
    Result<float> got_y(g.y_shape().elements()), got_dx(g.x_shape().elements()),
        got_dw(g.w_shape().elements());
    basin::cpu::conv2d(g, x.narrow.data(), w.narrow.data(), got_y.data());
    basin::cpu::conv2d_input_grad(g, dy.narrow.data(), w.narrow.data(), got_dx.data());
    basin::cpu::conv2d_weight_grad(g, x.narrow.data(), dy.narrow.data(), got_dw.data());
    return {relative_error(got_y, y), relative_error(got_dx, dx), relative_error(got_dw, dw)};
  }
};

// Calls body(bounds) under every algorithm and instruction set.
template <class Body>
void everywhere(const ConvGeometry& g, Body body) {
  for (const std::string& set : basin::cpu::instruction_sets()) {
    CAPTURE(set);
    const WithInstructionSet with_set(set);
    for (ConvAlgorithm algorithm :
         {ConvAlgorithm::direct, ConvAlgorithm::winograd2, ConvAlgorithm::winograd4}) {
      const std::string name = basin::name_of(algorithm);
      CAPTURE(name);
      const basin::WithConvAlgorithm with(algorithm);
      REQUIRE((basin::cpu::winograd_tile(algorithm, g) != nullptr) == (algorithm != ConvAlgorithm::direct));
      body(most_errors(algorithm));
    }
  }
}

}  // namespace

TEST_CASE("conv2d: the rounding errors of every algorithm and pass at 16, 64 and 256 channels") {
  const ConvGeometry shapes[] = {geometry(4, 32, 16, 16), geometry(4, 16, 64, 64), geometry(2, 8, 256, 256)};
  for (int i = 0; i < 3; ++i) {
    const ConvGeometry& g = shapes[i];
    const Problem problem(g, Numbers(g.x_shape().elements(), 1, 1).relu(),
                          Numbers(g.y_shape().elements(), 3, 1));
    CAPTURE(g.in_c);
    everywhere(g, [&](const ConvErrors& most) {
      const Problem::Errors got = problem.errors();
      CHECK(got.y <= most.output[i]);
      CHECK(got.dx <= most.output[i]);
      CHECK(got.dw <= most.weight_grad);
    });
  }
}

TEST_CASE("conv2d: the rounding errors of weight gradients over many images, of numbers of mean zero") {
  for (const ConvGeometry& g : {geometry(32, 32, 16, 16), geometry(16, 32, 64, 16)}) {
    const Problem problem(g, Numbers(g.x_shape().elements(), 1, 1), Numbers(g.y_shape().elements(), 3, 1));
    CAPTURE(g.in_c);
    everywhere(g, [&](const ConvErrors& most) { CHECK(problem.errors().dw <= most.weight_grad); });
  }
}
