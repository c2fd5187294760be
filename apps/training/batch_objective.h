// BatchObjective: the loss of one step's batch as gradient rules ask for it.
#pragma once

#include <string>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/training/step_batch.h"
#include "nn/module.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// Where a step failed, for the message that ends the run.
struct NonFinite {
  std::string refused{};    // why a direction that is finite was not applied, if that is it
  bool loss = false;        // the loss itself; else its gradient
  std::string parameter{};  // the first parameter whose gradient is not finite, if the loss was
};

struct LossOptions {
  CrossEntropyOptions cross_entropy = {};
  double weight_decay = 0;                // in the loss; see optim::EvaluateOptions
  MicroNorm micro_norm = MicroNorm::own;  // what batch normalisation sees of a micro-batch's pass
  bool frozen_statistics = false;         // it normalises by its running statistics, which stay
};

/// Cross-entropy of a model on the rows of a batch that a request asks for. Of a mixed batch it is lambda
/// CE(labels) + (1 - lambda) CE(the partners' labels), both smoothed alike; a row counts as correct when its
/// largest logit is the label with the larger weight.
///
/// Running statistics move once a step, in the first passes. With micro-batches that normalise on their own
/// each moves them from where the step began, and the step ends with the mean of what they came to, weighted
/// by rows: the statistics of the papers' accelerators, averaged. Dropout masks are drawn for each
/// micro-batch apart, and again the same in its later passes.
///
/// It computes where the weights live, and the batch must be there too. On a device nobody looks for what
/// failed: see Experiment::step().
class BatchObjective {
 public:
  /// `step` addresses the random draws together with `seed`. The model, its entries and w must outlive this.
  BatchObjective(nn::Module& model, const Entries& entries, const optim::ParameterVector& w,
                 const StepBatch& batch, const LossOptions& options, std::uint64_t seed, const Scalar& step);

  optim::Evaluation operator()(const optim::Request& request);
  /// Of the last evaluation that was not finite.
  const NonFinite& failure() const { return failure_; }

 private:
  struct Statistic {
    Tensor* buffer;
    Tensor before, mean;
  };
  /// The loss of logits {end - begin, K} of those rows; `count`: and how many of them are right.
  CountedLoss loss(const Variable& logits, std::int64_t begin, std::int64_t end, bool count) const;
  void begin_part(std::int64_t begin);
  void end_part(std::int64_t begin, std::int64_t end);
  void look_for_failure(const optim::Evaluation& e);

  nn::Module& model_;
  const Entries& entries_;
  const optim::ParameterVector& w_;
  StepBatch batch_;
  LossOptions options_;
  std::uint64_t seed_;
  Scalar step_;
  std::vector<Statistic> statistics_;  // of a step in parts
  NonFinite failure_;
};

}  // namespace basin::apps
