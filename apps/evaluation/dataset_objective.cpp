#include "apps/evaluation/dataset_objective.h"

#include <utility>

#include "autograd/curvature/hvp.h"
#include "autograd/gradients.h"
#include "autograd/recording.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

constexpr Index kWaitingLogits = 1 << 20;

/// The sum over rows of the loss, in f64, on the host.
double sum_of_losses(const Variable& logits, const Tensor& labels, const CrossEntropyOptions& options) {
  const NoRecording off;
  const Variable rows(logits.value().to(Device{}).to(Dtype::f64));
  return static_cast<double>(rows.size(0)) * cross_entropy(rows, labels, options).value().item();
}

}  // namespace

DatasetObjective::DatasetObjective(nn::Module& model, const optim::ParameterVector& w,
                                   std::shared_ptr<const data::ExampleSource> source,
                                   const EvaluationOptions& passes, const DatasetLoss& loss)
    : model_(model), w_(w), source_(std::move(source)), passes_(passes), loss_(loss) {
  if (source_->size() < 1) throw ArgumentError("[dataset objective] a set without examples has no loss");
  if (passes_.batch_size < 1)
    throw ArgumentError("[dataset objective] at least 1 example a pass is needed, got ", passes_.batch_size);
  keep_batches(0);
}

void DatasetObjective::keep_batches(std::int64_t bytes) {
  batches_ = std::make_shared<data::KeptBatches>(source_, passes_.batch_size, passes_.workers,
                                                 w_.values().device(), bytes);
}

void DatasetObjective::sweep(const Pass& pass) const {
  const nn::Statistics statistics = loss_.frozen_statistics ? nn::Statistics::running : nn::Statistics::hold;
  std::uint64_t number = 0;
  std::int64_t done = 0;
  batches_->each([&](const data::Batch& batch) {
    nn::Context ctx{.mode = loss_.mode,
                    .statistics = statistics,
                    .seed = loss_.seed,
                    .step = number++,
                    .true_gradient = true};
    pass(model_(Variable(batch.images.to(w_.dtype())), ctx), batch);
    done += batch.size();
    if (passes_.watch) passes_.watch(done, source_->size());
  });
}

Tensor DatasetObjective::mean_of(
    const std::function<Tensor(const Variable& logits, const data::Batch& batch)>& vector) const {
  Tensor sum = Tensor::zeros({w_.size()}, Dtype::f64, w_.values().device());
  const auto all = static_cast<double>(source_->size());
  sweep([&](const Variable& logits, const data::Batch& batch) {
    const double share = static_cast<double>(batch.size()) / all;
    axpby(share, vector(logits, batch).to(Dtype::f64), 1, sum);
  });
  return sum.to(w_.dtype());
}

void DatasetObjective::add_decay(const Tensor& x, Tensor& y) const {
  if (loss_.weight_decay == 0) return;
  axpby(loss_.weight_decay, w_.decay_mask().defined() ? x * w_.decay_mask() : x, 1, y);
}

optim::Evaluation DatasetObjective::operator()(const optim::Request& request) const {
  if (request.begin != 0 || (request.end >= 0 && request.end != source_->size()))
    throw ArgumentError("[dataset objective] is of all its examples at once, got a request for rows ",
                        request.begin, " to ", request.end);
  optim::Evaluation e;
  double sum = 0;
  e.gradient = mean_of([&](const Variable& logits, const data::Batch& batch) {
    sum += sum_of_losses(logits, batch.host_labels, loss_.cross_entropy);
    e.correct += count_correct(logits.value().to(Device{}), batch.host_labels);
    return optim::evaluate(cross_entropy(logits, batch.labels, loss_.cross_entropy), w_).gradient;
  });
  e.loss = sum / static_cast<double>(source_->size());
  e.rows = source_->size();
  add_decay(w_.values(), e.gradient);
  if (request.norm_gradient) {
    const double length = norm(e.gradient);
    e.norm_gradient =
        length > 0 ? hessian_vector(unary(UnaryOp::mul_scalar, e.gradient, 1 / length)) : e.gradient.clone();
  }
  return e;
}

optim::Evaluation DatasetObjective::forward() const {
  const NoRecording off;
  optim::Evaluation e;
  double sum = 0, correct = 0;
  // A device computes on while the host still asks: the logits are read when there are some.
  std::vector<std::pair<Tensor, Tensor>> waiting;
  Index numbers = 0;
  const auto read = [&] {
    for (const auto& [logits, labels] : waiting) {
      const Tensor here = logits.to(Device{});
      sum += sum_of_losses(Variable(here), labels, loss_.cross_entropy);
      correct += count_correct(here, labels);
    }
    waiting.clear();
    numbers = 0;
  };
  sweep([&](const Variable& logits, const data::Batch& batch) {
    waiting.emplace_back(logits.value(), batch.host_labels);
    numbers += logits.value().elements();
    if (numbers >= kWaitingLogits) read();
  });
  read();
  e.loss = sum / static_cast<double>(source_->size());
  e.correct = correct;
  e.rows = source_->size();
  return e;
}

double DatasetObjective::penalty() const {
  if (loss_.weight_decay == 0) return 0;
  const Tensor decaying = w_.decay_mask().defined() ? w_.values() * w_.decay_mask() : w_.values();
  return loss_.weight_decay * dot(decaying, decaying) / 2;
}

Tensor DatasetObjective::hessian_vector(const Tensor& v) const {
  Tensor product = mean_of([&](const Variable& logits, const data::Batch& batch) {
    return optim::hessian_vector_product(cross_entropy(logits, batch.labels, loss_.cross_entropy), w_, v);
  });
  add_decay(v, product);
  return product;
}

Tensor DatasetObjective::gauss_newton_vector(const Tensor& v) const {
  Tensor product = mean_of([&](const Variable& logits, const data::Batch& batch) {
    return w_.flatten(gauss_newton_product(logits, w_.variables(), w_.split(v), [&](const Tensor& jv) {
      const Variable leaf = Variable::parameter(logits.value());
      return basin::hessian_vector_product(cross_entropy(leaf, batch.labels, loss_.cross_entropy), {leaf},
                                           {jv})[0];
    }));
  });
  add_decay(v, product);
  return product;
}

Tensor DatasetObjective::fisher_vector(const Tensor& v) const {
  Tensor product = mean_of([&](const Variable& logits, const data::Batch& batch) {
    return w_.flatten(gauss_newton_product(logits, w_.variables(), w_.split(v), [&](const Tensor& jv) {
      // Row i of d is 1/n of the gradient of example i's loss with respect to its logits.
      const Variable leaf = Variable::parameter(logits.value());
      const Tensor d = gradients(cross_entropy(leaf, batch.labels, loss_.cross_entropy), {leaf})[0];
      return d * sum(d * jv, {1}, /*keep=*/true) * static_cast<double>(batch.size());
    }));
  });
  add_decay(v, product);
  return product;
}

}  // namespace basin::apps
