#include "apps/training/outcome.h"

#include <cmath>
#include <limits>

#include "apps/cli/format.h"
#include "apps/runs/class_match.h"
#include "apps/runs/weights.h"
#include "core/io/hash.h"
#include "nn/recalibration.h"
#include "optim/averages/stand_in.h"

namespace basin::apps {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Errors: NumericalError naming a loss that is not finite.
void expect_finite(const Variant& v) {
  if (!std::isfinite(v.test_loss)) throw NumericalError("the test loss is ", fixed(v.test_loss, 4));
  if (!std::isfinite(v.validation_loss.value_or(0)))
    throw NumericalError("the validation loss is ", fixed(*v.validation_loss, 4));
}

/// `v` as `complete` completes it. What is not finite stands in it as its failure and does not end the
/// program: the other weights of the run still have their figures.
template <class Complete>
Variant attempt(Variant v, Complete complete) {
  try {
    complete(v);
  } catch (const NumericalError& error) {
    v.failure = error.what();
  }
  return v;
}

class Evaluator {
 public:
  Evaluator(const TrainConfig& config, const Examples& examples, Experiment& experiment, RunDirectory& run,
            const OutcomeProgress& progress)
      : config_(config), examples_(examples), experiment_(experiment), run_(run), progress_(progress) {}

  Variant last(const EpochRecord& record) {
    Variant v{.name = "last",
              .what = text("after epoch ", record.epoch),
              .test_loss = record.test_loss,
              .test_accuracy = record.test_accuracy,
              .validation_loss = record.validation_loss,
              .validation_accuracy = record.validation_accuracy};
    return attempt(std::move(v), [&](Variant& done) { save(done, "final.safetensors"); });
  }

  /// `weights` with the statistics that belong to them, in place of the model's own for a while.
  void stand_in(Variant& v, const Tensor& weights, const std::string& file) {
    // Frozen statistics are constants of the network, not estimates that belong to some weights.
    const bool frozen = config_.model.norm_statistics == NormStatistics::frozen;
    std::optional<optim::StandIn> stand;
    if (frozen)
      stand.emplace(experiment_.weights(), experiment_.entries().buffers, weights, statistics());
    else
      stand.emplace(experiment_.weights(), experiment_.entries().buffers, weights);
    if (!frozen && nn::needs_recalibration(experiment_.model()))
      v.details.set("recalibration", recalibrate(v.name));
    tally(v);
    save(v, file);
  }

  void ensemble(Variant& v, EnsembleReport& report) {
    const std::vector<std::string> members = list_members(run_.path());
    v.models = static_cast<std::int64_t>(members.size());
    for (const std::string& member : members)
      expect_same_run(member, identity_in(WeightFile(member).metadata()), identity());
    // The model is borrowed as a scratch for the members.
    optim::StandIn stand(experiment_.weights(), experiment_.entries().buffers,
                         experiment_.weights().values());
    const auto evaluate_on = [&](const std::shared_ptr<const data::ExampleSource>& source) {
      return evaluate_ensemble(experiment_.model(), members, source, classes(), config_.schedule.batch_size,
                               workers(), config_.device.dtype, [&](std::size_t member, std::int64_t rows) {
                                 progress_(text("member ", member + 1), rows, source->size());
                               });
    };
    report = evaluate_on(examples_.test);
    for (std::string& file : report.members) file.erase(0, run_.path().size() + 1);  // as the run sees it
    v.test_loss = report.first.back().loss();
    v.test_accuracy = report.first.back().accuracy();
    if (examples_.validation) {
      const EnsembleReport validated = evaluate_on(examples_.validation);
      v.validation_loss = validated.first.back().loss();
      v.validation_accuracy = validated.first.back().accuracy();
    }
    v.details = to_json(report);
    expect_finite(v);
  }

 private:
  Identity identity() const { return identity_of(config_.model, examples_.set); }
  std::int64_t classes() const { return examples_.set.classes(); }
  int workers() const { return static_cast<int>(config_.data.workers); }

  Tensors statistics() const {
    Tensors all;
    for (const NamedBuffer& b : experiment_.entries().buffers)
      if (b.kind == BufferKind::statistics) all.push_back(*b.buffer);
    return all;
  }

  Json recalibrate(const std::string& name) {
    data::LoaderOptions batches = training_batches(config_, config_.schedule.epochs, 0);
    batches.mix = {};  // statistics for images as evaluation has them, each of one picture
    data::Loader loader(examples_.train, batches);
    nn::Recalibration recalibration(experiment_.model(), {.mode = config_.average.recalibration});
    std::int64_t done = 0;
    for (data::Batch batch; loader.next(batch);) {
      recalibration.add(batch.images.to(config_.device.dtype));
      progress_(name + ": statistics", done += batch.size(), examples_.train->size());
    }
    Json how;
    how.set("mode", name_of(recalibration_names(), config_.average.recalibration));
    how.set("images", recalibration.finish());
    how.set("batch_size", config_.schedule.batch_size);
    return how;
  }

  void tally(Variant& v) {
    const auto on = [&](const std::shared_ptr<const data::ExampleSource>& source) {
      return evaluate(experiment_.model(), source, classes(), config_.schedule.batch_size, workers(),
                      config_.device.dtype,
                      [&](std::int64_t rows) { progress_(v.name, rows, source->size()); });
    };
    const Tally test = on(examples_.test);
    v.test_loss = test.loss();
    v.test_accuracy = test.accuracy();
    if (!examples_.validation) return;
    const Tally validation = on(examples_.validation);
    v.validation_loss = validation.loss();
    v.validation_accuracy = validation.accuracy();
  }

  /// Where its losses are finite, and the variant has a file. Errors: NumericalError; OutputError.
  void save(Variant& v, const std::string& file) {
    expect_finite(v);
    if (file.empty()) return;
    save_weights(run_.file(file), experiment_.entries(), identity());
    v.weights = file;
    v.weights_sha256 = sha256_file(run_.file(file));
  }

  const TrainConfig& config_;
  const Examples& examples_;
  Experiment& experiment_;
  RunDirectory& run_;
  const OutcomeProgress& progress_;
};

}  // namespace

Outcome evaluate_outcome(const TrainConfig& config, const Examples& examples, Experiment& experiment,
                         const EpochRecord& last, RunDirectory& run, const OutcomeProgress& progress) {
  Evaluator evaluator(config, examples, experiment, run, progress);
  Outcome outcome;
  outcome.variants.push_back(evaluator.last(last));
  const bool estimated = config.model.norm_statistics == NormStatistics::batch;
  const auto add = [&](Variant v, const auto& complete) {
    v.test_loss = v.test_accuracy = kNone;
    outcome.variants.push_back(attempt(std::move(v), complete));
  };
  if (config.average.recalibrate_last && estimated && nn::needs_recalibration(experiment.model())) {
    const Tensor weights = experiment.weights().values().clone();
    add({.name = "last, recalibrated", .what = outcome.variants[0].what},
        [&](Variant& v) { evaluator.stand_in(v, weights, ""); });
  }
  if (std::optional<Averaging>& averaging = experiment.averaging()) {
    const std::int64_t steps = steps_per_epoch(config, examples);
    const std::string name = averaging->average.name();
    add({.name = name,
         .what = averaging->collection.in_words(total_steps(config, steps), steps),
         .models = averaging->average.n()},
        [&](Variant& v) {
          if (v.models == 0)
            throw NumericalError("no weights entered it: the steps that were to bring them were all skipped");
          evaluator.stand_in(v, averaging->average.values(), "final-" + name + ".safetensors");
        });
  }
  if (config.ensemble.kind != EnsembleKind::none)
    add({.name = "ensemble", .what = "mean of the members' probabilities"},
        [&](Variant& v) { evaluator.ensemble(v, outcome.ensemble); });
  return outcome;
}

Table table_of(const std::vector<Variant>& variants) {
  const bool validated = !variants.empty() && variants[0].validation_accuracy.has_value();
  std::vector<Table::Column> columns = {
      {.title = "weights", .left = true}, {.title = "models"}, {.title = "test loss"}, {.title = "test %"}};
  if (validated) columns.push_back({.title = "val %"});
  Table table(columns);
  for (const Variant& v : variants) {
    std::vector<std::string> cells = {v.name, std::to_string(v.models), fixed(v.test_loss, 4),
                                      percent(v.test_accuracy, 2)};
    if (validated) cells.push_back(percent(v.validation_accuracy.value_or(kNone), 2));
    table.add(cells);
  }
  return table;
}

}  // namespace basin::apps
