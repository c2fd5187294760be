// A whole model on a device: its parameters in one buffer there, its buffers beside them, its files.
#include <doctest/doctest.h>

#include "autograd/named_tensors.h"
#include "core/io/files.h"
#include "optim/gradient/sam.h"
#include "tests/core/temporary_directory.h"
#include "tests/device/test_device.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

using basin::testing::host_reads, basin::testing::test_device;

/// A convolution, batch normalisation, a linear layer: every kind of tensor that a model has.
struct Net : nn::Module {
  nn::Conv2d conv;
  nn::BatchNorm2d norm;
  nn::Linear fc;
  explicit Net(nn::Initializer init = nn::Initializer(1))
      : conv({.in = 2, .out = 4, .bias = true}, init), norm(4, init), fc(4, 3, init) {}
  void describe(Inventory& it) override { it.children("conv", conv, "norm", norm, "fc", fc); }
  Variable forward(const Variable& x, nn::Context& ctx) override {
    return fc(global_avg_pool(relu(norm(conv(x, ctx), ctx))), ctx);
  }
};

Tensor images() {
  Tensor x = Tensor::empty({6, 5, 5, 2});
  for (Index i = 0; i < x.elements(); ++i)
    x.mutable_data<float>()[i] = static_cast<float>((i * 37) % 101) / 50;
  return x;
}

void expect_all_on(Device device, Net& net) {
  const Entries all = entries_of(net);
  CHECK(all.parameters.size() == 6);
  CHECK(all.buffers.size() == 3);
  for (const NamedParameter& p : all.parameters)
    CHECK_MESSAGE(p.parameter->value().device() == device, p.name);
  for (const NamedBuffer& b : all.buffers) CHECK_MESSAGE(b.buffer->device() == device, b.name);
}

/// Three steps of SAM around SGD where the vector lives; the reads by the host in the last.
std::int64_t train(Net& net, ParameterVector& w) {
  const Device device = w.values().device();
  const Tensor x = images().to(device);
  const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 0, 1, 2}).to(device);
  const Objective objective = [&](const Request& request) {
    nn::Context ctx;
    if (request.pass != Pass::first) ctx.statistics = nn::Statistics::hold;
    return evaluate(cross_entropy(net(x, ctx), labels), w);
  };
  Sam sam({.rho = 0.05});
  Sgd sgd(w, {.momentum = 0.9, .weight_decay = 1e-3});
  std::int64_t reads = 0;
  for (int step = 0; step < 3; ++step) {
    const std::int64_t before = host_reads();
    Direction d = sam.direction(objective, w);
    d.report.finite = sgd.apply(w, d.vector, 0.1, d.report.direction_norm, d.report.finite);
    d.report.bring_here();
    reads = host_reads() - before;
    CHECK(d.report.finite);
  }
  return reads;
}

std::string file_of(Net& net) {
  const basin::test::TemporaryDirectory dir;
  write_archive(dir / "net.safetensors", archive_entries(entries_of(net)));
  return read_file(dir / "net.safetensors");
}

}  // namespace

TEST_CASE(
    "device vector: all of a model goes to a device and trains there, with the CPU's bits and one read") {
  Net here, there;
  ParameterVector w = ParameterVector::of(here, Decay::weights_only);
  ParameterVector v = ParameterVector::of(there, test_device(), Decay::weights_only);
  expect_all_on({}, here);
  expect_all_on(test_device(), there);
  CHECK(v.values().device() == test_device());
  CHECK(v.decay_mask().device() == test_device());
  CHECK(file_of(there) == file_of(here));

  CHECK(train(here, w) == 0);
  CHECK(train(there, v) == 1);
  expect_all_on(test_device(), there);
  CHECK(same_bits(v.values().to(Device{}), w.values()));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(same_bits(entries_of(there).buffers[i].buffer->to(Device{}), *entries_of(here).buffers[i].buffer));
  CHECK(entries_of(there).buffers[2].buffer->to(Device{}).item() == 3);  // batches tracked, counted there
  CHECK(file_of(there) == file_of(here));
}

TEST_CASE("device vector: a model drawn on a device is the one that was brought there") {
  Net drawn(nn::Initializer(1, Dtype::f32, test_device())), brought;
  move_to(test_device(), entries_of(brought));
  expect_all_on(test_device(), drawn);
  expect_all_on(test_device(), brought);
  CHECK(file_of(drawn) == file_of(brought));
  move_to(Device{}, entries_of(drawn));
  expect_all_on({}, drawn);
  CHECK(ParameterVector::of(drawn).values().device() == Device{});
}

TEST_CASE("device vector: files of one place are read at the other, into the vector's buffer") {
  const basin::test::TemporaryDirectory dir;
  for (const auto& [from, to] : {std::pair(Device{}, test_device()), std::pair(test_device(), Device{})}) {
    Net first, second{nn::Initializer(2)};
    const ParameterVector trained = ParameterVector::of(first, from);
    ParameterVector w = ParameterVector::of(second, to);
    const std::string wanted = file_of(first);
    CHECK(file_of(second) != wanted);
    write_archive(dir / "net.safetensors", archive_entries(entries_of(first)));
    const Archive archive(dir / "net.safetensors");
    std::vector<NamedTensor> tensors;
    add_named_tensors(tensors, "", entries_of(second));
    for (NamedTensor& t : tensors) fill(t, archive, t.name);
    expect_all_on(to, second);
    CHECK(file_of(second) == wanted);
    CHECK(same_bits(w.values().to(Device{}), trained.values().to(Device{})));
  }
}

TEST_CASE("device vector: frozen parameters and statistics that are not there move as such") {
  Net net;
  Entries all = entries_of(net);
  Variable& frozen = *all.parameters[0].parameter;
  frozen = frozen.detach();
  *all.buffers[0].buffer = Tensor();
  const std::vector<NamedParameter> trained(all.parameters.begin() + 1, all.parameters.end());
  const ParameterVector w(trained, test_device());
  CHECK(frozen.value().device() == Device{});
  move_to(test_device(), all);
  CHECK(frozen.value().device() == test_device());
  CHECK_FALSE(frozen.tracked());
  CHECK_FALSE(all.buffers[0].buffer->defined());
  CHECK(all.buffers[1].buffer->device() == test_device());
  for (const NamedParameter& p : trained) {
    CHECK(p.parameter->tracked());
    CHECK(p.parameter->value().shares_storage(w.values()));
  }
}

TEST_CASE("device vector: parameters in two places need the name of one") {
  Net net;
  const Entries all = entries_of(net);
  *all.parameters[3].parameter = Variable::parameter(all.parameters[3].parameter->value().to(test_device()));
  CHECK_THROWS_WITH_AS(ParameterVector::of(net),
                       "[parameter vector] all parameters share one buffer: 'norm.weight' is on cpu, "
                       "'norm.bias' on test:0; name the device that all shall be on",
                       ArgumentError);
  CHECK(ParameterVector::of(net, Device{}).values().device() == Device{});
  expect_all_on({}, net);
}

}  // namespace basin::optim::testing
