// The registry of backends.
#include "core/cpu/backend.h"

#include <string>

#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

TEST_CASE("the CPU backend is there from the start") {
  CHECK(std::string(backend().name()) == "cpu");
  CHECK(&backend({}) == &cpu_backend());
  CHECK(backend_of(Tensor::zeros({1}), Work::matmul).operator->() == &backend());
}

TEST_CASE("a device without a backend is a usage error that names it") {
  CHECK_THROWS_WITH_AS(
      backend({Device::Kind::cuda, 1}),
      "[backend] no backend is installed for cuda:1: this program was built or started without it; "
      "use the cpu",
      UsageError);
  CHECK_THROWS_AS(Tensor::zeros({2}, Dtype::f32, {Device::Kind::cuda, 0}), UsageError);
}

TEST_CASE("an installed backend is used") {
  class Named final : public cpu::CpuBackend {
   public:
    const char* name() const override { return "named"; }
  };
  static Named named;
  install_backend({}, named);
  CHECK(std::string(backend().name()) == "named");
  CHECK((Tensor::full({2}, 1) + Tensor::full({2}, 2)).to_vector<float>() == std::vector<float>{3, 3});
  install_backend({}, cpu_backend());
  CHECK(std::string(backend().name()) == "cpu");
}

}  // namespace
