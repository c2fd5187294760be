// Every op on the test device: the CPU's bits at first and second order, and nothing read by the host.
#include <doctest/doctest.h>

#include <cstring>

#include "autograd/check/op_cases.h"
#include "autograd/ops/ops.h"
#include "core/parallel.h"
#include "tests/autograd/derivatives.h"
#include "tests/device/test_device.h"

using namespace basin;
using basin::testing::all_derivatives, basin::testing::host_reads, basin::testing::test_device;

namespace {

Tensors on(Device device, const Tensors& tensors) {
  Tensors moved;
  for (const Tensor& t : tensors) moved.push_back(t.to(device));
  return moved;
}

bool same_bits(const Tensor& x, const Tensor& y) {
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         (x.bytes() == 0 || std::memcmp(x.raw(), y.raw(), x.bytes()) == 0);
}

}  // namespace

TEST_CASE("test device: every row of the table of ops has the CPU's bits, orders 1 and 2, f32 and f64") {
  const WithThreads one(1);
  int instances = 0;
  for (const OpCase& op : op_cases())
    for (const OpInstance& instance : op.instances)
      for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
        Tensors inputs;
        for (const Tensor& t : instance.inputs) inputs.push_back(t.to(dtype));
        const Tensors here = all_derivatives(instance.function, inputs);
        const Tensors moved = on(test_device(), inputs);
        const std::int64_t before = host_reads();
        const Tensors there = all_derivatives(instance.function, moved);
        CHECK_MESSAGE(host_reads() == before, op.name, ", ", instance.label, ": read by the host");
        REQUIRE(there.size() == here.size());
        for (std::size_t i = 0; i < here.size(); ++i) {
          CHECK_MESSAGE(there[i].device() == test_device(), op.name, ", ", instance.label, ", result ", i);
          CHECK_MESSAGE(same_bits(there[i].to(Device{}), here[i]), op.name, ", ", instance.label, ", ", dtype,
                        ", result ", i);
        }
        ++instances;
      }
  CHECK(instances > 400);
}

TEST_CASE("test device: labels of a device are not looked at, those of the host are") {
  const Tensor logits = Tensor::zeros({2, 3}), labels = Tensor::from(std::vector<std::int64_t>{0, 3});
  CHECK_THROWS_AS(cross_entropy(logits, labels), ArgumentError);
  CHECK_THROWS_AS(cross_entropy(logits.to(test_device()), labels), ArgumentError);
}
