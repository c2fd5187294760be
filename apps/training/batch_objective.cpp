#include "apps/training/batch_objective.h"

#include <cmath>

#include "apps/evaluation/evaluation.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

/// Numbers apart enough for the layers of any model.
constexpr std::uint64_t kLayersApart = 1u << 20;

}  // namespace

BatchObjective::BatchObjective(nn::Module& model, const Entries& entries, const optim::ParameterVector& w,
                               const StepBatch& batch, const LossOptions& options, std::uint64_t seed,
                               const Scalar& step)
    : model_(model), entries_(entries), w_(w), batch_(batch), options_(options), seed_(seed), step_(step) {}

optim::Evaluation BatchObjective::operator()(const optim::Request& request) {
  const std::int64_t begin = request.begin, end = request.end < 0 ? batch_.rows() : request.end;
  const bool part = begin > 0 || end < batch_.rows();
  const bool whole_forward = part && options_.micro_norm == MicroNorm::batch;
  const bool first = request.pass == optim::Pass::first;
  // A pass of the whole batch for each part would move the statistics as often.
  const bool update = first && !(whole_forward && begin > 0);
  const bool own_statistics = part && !whole_forward && first && !options_.frozen_statistics;
  if (own_statistics) begin_part(begin);

  const nn::Statistics statistics = options_.frozen_statistics ? nn::Statistics::running
                                    : update                   ? nn::Statistics::update
                                                               : nn::Statistics::hold;
  nn::Context ctx{
      .statistics = statistics, .seed = seed_, .step = step_, .true_gradient = request.true_gradient};
  if (part && !whole_forward) ctx.layer_ = kLayersApart * static_cast<std::uint64_t>(begin);
  const bool cut = part && !whole_forward;
  const Variable x(cut ? batch_.images.slice_rows(begin, end) : batch_.images);
  Variable logits = model_(x, ctx);
  if (whole_forward) logits = slice(logits, {begin, 0}, {end, logits.size(1)});

  const CountedLoss of_rows = loss(logits, begin, end, first);
  optim::Evaluation e = optim::evaluate(
      of_rows.loss, w_, {.norm_gradient = request.norm_gradient, .weight_decay = options_.weight_decay});
  e.rows = end - begin;
  e.correct = of_rows.correct;
  if (own_statistics) end_part(begin, end);
  look_for_failure(e);
  return e;
}

CountedLoss BatchObjective::loss(const Variable& logits, std::int64_t begin, std::int64_t end,
                                 bool count) const {
  const auto loss_at = [&](const Tensor& labels) {
    return cross_entropy(logits, labels.slice_rows(begin, end), options_.cross_entropy);
  };
  CountedLoss own = count
                        ? counted_cross_entropy(logits, batch_.labels.slice_rows(begin, end),
                                                batch_.heavier.slice_rows(begin, end), options_.cross_entropy)
                        : CountedLoss{loss_at(batch_.labels)};
  if (!batch_.mixed()) return own;
  const Variable other = loss_at(batch_.partners);
  own.loss = batch_.own_share.defined()
                 ? Variable(batch_.own_share) * own.loss + Variable(batch_.other_share) * other
                 : batch_.lambda * own.loss + (1 - batch_.lambda) * other;
  return own;
}

void BatchObjective::begin_part(std::int64_t begin) {
  if (begin == 0) {
    statistics_.clear();
    for (const NamedBuffer& b : entries_.buffers) statistics_.push_back({b.buffer, b.buffer->clone(), {}});
  } else {
    for (Statistic& s : statistics_) s.buffer->copy_from(s.before);
  }
}

void BatchObjective::end_part(std::int64_t begin, std::int64_t end) {
  const double share = static_cast<double>(end - begin) / static_cast<double>(batch_.rows());
  for (Statistic& s : statistics_) {
    if (!is_floating(s.buffer->dtype())) continue;  // counters: the last part's count is the step's
    if (!s.mean.defined()) s.mean = Tensor::zeros(s.buffer->shape(), s.buffer->dtype(), s.buffer->device());
    axpby(share, *s.buffer, 1, s.mean);
    if (end == batch_.rows()) s.buffer->copy_from(s.mean);
  }
}

void BatchObjective::look_for_failure(const optim::Evaluation& e) {
  if (!e.loss.known()) return;  // on a device nobody looks while a step is made
  if (!std::isfinite(e.loss)) {
    failure_ = {.loss = true};
    return;
  }
  if (all_finite(e.gradient)) return;
  const Tensors parts = w_.split(e.gradient);
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!all_finite(parts[i])) {
      failure_ = {.parameter = w_.segments()[i].name};
      return;
    }
}

}  // namespace basin::apps
