// Every gradient rule and every update rule on the test device: the CPU's bits, the CPU's report, and one
// read by the host in a step: the report.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "core/ops.h"
#include "optim/averages/average.h"
#include "optim/buffer_guard.h"
#include "optim/update/lookahead.h"
#include "optim/update/muon.h"
#include "optim/update/schedule_free.h"
#include "tests/device/test_device.h"
#include "tests/optim/family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

using basin::testing::host_reads, basin::testing::test_device;

using MakeUpdate = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

template <class Rule, class Options>
MakeUpdate update(const Options& options) {
  return [options](const ParameterVector& w) { return std::make_unique<Rule>(w, options); };
}

struct NamedUpdate {
  std::string name;
  MakeUpdate make;
};

std::vector<NamedUpdate> update_rules() {
  return {{"Sgd, plain", update<Sgd>(SgdOptions{})},
          {"Sgd, momentum", update<Sgd>(SgdOptions{.momentum = 0.9, .dampening = 0.1, .weight_decay = 5e-4})},
          {"Sgd, Nesterov", update<Sgd>(SgdOptions{.momentum = 0.9, .nesterov = true})},
          {"Adam", update<Adam>(AdamOptions{.weight_decay = 1e-3})},
          {"Adam, decoupled", update<Adam>(AdamOptions{.weight_decay = 1e-2, .decoupled = true})},
          {"RmsProp", update<RmsProp>(RmsPropOptions{})},
          {"RmsProp, PyTorch's", update<RmsProp>(RmsPropOptions{.momentum = 0, .eps_inside_root = false})},
          {"Lion", update<Lion>(LionOptions{.weight_decay = 1e-2})},
          {"Lookahead",
           [](const ParameterVector& w) {
             auto fast = std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9});
             return std::make_unique<Lookahead>(w, std::move(fast), LookaheadOptions{.every = 2});
           }},
          {"ScheduleFree, sgd", update<ScheduleFree>(ScheduleFreeOptions{.weight_decay = 1e-3})},
          {"ScheduleFree, adamw",
           update<ScheduleFree>(ScheduleFreeOptions{.step = FreeStep::adamw, .weight_decay = 1e-3})},
          {"Muon", update<Muon>(MuonOptions{.weight_decay = 1e-2})},
          {"Muon, by shape", update<Muon>(MuonOptions{.nesterov = false, .scale = MuonScale::shape})}};
}

Tensor brought_here(const Tensor& t) { return t.to(Device{}); }

/// A run on one device, as a training loop has it.
struct Run {
  SmallNetwork network;
  ParameterVector w = ParameterVector::of(network);
  std::unique_ptr<UpdateRule> update;
  std::unique_ptr<GradientRule> rule;
  WeightAverage average = WeightAverage::ema({.decay = 0.5});
  std::int64_t reads = 0;  // of the last step

  Run(Device device, const Member& member, const MakeUpdate& make_update)
      : network(device), update(make_update(w)), rule(member.make(1)) {}

  /// One step; its losses are multiplied by `scale`.
  StepReport step(std::int64_t t, double clip = 0, float scale = 1) {
    const Objective inner = network.objective(w, t);
    const Objective scaled = [&](const Request& request) {
      Evaluation e = inner(request);
      if (scale != 1) {
        e.loss = e.loss * scale;
        e.gradient = e.gradient * static_cast<double>(scale);
        if (e.norm_gradient.defined()) e.norm_gradient = e.norm_gradient * static_cast<double>(scale);
      }
      return e;
    };
    const std::int64_t before = host_reads();
    BufferGuard statistics(entries_of(network).buffers), state(entries_of(*rule).buffers);
    Direction d = rule->direction(
        scaled, w, {.step = t, .lr = 0.05, .rows = SmallNetwork::kRows, .momentum = update->momentum()});
    if (!possibly(d.report.finite)) return d.report;
    if (clip > 0) d = clipped(d, clip);
    d.report.finite =
        update->apply(w, d.vector, 0.01, d.report.direction_norm, both(d.report.finite, statistics.finite()));
    d.report.bring_here();
    reads = host_reads() - before;
    if (d.report.finite) {
      average.collect(w);
      statistics.keep();
      state.keep();
    } else {
      update->withdraw();
    }
    return d.report;
  }

  Tensors everything() {
    Tensors all{w.values()};
    if (average.n() > 0) all.push_back(average.values());
    const auto add = [&](auto& object) {
      for (const NamedBuffer& b : entries_of(object).buffers) all.push_back(*b.buffer);
    };
    add(network);
    add(*update);
    add(*rule);
    for (Tensor& t : all) t = brought_here(t).clone();
    return all;
  }
};

bool same_number(const Scalar& a, const Scalar& b) {
  return a == b || (std::isnan(a.value()) && std::isnan(b.value()));
}

void check_same_report(const StepReport& there, const StepReport& here) {
  CHECK(same_number(there.loss, here.loss));
  CHECK(same_number(there.perturbed_loss, here.perturbed_loss));
  CHECK(same_number(there.gradient_norm, here.gradient_norm));
  CHECK(same_number(there.perturbed_norm, here.perturbed_norm));
  CHECK(same_number(there.direction_norm, here.direction_norm));
  CHECK(same_number(there.cosine, here.cosine));
  CHECK(same_number(there.rho, here.rho));
  CHECK(same_number(there.clipped, here.clipped));
  CHECK(same_number(there.correct, here.correct));
  CHECK(same_number(there.finite, here.finite));
  CHECK(same_number(there.failed_pass, here.failed_pass));
  CHECK(there.passes == here.passes);
  CHECK(there.rows == here.rows);
}

void check_run(const Member& member, const MakeUpdate& make_update, double clip = 0) {
  Run here({}, member, make_update), there(test_device(), member, make_update);
  for (std::int64_t t = 0; t < 5; ++t) {
    CAPTURE(t);
    const StepReport wanted = here.step(t, clip), report = there.step(t, clip);
    CHECK(there.reads == 1);
    CHECK(here.reads == 0);
    CHECK(wanted.finite);
    check_same_report(report, wanted);
  }
  CHECK(there.w.values().device() == test_device());
  CHECK(same_bits(there.everything(), here.everything()));
}

/// The names that a pattern's first group finds in the headers of a folder.
std::set<std::string> declared(const std::string& folder, const std::string& pattern) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(BASIN_SOURCE_DIR "/" + folder)) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::regex form(pattern);
    for (auto i = std::sregex_iterator(text.begin(), text.end(), form); i != std::sregex_iterator(); ++i)
      names.insert((*i)[1]);
  }
  return names;
}

}  // namespace

TEST_CASE("test device: every gradient rule has the CPU's bits and report, and one read a step") {
  const MakeUpdate sgd = update<Sgd>(SgdOptions{.momentum = 0.9, .weight_decay = 5e-4});
  for (const Member& member : all_rules(8, SmallNetwork::kRows)) {
    CAPTURE(member.name);
    check_run(member, sgd);
  }
}

TEST_CASE("test device: every update rule has the CPU's bits and report, and one read a step") {
  for (const NamedUpdate& rule : update_rules()) {
    CAPTURE(rule.name);
    check_run(plain_rule(), rule.make);
    check_run(plain_rule(), rule.make, 0.5);
  }
}

TEST_CASE("test device: no rule of the library is left out above") {
  CHECK(declared("optim/gradient", "class (\\w+) (?:final )?: public GradientRule") ==
        std::set<std::string>{"Plain", "Sam", "Gam", "MicroBatches"});
  std::set<std::string> updates;
  for (const NamedUpdate& rule : update_rules()) updates.insert(rule.name.substr(0, rule.name.find(',')));
  CHECK(declared("optim/update", "class (\\w+) (?:final )?: public UpdateRule") == updates);
  std::ifstream in(BASIN_SOURCE_DIR "/tests/optim/family.cpp");
  const std::string members{std::istreambuf_iterator<char>(in), {}};
  const std::set<std::string> presets = declared("optim/gradient", "\nSamOptions (\\w+)\\(");
  CHECK(presets.size() > 10);
  for (const std::string& preset : presets)
    CHECK_MESSAGE(members.find(" " + preset + "(") != std::string::npos, preset);
}

TEST_CASE("test device: a step that is not finite changes nothing there, and the next goes on") {
  for (const Member& member : all_rules(8, SmallNetwork::kRows)) {
    CAPTURE(member.name);
    const MakeUpdate adam = update<Adam>(AdamOptions{});
    Run here({}, member, adam), there(test_device(), member, adam);
    for (std::int64_t t = 0; t < 4; ++t) {
      const float scale = t == 0 || t == 2 ? HUGE_VALF : 1;
      const Tensors before = there.everything();
      const StepReport wanted = here.step(t, 0, scale), report = there.step(t, 0, scale);
      CHECK(there.reads == 1);
      CHECK(same_number(report.finite, wanted.finite));
      CHECK(same_number(report.failed_pass, wanted.failed_pass));
      CHECK(same_bits(there.everything(), before) == (scale != 1));
    }
    CHECK(same_bits(there.everything(), here.everything()));
  }
}

TEST_CASE("test device: a step that overflows is refused there as on the CPU") {
  Run there(test_device(), plain_rule(), update<Adam>(AdamOptions{}));
  CHECK(there.step(0).finite);
  const Tensors before = there.everything();
  CHECK_FALSE(there.step(1, 0, 1e30F).finite);  // finite gradients, whose squares are not
  CHECK(there.reads == 1);
  CHECK(same_bits(there.everything(), before));
}

TEST_CASE("test device: nothing to climb along is the plain step") {
  for (const Member& member : family()) {
    CAPTURE(member.name);
    Run there(test_device(), member, update<Sgd>(SgdOptions{.momentum = 0.9}));
    const StepReport report = there.step(0, 0, 0);  // the gradient is 0
    CHECK(report.finite);
    CHECK(report.direction_norm == 0);
    CHECK(std::isnan(report.cosine));
  }
}

TEST_CASE("test device: a model's statistics side by side keep their numbers, and one guard puts them back") {
  SmallNetwork network(test_device());
  const std::vector<NamedBuffer> buffers = entries_of(network).buffers;
  REQUIRE(buffers.size() == 3);  // mean, variance, count
  CHECK(on_device(buffers).size() == 3);
  CHECK(not_on_device(buffers).empty());
  buffers[0].buffer->fill(0.25);
  const auto numbers = [&] {
    Tensors all;
    for (const NamedBuffer& b : buffers) all.push_back(b.buffer->to(Device{}).clone());
    return all;
  };
  const Tensors before = numbers();
  Tensors joined = side_by_side(buffers);
  CHECK(joined.size() == 2);  // f32 and i64
  CHECK(same_bits(numbers(), before));
  std::vector<NamedBuffer> together;
  for (Tensor& t : joined) together.push_back({"statistics", &t});
  {
    BufferGuard guard(together);
    for (const NamedBuffer& b : buffers) b.buffer->fill(7);
    guard.settle(Scalar(Tensor::scalar(0, Dtype::f64, test_device())));
  }
  CHECK(same_bits(numbers(), before));
  increment(*buffers[2].buffer);
  CHECK(buffers[2].buffer->to(Device{}).item() == before[2].item() + 1);
}

}  // namespace basin::optim::testing
