// Training of a network on small images, step by step, on any device: what runs on the card are compared by.
#pragma once

#include <functional>
#include <memory>

#include "core/ops.h"
#include "core/random.h"
#include "nn/initializers.h"
#include "nn/module.h"
#include "optim/gradient/step_graph.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"
#include "tests/optim/family.h"

namespace basin::optim::testing {

inline constexpr std::int64_t kSteps = 20;
inline constexpr Index kSide = 8, kRows = 4, kClasses = 4;

using MakeModel = std::function<std::unique_ptr<nn::Module>(nn::Initializer&)>;

/// A run of images that are drawn by their step, with a rate that falls by a cosine.
class Training {
 public:
  Training(Device device, Dtype dtype, const MakeModel& make, const Member& member)
      : net_(made(device, dtype, make)),
        w_(ParameterVector::of(*net_, device)),
        x_(Tensor::zeros({kRows, kSide, kSide, 3}, dtype, device)),
        y_(Tensor::zeros({kRows}, Dtype::i64, device)),
        update_(w_, {.momentum = 0.9, .weight_decay = 5e-4}),
        rule_(member.make(1)) {}

  /// The images of step t, in their places.
  void put_batch(std::int64_t t) {
    Random random(11, Stream::user, static_cast<std::uint64_t>(t));
    Tensor x = Tensor::empty(x_.shape()), y = Tensor::empty(y_.shape(), Dtype::i64);
    for (Index i = 0; i < x.elements(); ++i) x.mutable_data<float>()[i] = static_cast<float>(random.normal());
    for (Index i = 0; i < kRows; ++i)
      y.mutable_data<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(kClasses));
    x_.copy_from(x.to(x_.dtype()));
    y_.copy_from(y);
  }
  /// The step of the batch that was put, by calls or as `graph` makes it, and its report on the host.
  StepReport step(std::int64_t t, StepGraph& graph) {
    const StepInfo now{.step = t, .lr = rate_.lr(t), .rows = kRows, .momentum = update_.momentum()};
    StepReport report = graph.run(rule_->sequence(now), now, [&](const StepInfo& info) {
      const Scalar step = info.number(step_of);
      const Objective loss = [&](const Request& request) {
        const bool first = request.pass == Pass::first;
        nn::Context ctx{.statistics = first ? nn::Statistics::update : nn::Statistics::hold, .step = step};
        return evaluate(cross_entropy((*net_)(x_, ctx), y_), w_, {.norm_gradient = request.norm_gradient});
      };
      Direction d = rule_->direction(loss, w_, info);
      d.report.finite = update_.apply(w_, d.vector, info, d.report.direction_norm, d.report.finite);
      return d.report;
    });
    report.bring_here();
    return report;
  }

  Tensor weights() const { return w_.values().to(Device{}); }
  /// All running means and variances, one after the other.
  Tensor statistics() {
    Tensors all;
    for (const NamedBuffer& b : entries_of(*net_).buffers)
      if (is_floating(b.buffer->dtype())) all.push_back(b.buffer->to(Device{}));
    return all.empty() ? Tensor::full({1}, 1, Dtype::f64) : concat(all, 0);
  }

 private:
  static std::unique_ptr<nn::Module> made(Device device, Dtype dtype, const MakeModel& make) {
    nn::Initializer init(3, dtype, device);
    return make(init);
  }

  std::unique_ptr<nn::Module> net_;
  ParameterVector w_;
  Tensor x_, y_;
  Sgd update_;
  std::unique_ptr<GradientRule> rule_;
  Schedule rate_{{.kind = ScheduleKind::cosine, .lr = 0.02, .total_steps = kSteps}};
};

}  // namespace basin::optim::testing
