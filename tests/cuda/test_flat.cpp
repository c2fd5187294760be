// Flat vectors of the CUDA backend against the CPU's: sums, combinations, update rules.
#include <cmath>

#include "tests/cuda/comparison.h"

namespace {

using namespace cuda_testing;

const Index kLengths[] = {1, 5, 1031, 20011};

/// A number that lives on the card.
Scalar there(double value) { return Scalar(Tensor::full({}, value, Dtype::f64, cuda_device())); }
using cuda_testing::there;

TEST_CASE("dot adds up in f64, in an order that alignment does not change") {
  for (Dtype dtype : kBothDtypes)
    for (Index n : {Index{0}, Index{1}, Index{5}, Index{1031}, Index{20011}, Index{1200003}}) {
      CAPTURE(n);
      const Tensor x = random({n}, dtype, 1), y = random({n}, dtype, 2);
      const double magnitude = dot(unary(UnaryOp::abs, x), unary(UnaryOp::abs, y));
      const Scalar sum = dot(there(x), there(y));
      CHECK(!sum.known());
      CHECK(std::fabs(sum.value() - dot(x, y).value()) <= 1e-14 * magnitude);
      CHECK(card().dot(unaligned(x), there(y)).value() == sum.value());
      CHECK(card().dot(there(x), unaligned(y)).value() == sum.value());
    }
  CHECK(norm(there(Tensor::full({4}, 1e30))).value() == doctest::Approx(2e30).epsilon(1e-6));
  every_schedule([] {
    const Tensor x = there(random({70000}, Dtype::f32, 1));
    return Tensors{dot(x, x).tensor({}), all_finite(x).tensor({})};
  });
}

TEST_CASE("all_finite finds one infinity or NaN anywhere, and the host does not wait for it") {
  for (Dtype dtype : kBothDtypes)
    for (Index n : {Index{1}, Index{17}, Index{3000}}) {
      Tensor x = Tensor::full({n}, dtype == Dtype::f32 ? 3e38 : 1e308, dtype);
      CHECK(!all_finite(there(x)).known());
      CHECK(all_finite(there(x)).value() == 1);
      for (Index place : {Index{0}, n / 2, n - 1})
        for (double bad : {NAN, INFINITY, -INFINITY}) {
          Tensor y = x.clone();
          y.view(place, {1}).fill(bad);
          CHECK(all_finite(there(y)).value() == 0);
          CHECK(all_finite(unaligned(y)).value() == 0);
        }
    }
}

TEST_CASE("axpby takes its factors from the host or from the card") {
  for (Dtype dtype : kBothDtypes)
    for (Index n : kLengths)
      for (bool apart : {false, true}) {
        const Tensor x = random({n}, dtype, 1), y = random({n}, dtype, 2);
        const auto placed = [&](const Tensor& t) { return apart ? unaligned(t) : there(t); };
        for (const auto& [a, b] : {std::pair{0.75, -1.5}, {0.75, 0.0}, {-2.0, 1.0}, {0.0, 2.0}, {0.0, 0.0}}) {
          Tensor want = y.clone(), known = placed(y), away = placed(y);
          axpby(a, x, b, want);
          axpby(a, placed(x), b, known);
          axpby(there(a), placed(x), there(b), away);
          CHECK(error_there(known, values_of(want)) < tolerance(dtype));
          if (a != 0) CHECK(same_bits(here(known), here(away)));
          CHECK(error_there(away, values_of(here(known))) == 0);
        }
      }
}

TEST_CASE("axpby: what counts for nothing may be anything") {
  const Tensor x = random({21}, Dtype::f32, 1), bad = Tensor::full({21}, NAN);
  Tensor y = there(x), z = there(bad), both = there(bad);
  axpby(there(0.0), there(bad), 2, y);  // a = 0 on the card
  CHECK(error_there(y, values_of(x * 2)) == 0);
  axpby(3, there(x), 0, z);
  CHECK(error_there(z, values_of(x * 3)) == 0);
  axpby(there(0.0), there(bad), there(0.0), both);
  CHECK(error_there(both, values_of(Tensor::zeros({21}))) == 0);
}

/// Becomes any member of a step: its k-th number or choice.
struct Option {
  std::size_t k;
  int choices;
  double scale;
  operator double() const { return scale * (0.9 - 0.07 * static_cast<double>(k)); }
  operator bool() const { return choices != 0; }
};

/// A step whose members are all options, however many it has.
template <class Step, std::size_t... i>
Step made_of(int choices, double scale, std::index_sequence<i...>) {
  if constexpr (requires { Step{Option{i, 0, 0}..., Option{}}; })
    return made_of<Step>(choices, scale, std::make_index_sequence<sizeof...(i) + 1>{});
  else
    return Step{Option{i, choices, scale}...};
}

template <std::size_t... i>
std::vector<UpdateStep> steps_of(std::index_sequence<i...>) {
  std::vector<UpdateStep> steps;
  for (int choices : {0, 1})
    for (double scale : {1.0, 0.0})
      (steps.push_back(
           made_of<std::variant_alternative_t<i, UpdateStep>>(choices, scale, std::index_sequence<>{})),
       ...);
  return steps;
}

struct Vectors {
  Tensor direction, mask, w;
  std::vector<Tensor> state;

  Vectors placed(const std::function<Tensor(const Tensor&)>& f) const {
    Vectors v{f(direction), f(mask), f(w), {}};
    for (const Tensor& s : state) v.state.push_back(f(s));
    return v;
  }
  void update(Backend& backend, const UpdateStep& step, const UpdateNumbers& now, bool masked, bool kept) {
    std::vector<Tensor*> states;
    for (Tensor& s : state) states.push_back(kept ? &s : nullptr);
    backend.update(step, now, {direction, masked ? &mask : nullptr, w, states});
  }
  Tensors results() const {
    Tensors all{w};
    for (const Tensor& s : state) all.push_back(s);
    return all;
  }
};

Vectors vectors(Index n, Dtype dtype, std::size_t states) {
  Vectors v{random({n}, dtype, 1), unary(UnaryOp::step, random({n}, dtype, 2)), random({n}, dtype, 3), {}};
  for (std::size_t i = 0; i < states; ++i)
    v.state.push_back(random({n}, dtype, 4 + static_cast<std::uint32_t>(i), 0.1, 1));
  return v;
}

TEST_CASE("every update rule makes the CPU's step, with numbers of the host or of the card") {
  for (const UpdateStep& step : steps_of(std::make_index_sequence<std::variant_size_v<UpdateStep>>{}))
    for (Dtype dtype : kBothDtypes)
      for (Index n : {1, 1031})
        for (int made : {0, 7})
          for (int way = 0; way < 4; ++way) {
            CAPTURE(step.index());
            CAPTURE(n);
            CAPTURE(made);
            CAPTURE(way);
            const bool masked = way % 2 == 1, kept = way < 2;
            const std::size_t states =
                std::visit([](const auto& known) { return std::decay_t<decltype(known)>::kStates; }, step);
            const Vectors before = vectors(n, dtype, states);
            Vectors want = before.placed([](const Tensor& t) { return t.clone(); });
            Vectors known = before.placed([](const Tensor& t) { return there(t).clone(); });
            Vectors away = before.placed([](const Tensor& t) { return unaligned(t); });
            want.update(cpu_backend(), step, {0.1, made}, masked, kept);
            known.update(card(), step, {0.1, made}, masked, kept);
            away.update(card(), step, {there(0.1), there(static_cast<double>(made))}, masked, kept);
            for (std::size_t i = 0; i < want.results().size(); ++i) {
              CHECK(error_there(known.results()[i], values_of(want.results()[i])) < tolerance(dtype));
              CHECK(same_bits(here(known.results()[i]), here(away.results()[i])));
            }
          }
}

TEST_CASE("no order of threads changes a step") {
  every_schedule([] {
    Vectors v = vectors(3000, Dtype::f32, 2).placed([](const Tensor& t) { return there(t); });
    v.update(card(), AdamStep{0.9, 0.999, 1e-8, 0.1, 0.1}, {0.1, 3}, true, true);
    axpby(there(0.5), v.w, 2, v.direction);
    return Tensors{v.w, v.state[0], v.state[1], v.direction};
  });
}

}  // namespace
