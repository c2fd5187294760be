// StepBatch: the batch of a training step where the weights live. StepPlaces: in places that stay.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "data/loading/device_batch.h"
#include "data/loading/loader.h"
#include "optim/gradient/gradient_rule.h"

namespace basin::apps {

/// What a step computes with.
struct StepBatch {
  /// The batch's own tensors, its images in the dtype of activations: the model's own, or bf16 for one of f32
  /// on a device that computes in it, where loss and gradient are f32.
  StepBatch(const data::Batch& batch, Dtype of_activations);
  /// What was drawn and sent to a place, with the place's `number` and lambda; the rest is made() of it.
  StepBatch(const data::DeviceBatch& drawn, std::int64_t number, double share, Dtype of_activations);

  std::int64_t rows() const { return labels.size(0); }
  bool mixed() const { return partners.defined(); }

  /// The batch with its images. Those that the device makes it makes now: in a step that is recorded this is
  /// a part of it, done again with what is drawn for each later step.
  StepBatch made() const;

  const data::DeviceBatch* place = nullptr;  // of what the device makes the images; else null
  std::int64_t kind = 0;  // of steps whose batches lie in the same tensors, with rows() and mixed()
  Dtype dtype;            // of activations
  Tensor images;          // {B,H,W,C}
  Tensor labels;          // i64 {B}
  Tensor partners;        // of a mixed batch: the partners' labels; else undefined
  Tensor heavier;         // the labels of the larger weight, which count as right
  double lambda;          // the weight of the labels' loss; 1 - lambda is that of the partners'
  /// The same weights {}, of the loss' dtype, where they change from step to step and the host may not tell:
  /// of a mixed batch on a device. Undefined elsewhere.
  Tensor own_share, other_share;
};

/// The sequence of a step on that batch (optim/step_info.h): the rule's, and the branches that are taken in
/// the objective and in the update.
optim::Sequence sequence_of(const optim::GradientRule& rule, const StepBatch& batch,
                            const optim::StepInfo& now);

/// How many steps on such batches that device may be asked for while the report of the one before them is
/// still to be read: on the host none, on a device so many that it never stands still. Their batches are kept
/// meanwhile, in case a step is made again: of those that come whole there are fewer.
std::int64_t steps_ahead(const data::Batch& batch, Device device);

/// Batches one after the other in the same tensors, for steps that a device records
/// (optim/gradient/step_graph.h): one set for each kind, of as many rows and mixed alike. On the host each
/// batch keeps its own.
class StepPlaces {
 public:
  /// For a model on that device, activations of that dtype, and labels below `classes`.
  StepPlaces(Device device, Dtype dtype, std::int64_t classes)
      : device_(device), dtype_(dtype), classes_(classes) {}

  /// The batch in its place, until the next. Errors: ArgumentError for a batch on another device, and for
  /// labels that are no classes: a device's kernels would have to stop for them.
  StepBatch put(const data::Batch& batch);

 private:
  StepBatch put_images(const data::Batch& batch);
  StepBatch put_drawn(const data::Batch& batch);

  Device device_;
  Dtype dtype_;
  std::int64_t classes_;
  std::map<std::pair<std::int64_t, bool>, StepBatch> places_;
  std::vector<std::unique_ptr<data::DeviceBatch>> drawn_;
};

}  // namespace basin::apps
