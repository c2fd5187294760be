// Experiment: a model and everything that trains it, built from the configuration. One step at a time; files,
// progress and epochs are the train command's business.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/config.h"
#include "data/load.h"
#include "data/loader.h"
#include "nn/models/registry.h"
#include "optim/gradient_rule.h"
#include "optim/schedule.h"
#include "optim/update_rule.h"

namespace basin::apps {

/// The model that the configuration names, for samples like those of `set`, with initial weights from the
/// seed or from
/// --init. Errors: those of make_model; CheckpointError for --init.
std::unique_ptr<nn::Module> build_model(const ModelConfig& model, const data::Dataset& set,
                                        std::uint64_t seed, Dtype dtype);

/// Where a step failed, for the message that ends the run.
struct NonFinite {
  bool loss = false;        // the loss itself; else its gradient
  std::string parameter{};  // the first parameter whose gradient is not finite, if the loss was
};

class Experiment {
 public:
  /// `steps_per_epoch` turns the schedule's epochs into steps.
  Experiment(const TrainConfig& config, const data::Dataset& train, std::int64_t steps_per_epoch);

  /// One optimizer step on a batch, the `step`-th of the run (from 0): forms the direction, applies it. A
  /// step that is not finite changes nothing: weights, optimizer state and running statistics keep their
  /// bits.
  optim::StepReport step(const data::Batch& batch, std::int64_t step);
  double lr(std::int64_t step) const { return schedule_.lr(step); }
  /// Of the last step that was not finite.
  const NonFinite& failure() const { return failure_; }

  nn::Module& model() { return *model_; }
  const optim::ParameterVector& weights() const { return w_; }
  const Entries& entries() const { return entries_; }
  optim::UpdateRule& update_rule() { return *update_; }
  optim::GradientRule& gradient_rule() { return *rule_; }

 private:
  std::unique_ptr<nn::Module> model_;
  Entries entries_;
  optim::ParameterVector w_;
  std::unique_ptr<optim::GradientRule> rule_;
  std::unique_ptr<optim::UpdateRule> update_;
  optim::Schedule schedule_;
  CrossEntropyOptions loss_;
  std::uint64_t seed_;
  Dtype dtype_;
  NonFinite failure_;
};

/// The steps of the run's schedule, its epochs turned into steps.
optim::ScheduleOptions schedule_options(const TrainConfig& config, std::int64_t steps_per_epoch);

}  // namespace basin::apps
