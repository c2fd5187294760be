// Every op on the test device: the CPU's bits at first and second order, and nothing read by the host.
#include <doctest/doctest.h>

#include <cstring>

#include "autograd/check/op_cases.h"
#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/parallel.h"
#include "core/random.h"
#include "tests/device/test_device.h"

using namespace basin;
using basin::testing::host_reads, basin::testing::test_device;

namespace {

/// Numbers of its own for each entry, the same everywhere.
Tensor probe(const Tensor& like, std::uint64_t which) {
  Random random(7, Stream::probe, which);
  std::vector<double> values(static_cast<std::size_t>(like.elements()));
  for (double& v : values) v = random.normal();
  return Tensor::from(values, like.shape()).to(like.dtype()).to(like.device());
}

/// The value, the gradients by the kernels, the gradients by their meaning, and the derivatives of a number
/// made of those: of f's inputs and of the cotangent.
Tensors derivatives(const Function& f, const Tensors& inputs) {
  Variables x;
  for (const Tensor& t : inputs) x.push_back(Variable::parameter(t));
  const Variable y = f(x);
  Tensors all{y.value()};
  const Variable u = Variable::parameter(probe(y.value(), 0));
  for (const Tensor& g : gradients(y, x, {.cotangent = u.value(), .keep_graph = true})) all.push_back(g);
  const Variables g = differentiable_gradients(y, x, u);
  Variables v;
  for (std::size_t i = 0; i < g.size(); ++i) {
    all.push_back(g[i].value());
    v.push_back(probe(g[i].value(), i + 1));
  }
  const Variable contracted = dot(g, v);
  if (contracted.tracked()) {
    Variables wrt = x;
    wrt.push_back(u);
    for (const Tensor& h : gradients(contracted, wrt)) all.push_back(h);
  }
  return all;
}

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
        const Tensors here = derivatives(instance.function, inputs);
        const Tensors moved = on(test_device(), inputs);
        const std::int64_t before = host_reads();
        const Tensors there = derivatives(instance.function, moved);
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
