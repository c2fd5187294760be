// Every op of the table on the card, at first and second order, against the CPU's numbers; none is read by
// the host on the way.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/check/op_cases.h"
#include "autograd/ops/ops.h"
#include "tests/autograd/derivatives.h"
#include "tests/cuda/device.h"

using namespace basin;
using basin::testing::all_derivatives, basin::testing::cuda_device;

namespace {

/// The largest difference of two results, in units of the larger of 1 and the largest number.
double difference(const Tensor& x, const Tensor& y) {
  const std::vector<double> a = x.to_vector<double>(), b = y.to_vector<double>();
  double size = 1, gap = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    size = std::max(size, std::abs(b[i]));
    gap = std::max(
        gap, std::isnan(a[i] - b[i]) && a[i] != b[i] ? HUGE_VAL : std::abs(a[i] == b[i] ? 0 : a[i] - b[i]));
  }
  return gap / size;
}

}  // namespace

TEST_CASE("ops: every row of the table has the CPU's numbers, orders 1 and 2, f32 and f64") {
  int instances = 0;
  for (const OpCase& op : op_cases())
    for (const OpInstance& instance : op.instances)
      for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
        Tensors inputs, moved;
        for (const Tensor& t : instance.inputs) {
          inputs.push_back(t.to(dtype));
          moved.push_back(inputs.back().to(cuda_device()));
        }
        const Tensors here = all_derivatives(instance.function, inputs);
        const Tensors there = all_derivatives(instance.function, moved);
        REQUIRE(there.size() == here.size());
        for (std::size_t i = 0; i < here.size(); ++i) {
          CHECK(there[i].device() == cuda_device());
          CHECK(there[i].shape() == here[i].shape());
          const double gap = difference(there[i].to(Device{}), here[i]);
          CHECK_MESSAGE(gap < (dtype == Dtype::f64 ? 1e-12 : 1e-5), op.name, ", ", instance.label, ", ",
                        name_of(dtype), ", result ", i, ": ", gap);
        }
        ++instances;
      }
  CHECK(instances > 400);
}
