#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/ops.h"
#include "autograd/recording.h"
#include "core/ops.h"
#include "data/loading/loader.h"

namespace basin::apps {
namespace {

constexpr Index kRowsAtOnce = 4096;  // what is computed of them on the way takes as much memory again

Tally empty_tally(std::int64_t classes) {
  Tally tally;
  tally.class_rows.resize(static_cast<std::size_t>(classes));
  tally.class_correct.resize(static_cast<std::size_t>(classes));
  return tally;
}

/// Enters one example: its label, its loss, and a score for each class that rises with its probability.
void enter(Tally& tally, const double* scores, std::int64_t classes, std::int64_t label, double loss) {
  const double mine = scores[label];
  // Classes that come before the label in order of falling probability, the lower class first among equals.
  std::int64_t ahead = 0;
  for (std::int64_t k = 0; k < classes; ++k) ahead += scores[k] > mine || (scores[k] == mine && k < label);
  // A model that has no number for the label is wrong, not right.
  const bool number = mine == mine;
  ++tally.rows;
  ++tally.class_rows[static_cast<std::size_t>(label)];
  tally.loss_sum += loss;
  tally.correct += number && ahead == 0;
  tally.correct5 += number && ahead < 5;
  tally.class_correct[static_cast<std::size_t>(label)] += number && ahead == 0;
}

/// Calls body(logits {B,classes} in f64, labels) for each batch of the source, in order.
template <class Body>
void for_each_batch(nn::Module& model, const std::shared_ptr<const data::ExampleSource>& source,
                    std::int64_t classes, const EvaluationOptions& options, Body body) {
  NoRecording off;
  std::int64_t rows = 0;
  data::Loader loader(source, data::one_pass(options.batch_size, options.workers, nn::device_of(model)));
  for (data::Batch batch; loader.next(batch);) {
    nn::Context ctx = nn::Context::evaluation();
    const Variable logits = model(Variable(batch.images.to(options.dtype)), ctx);
    if (logits.shape() != Shape{batch.size(), classes})
      throw ArgumentError("[evaluate] the model gives ", logits.shape(), " for ", batch.size(), " images of ",
                          classes, " classes");
    // In f64 from here on: the sum over examples is then the same for every batch size.
    body(logits.value().to(Device{}).to(Dtype::f64), batch.host_labels.data<std::int64_t>());
    rows += batch.size();
    if (options.watch) options.watch(rows, source->size());
  }
}

/// Enters a row of logits {B,K} for each label.
void enter_rows(Tally& tally, const Tensor& logits, const std::int64_t* labels) {
  const Tensor log_probability = log_softmax(Variable(logits)).value();
  const Index classes = logits.size(1);
  const double* row = log_probability.data<double>();
  for (Index i = 0; i < logits.size(0); ++i, row += classes)
    enter(tally, row, classes, labels[i], -row[labels[i]]);
}

Tensor softmax_of(const Tensor& logits) { return exp(log_softmax(Variable(logits))).value(); }

}  // namespace

EvaluationOptions evaluation_options(const TrainConfig& config) {
  return {.batch_size = config.schedule.batch_size,
          .workers = static_cast<int>(config.data.workers),
          .dtype = config.device.activations()};
}

Tally evaluate(nn::Module& model, std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
               const EvaluationOptions& options) {
  Tally tally = empty_tally(classes);
  for_each_batch(model, source, classes, options, [&](const Tensor& logits, const std::int64_t* labels) {
    enter_rows(tally, logits, labels);
  });
  return tally;
}

Tally tally_of(const Logits& logits) {
  NoRecording off;
  Tally tally = empty_tally(logits.numbers.size(1));
  for (Index begin = 0; begin < logits.numbers.size(0); begin += kRowsAtOnce) {
    const Index end = std::min(begin + kRowsAtOnce, logits.numbers.size(0));
    enter_rows(tally, logits.numbers.slice_rows(begin, end), logits.labels.data() + begin);
  }
  return tally;
}

Logits logits_of(nn::Module& model, std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
                 const EvaluationOptions& options) {
  Logits all{.numbers = Tensor::empty({source->size(), classes}, Dtype::f64)};
  for_each_batch(model, source, classes, options, [&](const Tensor& logits, const std::int64_t* labels) {
    const Index begin = static_cast<Index>(all.labels.size());
    all.numbers.slice_rows(begin, begin + logits.size(0)).copy_from(logits);
    all.labels.insert(all.labels.end(), labels, labels + logits.size(0));
  });
  return all;
}

Predictions predict(nn::Module& model, std::shared_ptr<const data::ExampleSource> source,
                    std::int64_t classes, const EvaluationOptions& options) {
  Predictions all;
  all.probabilities = Tensor::empty({source->size(), classes}, Dtype::f64);
  for_each_batch(model, source, classes, options, [&](const Tensor& logits, const std::int64_t* labels) {
    const Index begin = static_cast<Index>(all.labels.size());
    const Index end = begin + logits.size(0);
    all.probabilities.slice_rows(begin, end).copy_from(softmax_of(logits));
    all.labels.insert(all.labels.end(), labels, labels + logits.size(0));
  });
  return all;
}

Tensor probabilities_of(const Tensor& logits) {
  NoRecording off;
  Tensor all = Tensor::empty(logits.shape(), Dtype::f64);
  for (Index begin = 0; begin < logits.size(0); begin += kRowsAtOnce) {
    const Index end = std::min(begin + kRowsAtOnce, logits.size(0));
    all.slice_rows(begin, end).copy_from(softmax_of(logits.slice_rows(begin, end)));
  }
  return all;
}

Tally tally_of(const Tensor& probabilities, const std::vector<std::int64_t>& labels) {
  const Index rows = static_cast<Index>(labels.size());
  if (probabilities.rank() != 2 || probabilities.size(0) != rows || probabilities.dtype() != Dtype::f64)
    throw ArgumentError("[tally] expects probabilities f64 {", rows, ",K} for ", rows, " labels, got ",
                        probabilities.dtype(), " ", probabilities.shape());
  const Index classes = probabilities.size(1);
  Tally tally = empty_tally(classes);
  const double* row = probabilities.data<double>();
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= classes)
      throw ArgumentError("[tally] label ", label, " of row ", tally.rows, " is not below ", classes);
    enter(tally, row, classes, label, -std::log(row[label]));
    row += classes;
  }
  return tally;
}

std::int64_t recalibrate(nn::Module& model, std::shared_ptr<const data::ExampleSource> train,
                         std::uint64_t seed, std::int64_t epoch, nn::RecalibrationMode mode,
                         const EvaluationOptions& options) {
  const std::int64_t images = train->size();
  data::Loader loader(std::move(train), {.batch_size = options.batch_size,
                                         .drop_last = false,
                                         .seed = seed,
                                         .workers = options.workers,
                                         .first_epoch = epoch,
                                         .end_epoch = epoch + 1,
                                         .device = nn::device_of(model)});
  nn::Recalibration recalibration(model, {.mode = mode});
  std::int64_t done = 0;
  for (data::Batch batch; loader.next(batch);) {
    recalibration.add(batch.images.to(options.dtype));
    done += batch.size();
    if (options.watch) options.watch(done, images);
  }
  return recalibration.finish();
}

}  // namespace basin::apps
