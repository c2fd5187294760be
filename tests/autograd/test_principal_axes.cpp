// Principal axes: worked numbers, and what is done where there are fewer than were asked for.
#include "autograd/curvature/principal_axes.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"

using namespace basin;
using doctest::Approx;

namespace {

Tensors rows() {
  Tensors all;
  for (const std::vector<double>& row :
       std::vector<std::vector<double>>{{4, 0, 0}, {3, 1, 0}, {1, 1, 0}, {0, 0, 0}})
    all.push_back(Tensor::from(row));
  return all;
}

void check_equal(const Tensor& x, const std::vector<double>& wanted) {
  const auto numbers = x.to_vector<double>();
  REQUIRE(numbers.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(numbers[i] == Approx(wanted[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("5.6.6 principal axes of centred rows") {
  const PrincipalAxes found = principal_axes(rows(), 2);
  REQUIRE(found.axes.size() == 2);
  check_equal(found.axes[0], {1, 0, 0});
  check_equal(found.axes[1], {0, -1, 0});  // along which the first row, as far out as any, lies at 0.5
  const std::vector<double> along = {2, 1, -1, -2};
  for (std::size_t i = 0; i < 4; ++i) CHECK(found.places[0][i] == Approx(along[i]));
  CHECK(found.explained[0] == Approx(0.9090909).epsilon(1e-7));
  CHECK(found.explained[1] == Approx(0.0909091).epsilon(1e-6));
}

TEST_CASE("5.6.6 principal axes of rows as they are have other shares, and are turned") {
  const PrincipalAxes found = principal_axes(rows(), 2, /*centred=*/false);
  REQUIRE(found.axes.size() == 2);
  CHECK(found.explained[0] == Approx(0.951754).epsilon(1e-6));
  CHECK(found.explained[1] == Approx(0.048246).epsilon(1e-4));
  CHECK(std::abs(found.axes[0].to_vector<double>()[1]) > 0.1);
  CHECK(dot(found.axes[0], found.axes[1]).value() == Approx(0));
  CHECK(norm(found.axes[1]).value() == Approx(1));
}

TEST_CASE("rows that span a line have one principal axis") {
  const Tensors line = {Tensor::from<float>({1, 1}), Tensor::from<float>({3, 3}),
                        Tensor::from<float>({0, 0})};
  CHECK(principal_axes(line, 2).axes.size() == 1);
  CHECK(principal_axes({line[0], line[0]}, 2).axes.empty());
}
