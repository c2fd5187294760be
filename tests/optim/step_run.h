// A run of a small network for tests of recorded steps: another rate, batch and dropout mask in each step.
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "core/ops.h"
#include "optim/buffer_guard.h"
#include "optim/gradient/step_graph.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"
#include "tests/optim/family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {

using MakeUpdate = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

template <class Rule, class Options>
MakeUpdate update(const Options& options) {
  return [options](const ParameterVector& w) { return std::make_unique<Rule>(w, options); };
}

/// A run whose learning rate falls by a cosine, with another batch and other dropout masks in each step.
struct StepRun {
  SmallNetwork network;
  Tensor x, y;  // the step's batch, where the network is
  ParameterVector w = ParameterVector::of(network);
  std::unique_ptr<UpdateRule> update;
  std::unique_ptr<GradientRule> rule;
  Schedule schedule;

  StepRun(Device device, const Member& member, const MakeUpdate& make_update, std::int64_t steps)
      : network(device),
        x(Tensor::zeros({SmallNetwork::kRows, SmallNetwork::kInputs}, Dtype::f32, device)),
        y(Tensor::zeros({SmallNetwork::kRows}, Dtype::i64, device)),
        update(make_update(w)),
        rule(member.make(1)),
        schedule({.kind = ScheduleKind::cosine, .lr = 0.1, .total_steps = steps}) {}

  /// One of rows with an infinite pixel is not finite.
  StepReport step(std::int64_t t, StepGraph& graph, bool spoiled = false) {
    auto [rows, labels] = SmallNetwork::batch(t);
    if (spoiled) rows.mutable_data<float>()[0] = HUGE_VALF;
    x.copy_from(rows);
    y.copy_from(labels);
    const StepInfo now{
        .step = t, .lr = schedule.lr(t), .rows = SmallNetwork::kRows, .momentum = update->momentum()};
    const std::vector<NamedBuffer> state = entries_of(*rule).buffers;
    BufferGuard statistics(not_on_device(network_buffers())), rule_state(not_on_device(state));
    StepReport report = graph.run(rule->sequence(now), now, [&](const StepInfo& info) {
      BufferGuard statistics_there(on_device(network_buffers())), state_there(on_device(state));
      Direction d = rule->direction(network.on(x, y, w, info.number(step_of)), w, info);
      if (possibly(d.report.finite))
        d.report.finite = update->apply(w, d.vector, info, d.report.direction_norm, d.report.finite);
      statistics_there.settle(d.report.finite);
      state_there.settle(d.report.finite);
      return d.report;
    });
    const bool made_elsewhere = !report.finite.known();
    report.bring_here();
    if (report.finite) {
      statistics.keep();
      rule_state.keep();
    } else if (made_elsewhere) {
      update->withdraw();
    }
    return report;
  }

  std::vector<NamedBuffer> network_buffers() { return entries_of(network).buffers; }
  Tensors everything() {
    Tensors all{w.values().to(Device{}).clone()};
    const auto add = [&](auto& object) {
      for (const NamedBuffer& b : entries_of(object).buffers) all.push_back(b.buffer->to(Device{}).clone());
    };
    add(network);
    add(*update);
    add(*rule);
    return all;
  }
};

/// Where the numbers are that outlive a step.
inline std::vector<const void*> places(StepRun& run) {
  std::vector<const void*> all{run.w.values().raw()};
  const auto add = [&](auto& object) {
    for (const NamedBuffer& b : entries_of(object).buffers)
      if (b.buffer->defined()) all.push_back(b.buffer->raw());
  };
  add(run.network);
  add(*run.update);
  add(*run.rule);
  return all;
}

}  // namespace basin::optim::testing
