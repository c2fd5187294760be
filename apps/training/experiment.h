// Experiment: a model and everything that trains it, built from the configuration. One step at a time; files,
// progress and epochs are the train command's business.
#pragma once

#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/evaluation/run_data.h"
#include "apps/training/axes.h"
#include "apps/training/batch_objective.h"
#include "apps/training/freeze.h"
#include "apps/training/start.h"
#include "apps/weights/weights.h"
#include "nn/models/registry.h"
#include "optim/buffer_guard.h"
#include "optim/gradient/step_graph.h"

namespace basin::apps {

/// The model that the configuration names, for images {H,W,C} of that many classes, with initial weights from
/// the seed, or zeros if `blank`, on that device. Errors: those of make_model.
std::unique_ptr<nn::Module> build_model(const ModelConfig& model, const Shape& image, std::int64_t classes,
                                        std::uint64_t seed, Dtype dtype, bool blank = false,
                                        Device device = {});

class Experiment {
 public:
  /// Errors: those of build_model(); UsageError for --freeze; ArgumentError for rules that do not go with the
  /// model's parameters.
  Experiment(const TrainConfig& config, const ImageSet& set, const RunLength& length);

  /// One optimizer step on a batch, the `step`-th of the run (from 0): forms the direction, applies it. A
  /// step that is not finite changes nothing: weights, optimizer state and running statistics keep their
  /// bits. On a device nobody waits but for the report, at the end, read at once.
  optim::StepReport step(const data::Batch& batch, std::int64_t step);
  /// The same in two halves, so that a device has work while the host reads: a step is begun, others after
  /// it, and settled later, the oldest first. All is as if each had been settled before the next began: a
  /// step that is not finite makes those behind it change nothing either (the device knows), and they are
  /// begun again when the next is begun or settled. In between, weights, states and average are nobody's to
  /// read. Errors of begin(): those of the step, which is then not under way.
  void begin(const data::Batch& batch, std::int64_t step);
  optim::StepReport settle();
  /// Steps that are begun and not settled.
  std::int64_t under_way() const { return std::ssize(begun_) + std::ssize(again_); }
  /// Makes the steps by that graph. From the start: by records where the device can and the configuration
  /// lets it, else by calls.
  void make_steps_by(std::unique_ptr<optim::StepGraph> graph) { graph_ = std::move(graph); }
  /// Takes the weights after that step, the last one settled, into the average if they are due. A step that
  /// was not applied brings none, unless the average is of the weights at the ends of epochs or cycles.
  void collect(std::int64_t step, bool applied);
  /// Whether collect() needs the weights as that step leaves them: it must be settled before another begins.
  /// On a device begin() does what does not need the report.
  bool collects_after(std::int64_t step) const { return collects(step) && !collects_there(step); }
  double lr(std::int64_t step) const { return rates_ ? rates_(step) : schedule_.lr(step); }
  /// Makes lr(step) that function in place of the schedule.
  void take_rates(std::function<double(std::int64_t step)> rates) { rates_ = std::move(rates); }
  /// Of the last step that was not finite.
  const NonFinite& failure() const { return failure_; }

  nn::Module& model() { return *model_; }
  /// What came from --init, in words.
  const std::optional<Start>& start() const { return start_; }
  /// What --freeze took out of weights().
  const Frozen& frozen() const { return frozen_; }
  /// Numbers in all parameters, frozen ones too.
  std::int64_t parameters() const { return w_.size() + frozen_.numbers; }
  /// The parameters that train.
  optim::ParameterVector& weights() { return w_; }
  const Entries& entries() const { return entries_; }
  optim::UpdateRule& update_rule() { return *update_; }
  optim::GradientRule& gradient_rule() { return *rule_; }
  std::optional<Averaging>& averaging() { return averaging_; }

 private:
  struct Asked {
    data::Batch batch;
    std::int64_t step;
  };
  /// A step under way: what it was asked for, and what the host holds as it was before it, which this puts
  /// back when it ends.
  struct Begun {
    Begun(const Asked& what, const std::vector<NamedBuffer>& buffers, const std::vector<NamedBuffer>& of_rule,
          const std::vector<NamedBuffer>& of_average)
        : asked(what), statistics(buffers), rule_state(of_rule), average(of_average) {}
    void keep();
    Asked asked;
    optim::BufferGuard statistics, rule_state, average;
    optim::StepReport report{};
    bool made_elsewhere = false;
  };

  /// Begins what waits in again_, unless the last step is known not to be finite.
  void go_on();
  void ask(const Asked& asked);
  optim::StepReport make(Begun& step, const StepBatch& batch, const optim::Sequence& sequence,
                         const optim::StepInfo& now, const std::vector<NamedBuffer>& state);
  bool collects(std::int64_t step) const { return averaging_ && averaging_->times.due(step + 1); }
  bool collects_there(std::int64_t step) const {
    return collects(step) && averaging_->after_applied_steps && made_last_.defined();
  }
  /// What a step made from a record writes to, its versions raised: the host was not there.
  void touch();

  std::optional<Start> start_;
  std::unique_ptr<nn::Module> model_;
  Entries entries_;
  Frozen frozen_;
  optim::ParameterVector w_;
  std::unique_ptr<optim::GradientRule> rule_;
  std::unique_ptr<optim::UpdateRule> update_;
  optim::Schedule schedule_;
  std::function<double(std::int64_t step)> rates_{};  // in its place
  std::optional<Averaging> averaging_;
  LossOptions loss_;
  std::int64_t accumulate_;  // rows of a micro-batch that shares the perturbation; 0: the whole batch at once
  double clip_;
  std::uint64_t seed_;
  std::vector<NamedBuffer> buffers_here_;   // of the model: not_on_device()
  Tensors joined_;                          // the others: side_by_side()
  std::vector<NamedBuffer> buffers_there_;  // joined_, for a guard
  StepPlaces places_;
  NonFinite failure_;
  std::unique_ptr<optim::StepGraph> graph_;
  /// Condition {} f64, on a device: the last step was made. While it does not hold no other is.
  Tensor made_last_;
  std::deque<Begun> begun_;
  std::deque<Asked> again_;
};

}  // namespace basin::apps
