#include "apps/evaluation.h"

#include "autograd/ops.h"
#include "autograd/recording.h"
#include "data/loader.h"

namespace basin::apps {
namespace {

/// Enters one example: logits' log-probabilities and its label.
void enter(Tally& tally, const double* log_probability, std::int64_t classes, std::int64_t label) {
  const double mine = log_probability[label];
  // Classes that come before the label in order of falling probability, the lower class first among equals.
  std::int64_t ahead = 0;
  for (std::int64_t k = 0; k < classes; ++k)
    ahead += log_probability[k] > mine || (log_probability[k] == mine && k < label);
  // A model that has no number for the label is wrong, not right.
  const bool number = mine == mine;
  ++tally.rows;
  ++tally.class_rows[static_cast<std::size_t>(label)];
  tally.loss_sum -= mine;
  tally.correct += number && ahead == 0;
  tally.correct5 += number && ahead < 5;
  tally.class_correct[static_cast<std::size_t>(label)] += number && ahead == 0;
}

}  // namespace

Tally evaluate(nn::Module& model, std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
               std::int64_t batch_size, int workers, Dtype dtype,
               const std::function<void(std::int64_t rows)>& each_batch) {
  NoRecording off;
  Tally tally;
  tally.class_rows.resize(static_cast<std::size_t>(classes));
  tally.class_correct.resize(static_cast<std::size_t>(classes));
  data::Loader loader(std::move(source), data::one_pass(batch_size, workers));
  for (data::Batch batch; loader.next(batch);) {
    nn::Context ctx = nn::Context::evaluation();
    const Variable logits = model(Variable(batch.images.to(dtype)), ctx);
    // In f64 from here on: the sum over examples is then the same for every batch size.
    const Tensor log_probability = log_softmax(Variable(logits.value().to(Dtype::f64))).value();
    for (std::int64_t i = 0; i < batch.size(); ++i)
      enter(tally, log_probability.data<double>() + i * classes, classes,
            batch.labels.data<std::int64_t>()[i]);
    if (each_batch) each_batch(tally.rows);
  }
  return tally;
}

}  // namespace basin::apps
