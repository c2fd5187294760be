// Recordings of the CUDA backend: captured once, played with what lies in their tensors then.
#include <doctest/doctest.h>

#include <cstdlib>
#include <stdexcept>

#include "core/backend.h"
#include "core/ops.h"
#include "tests/cuda/device.h"

using namespace basin;
using testing::cuda_device;

namespace {

Tensor there(const std::vector<float>& values) { return Tensor::from(values).to(cuda_device()); }
std::vector<float> here(const Tensor& x) { return x.to(Device{}).to_vector<float>(); }

}  // namespace

TEST_CASE("recording: work is done when it is rehearsed and when it is played, and not when it is recorded") {
  Tensor x = there({-1, 2}), y = there({9, 9});
  const auto work = [&] { y.copy_from(unary(UnaryOp::relu, unary(UnaryOp::add_scalar, x, 1))); };
  const std::unique_ptr<Recording> recording = backend(cuda_device()).make_recording();
  CHECK_THROWS_WITH_AS(recording->play(), "[cuda] nothing is recorded to be played", InternalError);
  recording->rehearse(work);
  CHECK(here(y) == std::vector<float>{0, 3});
  x.copy_from(Tensor::from(std::vector<float>{5, 6}));
  recording->record(work);
  CHECK(here(y) == std::vector<float>{0, 3});
  for (const float value : {4.0F, -7.0F}) {
    x.copy_from(Tensor::from(std::vector<float>{value, value + 1}));
    recording->play();
    CHECK(here(y) == std::vector<float>{std::max(value + 1, 0.0F), std::max(value + 2, 0.0F)});
  }
}

TEST_CASE("recording: its memory is nobody else's while it lives, and there for all afterwards") {
  constexpr Index n = 100'000;
  Tensor x = Tensor::full({n}, 1, Dtype::f32, cuda_device()),
         y = Tensor::zeros({n}, Dtype::f32, cuda_device());
  std::vector<const std::byte*> inside;
  const auto work = [&] {
    const Tensor between = unary(UnaryOp::add_scalar, x, 1);
    inside.push_back(between.raw());
    y.copy_from(unary(UnaryOp::neg, between));
  };
  std::unique_ptr<Recording> recording = backend(cuda_device()).make_recording();
  recording->rehearse(work);
  recording->record(work);
  Tensors others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(Tensor::full({n}, 7, Dtype::f32, cuda_device()));
    for (const std::byte* block : inside) CHECK(others.back().raw() != block);
  }
  recording->play();
  for (const Tensor& other : others) CHECK(here(other) == std::vector<float>(n, 7));
  CHECK(here(y) == std::vector<float>(n, -2));
  others.clear();
  recording.reset();
  bool again = false;
  for (int i = 0; i < 8; ++i) {
    others.push_back(Tensor::empty({n}, Dtype::f32, cuda_device()));
    again = again || others.back().raw() == inside[1];
  }
  if (std::getenv("BASIN_TEST_EXACT_MEMORY") == nullptr) CHECK(again);  // else no block is kept for others
}

TEST_CASE("recording: the host may neither read nor send in it, and the device goes on afterwards") {
  Tensor x = there({1, 2});
  const std::unique_ptr<Recording> recording = backend(cuda_device()).make_recording();
  CHECK_THROWS_WITH_AS(recording->record([&] { here(x); }),
                       "[cuda] the host waits for 8 bytes inside work that is recorded; --no-graph has none",
                       InternalError);
  CHECK_THROWS_WITH_AS(recording->record([&] {
    there({1, 2, 3});
  }),
                       "[cuda] the host sends 12 bytes inside work that is recorded; --no-graph has none",
                       InternalError);
  CHECK_THROWS_AS(recording->record([&] {
    unary(UnaryOp::neg, x);
    throw std::runtime_error("the work gave up");
  }),
                  std::runtime_error);
  CHECK(here(unary(UnaryOp::neg, x)) == std::vector<float>{-1, -2});
  Tensor y = there({0, 0});
  recording->record([&] { y.copy_from(unary(UnaryOp::neg, x)); });
  recording->play();
  CHECK(here(y) == std::vector<float>{-1, -2});
}

TEST_CASE("recording: memory that was not there when it was rehearsed is there all the same") {
  Tensor x = there({3, 4}), y = there({0, 0});
  const std::unique_ptr<Recording> recording = backend(cuda_device()).make_recording();
  recording->record([&] {
    const Tensor much = Tensor::full({3'000'000}, 2, Dtype::f32, cuda_device());
    y.copy_from(unary(UnaryOp::neg, x));
  });
  recording->play();
  CHECK(here(y) == std::vector<float>{-3, -4});
}
