#include "apps/training/step_batch.h"

#include "core/op_checks.h"

namespace basin::apps {

StepBatch::StepBatch(const data::Batch& batch, Dtype of_activations)
    : dtype(of_activations),
      images(batch.images.to(dtype)),
      labels(batch.labels),
      partners(batch.mixed.labels),
      heavier(mixed() && batch.mixed.lambda < 0.5 ? partners : labels),
      lambda(batch.mixed.lambda) {
  if (!mixed() || images.device().is_host()) return;
  const Dtype of_loss = compute_dtype(dtype);
  own_share = Tensor::scalar(lambda, of_loss, images.device());
  other_share = Tensor::scalar(1 - lambda, of_loss, images.device());
}

StepBatch::StepBatch(const data::DeviceBatch& drawn, std::int64_t number, double share, Dtype of_activations)
    : place(&drawn),
      kind(number),
      dtype(of_activations),
      labels(drawn.labels()),
      partners(drawn.partner_labels()),
      heavier(drawn.heavier_labels()),
      lambda(share) {}

StepBatch StepBatch::made() const {
  if (place == nullptr) return *this;
  StepBatch whole = *this;
  whole.images = place->images().to(dtype);
  if (!mixed()) return whole;
  const auto share = [&](Index i) { return place->shares().view(i, Shape{}).to(compute_dtype(dtype)); };
  whole.own_share = share(0);
  whole.other_share = share(1);
  return whole;
}

optim::Sequence sequence_of(const optim::GradientRule& rule, const StepBatch& batch,
                            const optim::StepInfo& now) {
  optim::Sequence all = rule.sequence(now);
  if (all) all->insert(all->end(), {batch.rows(), batch.mixed(), batch.kind, now.lr != 0});
  return all;
}

std::int64_t steps_ahead(const data::Batch& batch, Device device) {
  if (device.is_host()) return 0;
  return batch.images.defined() ? 2 : 8;
}

StepBatch StepPlaces::put(const data::Batch& batch) {
  const bool made = batch.images.defined() || batch.drawn == nullptr;
  const Device images = made ? batch.images.device() : batch.drawn->pictures.pixels.device();
  if (images != device_ || (made && batch.labels.device() != device_))
    throw ArgumentError("[step] the weights are on ", device_, ", the batch on ", images,
                        "; data::LoaderOptions::device or Batch::to() brings it there");
  if (device_.is_host()) return StepBatch(batch, dtype_);
  // Partners have labels of the batch.
  if (batch.host_labels.defined())
    checks::expect_index("cross_entropy", batch.host_labels, batch.host_labels, classes_, "label");
  return made ? put_images(batch) : put_drawn(batch);
}

StepBatch StepPlaces::put_drawn(const data::Batch& batch) {
  std::size_t i = 0;
  while (i < drawn_.size() && !drawn_[i]->fits(*batch.drawn)) ++i;
  if (i < drawn_.size())
    drawn_[i]->send(*batch.drawn);
  else
    drawn_.push_back(std::make_unique<data::DeviceBatch>(*batch.drawn));
  return {*drawn_[i], static_cast<std::int64_t>(i) + 1, batch.drawn->lambda, dtype_};
}

StepBatch StepPlaces::put_images(const data::Batch& batch) {
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
