#include "apps/training/step_batch.h"

#include "core/op_checks.h"

namespace basin::apps {

StepBatch::StepBatch(const data::Batch& batch, Dtype dtype)
    : images(batch.images.to(dtype)),
      labels(batch.labels),
      partners(batch.mixed.labels),
      heavier(mixed() && batch.mixed.lambda < 0.5 ? partners : labels),
      lambda(batch.mixed.lambda) {
  if (!mixed() || images.device().is_host()) return;
  own_share = Tensor::scalar(lambda, dtype, images.device());
  other_share = Tensor::scalar(1 - lambda, dtype, images.device());
}

StepBatch StepPlaces::put(const data::Batch& batch) {
  if (batch.images.device() != device_ || batch.labels.device() != device_)
    throw ArgumentError("[step] the weights are on ", device_, ", the batch on ", batch.images.device(),
                        "; data::LoaderOptions::device or Batch::to() brings it there");
  if (device_.is_host()) return StepBatch(batch, dtype_);
  // Partners have labels of the batch.
  if (batch.host_labels.defined())
    checks::expect_index("cross_entropy", batch.host_labels, batch.host_labels, classes_, "label");

  const std::pair kind(batch.size(), batch.mixed.labels.defined());
  const auto known = places_.find(kind);
  if (known == places_.end()) {
    StepBatch first(batch, dtype_);
    for (Tensor* t : {&first.images, &first.labels, &first.partners, &first.heavier}) *t = t->clone();
    return places_.emplace(kind, first).first->second;
  }
  StepBatch& place = known->second;
  place.images.copy_from(batch.images.to(dtype_));
  place.labels.copy_from(batch.labels);
  place.heavier.copy_from(batch.labels);
  if (!place.mixed()) return place;
  const data::Mixed& mixed = batch.mixed;
  place.partners.copy_from(mixed.labels);
  if (mixed.lambda < 0.5) place.heavier.copy_from(mixed.labels);
  place.lambda = mixed.lambda;
  place.own_share.fill(mixed.lambda);
  place.other_share.fill(1 - mixed.lambda);
  return place;
}

}  // namespace basin::apps
