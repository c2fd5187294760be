// Every op's value against a slow loop, in f64 and f32; every op has such a case.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/check/op_cases.h"
#include "tests/autograd/naive.h"

using namespace basin;

namespace {

void check_values(const std::vector<ValueCase>& cases) {
  for (const ValueCase& c : cases)
    for (Dtype dtype : {Dtype::f64, Dtype::f32}) {
      CAPTURE(c.op);
      CAPTURE(std::string(name_of(dtype)));
      Variables inputs;
      for (const Tensor& t : c.inputs) inputs.emplace_back(t.to(dtype));
      const Tensor value = c.function(inputs).value();
      CHECK(value.dtype() == dtype);
      REQUIRE(value.shape() == c.expected.shape);
      double largest = 0, error = 0;
      const std::vector<double> got = value.to_vector<double>();
      for (std::size_t i = 0; i < got.size(); ++i) {
        largest = std::max(largest, std::abs(c.expected.values[i]));
        error = std::max(error, std::abs(got[i] - c.expected.values[i]));
      }
      CHECK(error <= (dtype == Dtype::f64 ? 1e-13 : 4e-6) * (largest + 1e-2));
    }
}

}  // namespace

TEST_CASE("values of elementwise ops") { check_values(elementwise_values()); }
TEST_CASE("values of reductions, shaping, indexing") { check_values(shaping_values()); }
TEST_CASE("values of products, convolution, pooling, normalisation, losses") {
  check_values(network_values());
}

TEST_CASE("every op of the table has a value case") {
  std::set<std::string> covered;
  for (const auto& group : {elementwise_values(), shaping_values(), network_values()})
    for (const ValueCase& c : group) covered.insert(c.op);
  for (const OpCase& op : op_cases()) CHECK_MESSAGE(covered.count(op.name) == 1, op.name);
}
