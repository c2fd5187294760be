// Machines with a driver and without, with two cards and with none, as the plug-in sees them.
#include <doctest/doctest.h>
#include <runtime_double.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/ops.h"
#include "cuda/plugin.h"
#include "tests/cuda/device.h"

extern "C" basin::cuda::Plugin* basin_cuda_plugin(int interface);

using namespace basin;

namespace {

cuda::Plugin& plugin() { return *basin_cuda_plugin(cuda::kInterface); }

/// A machine for a scope; afterwards it has a driver and two cards again.
struct Machine {
  Machine(bool driver, int cards) {
    fake::set_driver(driver);
    fake::set_cards(cards);
  }
  ~Machine() {
    fake::set_driver(true);
    fake::set_cards(2);
    static_cast<void>(cudaGetLastError());
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
};

std::string refusal(int index) {
  try {
    plugin().install(index, {});
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("double: without a driver or a card the plug-in says which, and installs nothing") {
  {
    const Machine without_driver(false, 0);
    CHECK(has(plugin().facts().missing, "no driver"));
    CHECK(plugin().facts().driver == 0);
    CHECK(has(refusal(0), "no driver"));
  }
  {
    const Machine without_card(true, 0);
    CHECK(has(plugin().facts().missing, "no card"));
    CHECK(has(refusal(0), "no card"));
  }
  CHECK(plugin().facts().missing.empty());
}

TEST_CASE("double: the cards by index, and one that isn't there") {
  CHECK(plugin().facts().devices.size() == 2);
  CHECK(plugin().facts().devices[1].major == 9);
  CHECK(has(refusal(2), "cuda:0 to cuda:1"));
  const Machine one(true, 1);
  CHECK_FALSE(refusal(1).empty());
  CHECK(basin_cuda_plugin(cuda::kInterface + 1) == nullptr);
}

TEST_CASE("double: cuda:1 computes on the second card, beside cuda:0") {
  const Device first = testing::cuda_device(), second{Device::Kind::cuda, 1};
  const Tensor x = Tensor::from(std::vector<float>{-1, 2, -3});
  const Tensor on_first = x.to(first);
  plugin().install(1, {});  // while the first card is at work
  CHECK(unary(UnaryOp::neg, on_first).to(Device{}).to_vector<float>() == std::vector<float>{1, -2, 3});
  const Tensor on_second = x.to(second);
  // In turns: each launch finds its card current.
  const Tensor a = unary(UnaryOp::relu, on_first), b = unary(UnaryOp::relu, on_second);
  const Tensor c = unary(UnaryOp::neg, a), d = unary(UnaryOp::neg, b);
  CHECK(c.device() == first);
  CHECK(d.device() == second);
  CHECK(c.to(Device{}).to_vector<float>() == std::vector<float>{0, -2, 0});
  CHECK(d.to(Device{}).to_vector<float>() == std::vector<float>{0, -2, 0});
  Tensor one = a, two = b;
  one.fill(1);  // asks for no memory, which would make the card the current one as well
  two.fill(2);
  one.fill(3);
  CHECK(one.to(Device{}).to_vector<float>() == std::vector<float>{3, 3, 3});
  CHECK(two.to(Device{}).to_vector<float>() == std::vector<float>{2, 2, 2});
  CHECK(d.to(first).device() == first);
  CHECK(d.to(first).to(Device{}).to_vector<float>() == std::vector<float>{0, -2, 0});
}
