// Perturbation: weights move for a moment and come back with the same bits.
#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string>

#include "autograd/gradients.h"
#include "core/ops.h"
#include "core/random.h"
#include "optim/perturbation.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// 10,000 weights of the size found in networks, and a direction.
struct Cloud {
  static constexpr Index kSize = 10000;
  Variable w = Variable::parameter(drawn(0, 0.05), "cloud");
  Tensor direction = drawn(1, 1);

  static Tensor drawn(std::uint64_t index, double deviation) {
    Random random(5, Stream::user, 0, index);
    std::vector<float> values;
    for (Index i = 0; i < kSize; ++i) values.push_back(static_cast<float>(deviation * random.normal()));
    return Tensor::from(values);
  }
  void describe(Inventory& it) { it.parameter("cloud", w); }
};

}  // namespace

TEST_CASE("perturbation: w + scale * direction inside, the same bits outside") {
  Cloud cloud;
  ParameterVector w = ParameterVector::of(cloud);
  w.values().mutable_data<float>()[0] = -0.0f;
  w.values().mutable_data<float>()[1] = std::numeric_limits<float>::denorm_min();
  const Tensor before = w.values().clone();
  const float* b = before.data<float>();
  const float* d = cloud.direction.data<float>();
  const float scale = 5e-5f;
  {
    Perturbation moved(w, cloud.direction, static_cast<double>(scale));
    const float* now = cloud.w.value().data<float>();  // the model's own view
    Index wrong = 0, stuck = 0;
    for (Index i = 0; i < Cloud::kSize; ++i) {
      wrong += now[i] != b[i] + scale * d[i];
      stuck += now[i] == b[i];
    }
    CHECK(wrong == 0);
    CHECK(stuck < Cloud::kSize / 100);
  }
  CHECK(same_bits(w.values(), before));

  // What the kept copy is for: moving there and back by arithmetic does not bring all bits back.
  Tensor arithmetic = before.clone();
  axpby(static_cast<double>(scale), cloud.direction, 1, arithmetic);
  axpby(-static_cast<double>(scale), cloud.direction, 1, arithmetic);
  CHECK_FALSE(same_bits(arithmetic, before));
}

TEST_CASE("perturbation: an exception passing through restores the bits") {
  Cloud cloud;
  ParameterVector w = ParameterVector::of(cloud);
  const Tensor before = w.values().clone();
  const auto fail = [&] {
    Perturbation moved(w, cloud.direction, 0.1);
    throw std::runtime_error("pass 2 failed");
  };
  CHECK_THROWS_WITH(fail(), "pass 2 failed");
  CHECK(same_bits(w.values(), before));
}

TEST_CASE("perturbation: nested moves add up and end one by one") {
  Cloud cloud;
  ParameterVector w = ParameterVector::of(cloud);
  const Tensor before = w.values().clone();
  {
    Perturbation outer(w, cloud.direction, 0.1);
    const Tensor between = w.values().clone();
    {
      Perturbation inner(w, cloud.direction, 0.2);
      CHECK_FALSE(same_bits(w.values(), between));
    }
    CHECK(same_bits(w.values(), between));
  }
  CHECK(same_bits(w.values(), before));
}

TEST_CASE("perturbation: a direction that does not fit is an error and moves nothing") {
  Cloud cloud;
  ParameterVector w = ParameterVector::of(cloud);
  const Tensor before = w.values().clone();
  CHECK_THROWS_AS(Perturbation(w, Tensor::zeros({3}), 0.1), ArgumentError);
  CHECK_THROWS_AS(Perturbation(w, cloud.direction.to(Dtype::f64), 0.1), ArgumentError);
  CHECK_THROWS_AS(Perturbation(w, Tensor(), 0.1), ArgumentError);
  CHECK_THROWS_AS(Perturbation(w, cloud.direction, HUGE_VAL), ArgumentError);
  CHECK_THROWS_AS(Perturbation(w, cloud.direction, std::nan("")), ArgumentError);
  CHECK(same_bits(w.values(), before));
}

TEST_CASE("perturbation: a history from before the move is refused, by the name of the weight") {
  Cloud cloud;
  ParameterVector w = ParameterVector::of(cloud);
  const Variable loss = sum(square(cloud.w));
  {
    Perturbation moved(w, cloud.direction, 0.1);
    try {
      gradients(loss, w.variables());
      FAIL("the sweep used weights that have moved");
    } catch (const ArgumentError& e) {
      const std::string message = e.what();
      CHECK(message.find("'cloud' changed after it was used in forward") != std::string::npos);
      CHECK(message.find("compute the loss again") != std::string::npos);
    }
  }
  // The bits are back, but the loss inside the move was of other weights; both must be computed again.
  Variable inside;
  {
    Perturbation moved(w, cloud.direction, 0.1);
    inside = sum(square(cloud.w));
  }
  CHECK_THROWS_AS(gradients(inside, w.variables()), ArgumentError);
  CHECK_NOTHROW(gradients(sum(square(cloud.w)), w.variables()));
}

TEST_CASE("perturbation: the kept copy goes back to the allocator") {
  Cloud cloud;
  ParameterVector w = ParameterVector::of(cloud);
  const std::int64_t before = Storage::live_count();
  for (int i = 0; i < 3; ++i) {
    Perturbation moved(w, cloud.direction, 0.1);
    CHECK(Storage::live_count() == before + 1);
  }
  CHECK(Storage::live_count() == before);
}

}  // namespace basin::optim::testing
