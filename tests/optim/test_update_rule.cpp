// Update rules as citizens: they leave the direction alone, check their options, name their state, continue
// from it.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "optim/gradient/sam.h"
#include "optim/update/lookahead.h"
#include "optim/update/muon.h"
#include "optim/update/schedule_free.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

using Make = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

struct Case {
  const char* label;
  Make make;
};

std::vector<Case> cases() {
  const auto sgd = [](const SgdOptions& o) -> Make {
    return [o](const ParameterVector& w) { return std::make_unique<Sgd>(w, o); };
  };
  const auto adam = [](const AdamOptions& o) -> Make {
    return [o](const ParameterVector& w) { return std::make_unique<Adam>(w, o); };
  };
  const auto rmsprop = [](const RmsPropOptions& o) -> Make {
    return [o](const ParameterVector& w) { return std::make_unique<RmsProp>(w, o); };
  };
  const auto lion = [](const LionOptions& o) -> Make {
    return [o](const ParameterVector& w) { return std::make_unique<Lion>(w, o); };
  };
  const auto lookahead = [](const Make& fast) -> Make {
    return [fast](const ParameterVector& w) {
      return std::make_unique<Lookahead>(w, fast(w), LookaheadOptions{.every = 2, .alpha = 0.8});
    };
  };
  const auto free = [](const ScheduleFreeOptions& o) -> Make {
    return [o](const ParameterVector& w) { return std::make_unique<ScheduleFree>(w, o); };
  };
  const auto muon = [](const MuonOptions& o) -> Make {
    return [o](const ParameterVector& w) { return std::make_unique<Muon>(w, o); };
  };
  return {{"sgd", sgd({.weight_decay = 5e-4})},
          {"momentum", sgd({.momentum = 0.9, .weight_decay = 5e-4})},
          {"dampening", sgd({.momentum = 0.9, .dampening = 0.5})},
          {"nesterov", sgd({.momentum = 0.9, .weight_decay = 5e-4, .nesterov = true})},
          {"adam", adam({.weight_decay = 1e-2})},
          {"adamw", adam({.weight_decay = 1e-2, .decoupled = true})},
          {"rmsprop", rmsprop({.weight_decay = 1e-2})},
          {"rmsprop, PyTorch's form", rmsprop({.momentum = 0, .eps_inside_root = false})},
          {"lion", lion({.weight_decay = 1e-2})},
          {"lookahead, momentum", lookahead(sgd({.momentum = 0.9, .weight_decay = 5e-4}))},
          {"lookahead, adam", lookahead(adam({}))},
          {"schedule-free sgd", free({.weight_decay = 5e-4})},
          {"schedule-free adamw", free({.step = FreeStep::adamw, .weight_decay = 1e-2})},
          {"muon", muon({.weight_decay = 1e-2})},
          {"muon, by shape", muon({.nesterov = false, .scale = MuonScale::shape})}};
}

/// One step of SAM on the small network at time t.
void step(SmallNetwork& network, ParameterVector& w, UpdateRule& update, std::int64_t t, double lr = 0.05) {
  Sam sam({.rho = 0.1});
  update.apply(w, sam.direction(network.objective(w, t), w).vector, lr);
}

/// Buffer names and shapes, as a checkpoint would list them.
std::string listing(UpdateRule& update) {
  std::ostringstream out;
  for (const NamedBuffer& b : entries_of(update).buffers)
    out << b.name << " " << b.buffer->dtype() << " " << b.buffer->shape() << "; ";
  return out.str();
}

}  // namespace

TEST_CASE("update rule: the direction is never modified") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    SmallNetwork network;
    ParameterVector w = ParameterVector::of(network, Decay::weights_only);
    const std::unique_ptr<UpdateRule> update = c.make(w);
    for (std::int64_t t = 0; t < 3; ++t) {
      const Tensor d = Plain().direction(network.objective(w, t), w).vector;
      const Tensor before = d.clone();
      const std::uint64_t version = d.version();
      update->apply(w, d, 0.1);
      CHECK(same_bits(d, before));
      CHECK(d.version() == version);
    }
  }
}

TEST_CASE("update rule: lr = 0 leaves the weights' bits and moves the state") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    SmallNetwork network;
    ParameterVector w = ParameterVector::of(network);
    // Zeros of both signs: w - 0 * d would turn -0 into 0 where d is negative.
    w.values().view(0, {100}).fill(-0.0);
    const Tensor before = w.values().clone();
    const std::unique_ptr<UpdateRule> update = c.make(w);
    const Tensors fresh = state_of(*update);
    for (std::int64_t t = 0; t < 3; ++t) step(network, w, *update, t, /*lr=*/0);
    CHECK(same_bits(w.values(), before));
    CHECK_FALSE(same_bits(state_of(*update), fresh));
    CHECK(state_of(*update).back().item() == 3);  // "step"
  }
}

TEST_CASE("update rule: state has stable names, and exists before the first step") {
  Quadratic q;
  const ParameterVector w = ParameterVector::of(q);
  std::vector<std::string> found;
  for (const Case& c : cases()) found.push_back(listing(*c.make(w)));
  const std::string momentum = "momentum f64 {2}; step i64 {}; ",
                    moments = "m f64 {2}; v f64 {2}; step i64 {}; ",
                    sums = "weight_sum f64 {}; lr_max f64 {}; step i64 {}; ";
  CHECK(found == std::vector<std::string>{"step i64 {}; ", momentum, momentum, momentum, moments, moments,
                                          "square f64 {2}; " + momentum, "square f64 {2}; step i64 {}; ",
                                          "m f64 {2}; step i64 {}; ", "slow f64 {2}; " + momentum,
                                          "slow f64 {2}; " + moments, "z f64 {2}; " + sums,
                                          "z f64 {2}; v f64 {2}; " + sums, moments, moments});
}

TEST_CASE("update rule: the momentum buffer is the state's own, or there is none") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    SmallNetwork network;
    ParameterVector w = ParameterVector::of(network);
    const std::unique_ptr<UpdateRule> update = c.make(w);
    const Tensor* kept = nullptr;
    for (const NamedBuffer& b : entries_of(*update).buffers)
      if (b.name == "momentum" || b.name == "m") kept = b.buffer;
    CHECK(update->momentum() == kept);
    if (kept == nullptr) continue;
    CHECK(update->momentum()->elements() == w.size());
    const Tensor before = update->momentum()->clone();
    step(network, w, *update, 0);
    CHECK_FALSE(same_bits(*update->momentum(), before));
  }
}

TEST_CASE("update rule: f32 steps have the same bits for 1 to 4 threads") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    const auto train = [&](int threads) {
      const WithThreads with(threads);
      SmallNetwork network;
      ParameterVector w = ParameterVector::of(network, Decay::weights_only);
      const std::unique_ptr<UpdateRule> update = c.make(w);
      for (std::int64_t t = 0; t < 3; ++t) step(network, w, *update, t);
      Tensors all = state_of(*update);
      all.push_back(w.values().clone());
      return all;
    };
    const Tensors one = train(1);
    for (int threads : {2, 3, 4}) CHECK(same_bits(train(threads), one));
  }
}

TEST_CASE("update rule: a fresh rule with the state copied in continues with the same bits") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    SmallNetwork straight, resumed;
    ParameterVector w = ParameterVector::of(straight), v = ParameterVector::of(resumed);
    const std::unique_ptr<UpdateRule> update = c.make(w);
    for (std::int64_t t = 0; t < 5; ++t) step(straight, w, *update, t);

    const std::unique_ptr<UpdateRule> fresh = c.make(v);
    v.values().copy_from(w.values());
    const auto copy = [](auto& from, auto& to) {
      const Tensors saved = state_of(from);
      const std::vector<NamedBuffer> buffers = entries_of(to).buffers;
      REQUIRE(saved.size() == buffers.size());
      for (std::size_t i = 0; i < saved.size(); ++i) buffers[i].buffer->copy_from(saved[i]);
    };
    copy(*update, *fresh);
    copy(straight, resumed);

    for (std::int64_t t = 5; t < 10; ++t) step(straight, w, *update, t);
    for (std::int64_t t = 5; t < 10; ++t) step(resumed, v, *fresh, t);
    CHECK(same_bits(w.values(), v.values()));
    CHECK(same_bits(state_of(*update), state_of(*fresh)));
    CHECK(same_bits(straight.buffers(), resumed.buffers()));
  }
}

TEST_CASE("update rule: Adam and AdamW without decay are one rule, bit for bit") {
  SmallNetwork a, b;
  ParameterVector wa = ParameterVector::of(a), wb = ParameterVector::of(b);
  Adam adam(wa), adamw(wb, {.decoupled = true});
  CHECK(std::string(adam.name()) == "adam");
  CHECK(std::string(adamw.name()) == "adamw");
  for (std::int64_t t = 0; t < 5; ++t) {
    step(a, wa, adam, t);
    step(b, wb, adamw, t);
  }
  CHECK(same_bits(wa.values(), wb.values()));
}

TEST_CASE("update rule: a parameter without a gradient and without decay keeps its bits") {
  struct Partly {
    Variable used = Variable::parameter(Tensor::from(std::vector<float>{1, -2}));
    Variable unused = Variable::parameter(Tensor::from(std::vector<float>{0.3f, 0.0f, 1e-40f}));
    void describe(Inventory& it) {
      it.parameter("used", used);
      it.parameter("unused", unused);
    }
  };
  const Make plain_sgd = [](const ParameterVector& w) {
    return std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9});
  };
  const Make plain_adam = [](const ParameterVector& w) { return std::make_unique<Adam>(w); };
  const Make plain_rmsprop = [](const ParameterVector& w) { return std::make_unique<RmsProp>(w); };
  const Make plain_lion = [](const ParameterVector& w) { return std::make_unique<Lion>(w); };
  for (const Make& make : {plain_sgd, plain_adam, plain_rmsprop, plain_lion}) {
    Partly model;
    ParameterVector w = ParameterVector::of(model);
    const Tensor unused = model.unused.value().clone(), used = model.used.value().clone();
    const std::unique_ptr<UpdateRule> update = make(w);
    Sam sam({.rho = 0.1});
    for (int i = 0; i < 3; ++i) {
      const Direction d =
          sam.direction([&](const Request&) { return evaluate(sum(square(model.used)), w); }, w);
      update->apply(w, d.vector, 0.1);
    }
    CHECK(same_bits(model.unused.value(), unused));
    CHECK_FALSE(same_bits(model.used.value(), used));
  }
}

TEST_CASE("update rule: options out of range are errors") {
  Quadratic q;
  const ParameterVector w = ParameterVector::of(q);
  const auto bad_sgd = [&](const SgdOptions& o) { CHECK_THROWS_AS(Sgd(w, o), ArgumentError); };
  const auto bad_adam = [&](const AdamOptions& o) { CHECK_THROWS_AS(Adam(w, o), ArgumentError); };
  const auto bad_rmsprop = [&](const RmsPropOptions& o) { CHECK_THROWS_AS(RmsProp(w, o), ArgumentError); };
  const auto bad_lion = [&](const LionOptions& o) { CHECK_THROWS_AS(Lion(w, o), ArgumentError); };
  const double nan = std::nan("");
  bad_sgd({.momentum = 1});
  bad_sgd({.momentum = -0.1});
  bad_sgd({.momentum = nan});
  bad_sgd({.momentum = 0.9, .dampening = 1.5});
  bad_sgd({.momentum = 0.9, .dampening = nan});
  bad_sgd({.dampening = 0.5});
  bad_sgd({.weight_decay = -1});
  bad_sgd({.weight_decay = HUGE_VAL});
  bad_sgd({.nesterov = true});
  bad_sgd({.momentum = 0.9, .dampening = 0.1, .nesterov = true});
  bad_adam({.beta1 = 1});
  bad_adam({.beta2 = 1});
  bad_adam({.beta1 = -0.1});
  bad_adam({.beta2 = nan});
  bad_adam({.eps = 0});
  bad_adam({.eps = nan});
  bad_adam({.weight_decay = -1});
  bad_rmsprop({.alpha = 1});
  bad_rmsprop({.alpha = nan});
  bad_rmsprop({.eps = 0});
  bad_rmsprop({.eps = HUGE_VAL});
  bad_rmsprop({.momentum = 1});
  bad_rmsprop({.momentum = -0.1});
  bad_rmsprop({.weight_decay = -1});
  bad_lion({.beta1 = 1});
  bad_lion({.beta2 = nan});
  bad_lion({.weight_decay = -1});
}

TEST_CASE("update rule: a direction or rate that does not fit is an error and changes nothing") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    Quadratic q;
    ParameterVector w = ParameterVector::of(q);
    const std::unique_ptr<UpdateRule> update = c.make(w);
    const Tensors state = state_of(*update);
    const Tensor good = Tensor::from(Numbers{1, 1});
    CHECK_THROWS_AS(update->apply(w, Tensor(), 0.1), ArgumentError);
    CHECK_THROWS_AS(update->apply(w, Tensor::from(Numbers{1}), 0.1), ArgumentError);
    CHECK_THROWS_AS(update->apply(w, good.to(Dtype::f32), 0.1), ArgumentError);
    CHECK_THROWS_AS(update->apply(w, good, -0.1), ArgumentError);
    CHECK_THROWS_AS(update->apply(w, good, std::nan("")), ArgumentError);
    CHECK_THROWS_AS(update->apply(w, good, HUGE_VAL), ArgumentError);
    CHECK(gap(w.values(), {1, 2}) == 0);
    CHECK(same_bits(state_of(*update), state));
  }
  // A rule made for other weights. (Sgd without momentum keeps nothing of theirs.)
  for (const Case& c : cases()) {
    if (std::string(c.label) == "sgd") continue;
    CAPTURE(c.label);
    SmallNetwork other;
    Quadratic q;
    ParameterVector w = ParameterVector::of(q);
    const std::unique_ptr<UpdateRule> update = c.make(ParameterVector::of(other));
    CHECK_THROWS_AS(update->apply(w, Tensor::from(Numbers{1, 1}), 0.1), ArgumentError);
    CHECK(gap(w.values(), {1, 2}) == 0);
  }
}

}  // namespace basin::optim::testing
