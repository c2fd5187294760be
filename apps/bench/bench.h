// What the subjects of `basin bench` share: medians over rounds, and a training step at work.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/bench/bench_config.h"
#include "apps/bench/contenders.h"
#include "apps/cli/terminal.h"
#include "apps/training/axes.h"
#include "apps/training/batch_objective.h"
#include "optim/gradient/step_graph.h"

namespace basin::apps {

/// Of the values of all rounds.
struct Spread {
  double median = 0, low = 0, high = 0;
};
/// The median is the mean of the middle two where there is an even number. Errors: ArgumentError for none.
Spread spread(std::vector<double> values);

/// One rule at work on a model of its own: SGD with momentum, as the default of `basin train`. On a card
/// steps are played from records, if not --no-graph.
class TrainingBench {
 public:
  TrainingBench(const Contender& contender, const BenchConfig& bench, std::int64_t batch_size);

  struct Time {
    /// Seconds: of the steps, and of those in forward and backward passes. On a card the latter are the
    /// host's, which waits later.
    double all = 0, passes = 0;
    int pass_count = 0;
  };
  /// Trains for `count` steps and waits for them; `next` gives each one's batch, its time counted. Errors:
  /// NumericalError for a step that is not finite.
  Time steps(std::int64_t count, const std::function<const data::Batch&()>& next);

  /// The same with one batch at every step.
  Time steps(std::int64_t count, const data::Batch& batch) {
    return steps(count, [&]() -> const data::Batch& { return batch; });
  }

  const std::string& name() const { return name_; }
  const optim::ParameterVector& weights() const { return *w_; }

 private:
  static constexpr double kRate = 0.001;  // small: the work is measured, not the training
  std::string name_;
  TrainConfig config_;
  std::unique_ptr<nn::Module> model_;
  Entries entries_;
  std::unique_ptr<optim::ParameterVector> w_;
  std::unique_ptr<optim::GradientRule> rule_;
  std::unique_ptr<optim::UpdateRule> update_;
  StepPlaces places_;
  std::unique_ptr<optim::StepGraph> graph_;
  std::int64_t step_ = 0;
};

/// The first `count` of made-up images {size,size,3} of ten classes, the same at each call.
data::Dataset bench_images(const BenchConfig& bench, std::int64_t count);
/// The first of them as a batch, not augmented.
data::Batch bench_batch(const BenchConfig& bench, std::int64_t rows);

/// Adds to a JSON document which card computed, and how; nothing for the CPU.
void set_device(Json& document, const DeviceConfig& config);
/// "2 threads", "cuda:0 in bf16".
std::string where_text(const DeviceConfig& config);

/// How training steps were measured: what the JSON document opens with, and the line for people: "resnet20,
/// batch 128, 2 threads, medians of 5 rounds of 10 steps in turns; " and what the numbers are, "shares of a
/// step's time".
Json turns_document(const BenchConfig& config);
std::string turns_line(const BenchConfig& config, const std::string& relation);

// The subjects. Each returns the exit code. Errors: InterruptedError.
ExitCode bench_rules(const BenchConfig& config, Terminal& terminal);
ExitCode bench_step(const BenchConfig& config, Terminal& terminal);
ExitCode bench_memory(const BenchConfig& config, Terminal& terminal);
ExitCode bench_scaling(const BenchConfig& config, Terminal& terminal);
ExitCode bench_conv(const BenchConfig& config, Terminal& terminal);
ExitCode bench_ops(const BenchConfig& config, Terminal& terminal);

}  // namespace basin::apps
