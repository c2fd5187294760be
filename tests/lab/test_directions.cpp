// Directions through the space of weights: their length, their draws, the axes of a plane.
#include "apps/lab/landscape/directions.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "tests/apps/calls.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;
using doctest::Approx;

namespace {

/// A linear layer's matrix and bias, a convolution, a norm's scale; in f64.
struct Net {
  Variable matrix, bias, kernel, scale;

  void describe(Inventory& it) {
    it.parameter("fc.weight", matrix);
    it.parameter("fc.bias", bias, ParameterRole::bias);
    it.parameter("conv.weight", kernel, ParameterRole::weight, ParameterLayout::convolution);
    it.parameter("bn.weight", scale, ParameterRole::norm_weight);
  }
};

Variable parameter(const std::vector<double>& numbers, const Shape& shape) {
  return Variable::parameter(Tensor::from(numbers, shape));
}

/// The kernel is {1,1,2,2}: filter o has numbers o and o + 2.
Net net() {
  return {parameter({3, 4, 0, 2}, {2, 2}), parameter({5, 6}, {2}), parameter({3, 0, 4, 0}, {1, 1, 2, 2}),
          parameter({1, 2}, {2})};
}

}  // namespace

TEST_CASE("5.6.1 a filter-normalised direction is as long as the weights, filter by filter") {
  Net own = net();
  const auto w = optim::ParameterVector::of(own);
  const Tensor d = Tensor::from<double>({1, 0, 1, 1, 9, 9, 1, 1, 0, 1, 9, 9});
  const auto filter = normalised(d, w, {}).to_vector<double>();
  const double diagonal = std::sqrt(2.0);
  const std::vector<double> wanted = {5, 0, diagonal, diagonal, 0, 0, 5, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(filter[i] == Approx(wanted[i]));

  const auto layer = normalised(d, w, {.normalise = Normalise::layer}).to_vector<double>();
  for (const std::size_t i : {0, 2, 3}) CHECK(layer[i] == Approx(3.1091264));
  CHECK(layer[4] == 0);

  const auto biases = normalised(d, w, {.biases = true}).to_vector<double>();
  CHECK(std::hypot(biases[4], biases[5]) == Approx(std::hypot(5, 6)));
  CHECK(std::hypot(biases[10], biases[11]) == Approx(std::hypot(1, 2)));

  const auto as_drawn = normalised(d, w, {.normalise = Normalise::none}).to_vector<double>();
  CHECK(as_drawn == std::vector<double>{1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0});
}

TEST_CASE("5.6.1 a filter of zeros gets a direction of zeros, and so does a direction of zeros") {
  Net own = net();
  const auto w = optim::ParameterVector::of(own);
  const Tensor nothing = Tensor::zeros({12}, Dtype::f64);
  for (const double number : normalised(nothing, w, {.biases = true}).to_vector<double>()) CHECK(number == 0);
  // The second filter of the kernel is 0.
  const auto d = normalised(Tensor::full({12}, 1, Dtype::f64), w, {}).to_vector<double>();
  CHECK(d[7] == 0);
  CHECK(d[9] == 0);
  CHECK(std::hypot(d[6], d[8]) == Approx(5));
}

TEST_CASE("draws belong to a parameter's name, a seed and a number") {
  struct Part {
    Variable first, kernel;
    void describe(Inventory& it) {
      it.parameter("other", first);
      it.parameter("conv.weight", kernel, ParameterRole::weight, ParameterLayout::convolution);
    }
  };
  Net whole = net();
  Part part{parameter({1, 2, 3}, {3}), parameter({1, 2, 3, 4}, {1, 1, 2, 2})};
  const auto w = optim::ParameterVector::of(whole), v = optim::ParameterVector::of(part);
  const auto in_whole = gaussian_direction(w, 1, 0).to_vector<double>();
  const auto in_part = gaussian_direction(v, 1, 0).to_vector<double>();
  for (std::size_t i = 0; i < 4; ++i) CHECK(in_whole[6 + i] == in_part[3 + i]);
  CHECK(gaussian_direction(w, 2, 0).to_vector<double>() != in_whole);
  CHECK(gaussian_direction(w, 1, 1).to_vector<double>() != in_whole);
}

TEST_CASE("5.4 the plane through three solutions") {
  const Tensor a = Tensor::from<double>({0, 0, 0}), b = Tensor::from<double>({2, 0, 0}),
               c = Tensor::from<double>({1, 1, 1});
  const PlaneAxes axes = plane_through(a, b, c);
  const double half = 1 / std::sqrt(2.0);
  CHECK(axes.u.to_vector<double>() == std::vector<double>{1, 0, 0});
  const auto v = axes.v.to_vector<double>();
  CHECK(v[0] == Approx(0));
  CHECK(v[1] == Approx(half));
  CHECK(v[2] == Approx(half));
  CHECK(axes.b_x == 2);
  CHECK(axes.c_x == 1);
  CHECK(axes.c_y == Approx(std::sqrt(2.0)));

  const Projection above = project(Tensor::from<double>({1, 3, 1}), a, axes.u, axes.v);
  CHECK(above.x == Approx(1));
  CHECK(above.y == Approx(4 * half));
  CHECK(above.distance == Approx(2 * half));
  CHECK(failure([&] {
          plane_through(a, b, Tensor::from<double>({5, 0, 0}));
        }) == "2: the three solutions lie on one line, which no plane is of: name others");
  CHECK(failure([&] { plane_through(a, a, c); }).starts_with("2: the three solutions lie on one line"));
}
