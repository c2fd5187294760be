#include "apps/training/outcome.h"

#include <cmath>
#include <limits>

#include "apps/cli/format.h"
#include "apps/evaluation/evaluated_as.h"
#include "apps/runs/members.h"
#include "apps/weights/class_match.h"
#include "apps/weights/weights.h"
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
  Evaluator(const TrainConfig& config, const RunData& data, const RunLength& length, Experiment& experiment,
            RunDirectory& run, const WatchMaker& watch)
      : config_(config), data_(data), length_(length), experiment_(experiment), run_(run), watch_(watch) {}

  Variant last(const EpochRecord& record) {
    Variant v{.name = "last",
              .what = text("after epoch ", record.epoch),
              .test_loss = record.test_loss.value(),
              .test_accuracy = record.test_accuracy.value(),
              .validation_loss = record.validation_loss,
              .validation_accuracy = record.validation_accuracy};
    return attempt(std::move(v), [&](Variant& done) {
      std::optional<EvaluatedAs> other;
      if (const Tensor x = experiment_.update_rule().evaluated(experiment_.weights()); x.defined()) {
        other.emplace(config_, data_, experiment_.model(), experiment_.weights(), x, length_.epochs,
                      watched("last: statistics"));
        if (other->images() > 0) done.details.set("recalibration", recalibrated(other->images()));
      }
      save(done, "final.safetensors");
    });
  }

  /// `weights` with the statistics that belong to them, in place of the model's own for a while.
  void stand_in(Variant& v, const Tensor& weights, const std::string& file) {
    const EvaluatedAs other(config_, data_, experiment_.model(), experiment_.weights(), weights,
                            length_.epochs, watched(v.name + ": statistics"));
    if (other.images() > 0) v.details.set("recalibration", recalibrated(other.images()));
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
      return evaluate_ensemble(experiment_.model(), members, source, classes(), watched("members"));
    };
    report = evaluate_on(data_.test);
    for (std::string& file : report.members) file.erase(0, run_.path().size() + 1);  // as the run sees it
    v.test_loss = report.first.back().loss();
    v.test_accuracy = report.first.back().accuracy();
    if (data_.validation) {
      const EnsembleReport validated = evaluate_on(data_.validation);
      v.validation_loss = validated.first.back().loss();
      v.validation_accuracy = validated.first.back().accuracy();
    }
    v.details = to_json(report);
    expect_finite(v);
  }

 private:
  Identity identity() const { return identity_of(config_.model, data_.set); }
  std::int64_t classes() const { return data_.set.classes(); }

  /// A pass of the run's, watched as `what`.
  EvaluationOptions watched(const std::string& what) const {
    EvaluationOptions options = evaluation_options(config_);
    options.watch = watch_(what, "images");
    return options;
  }

  Json recalibrated(std::int64_t images) const {
    Json how;
    how.set("mode", name_of(recalibration_names(), config_.average.recalibration));
    how.set("images", images).set("batch_size", config_.schedule.batch_size);
    return how;
  }

  void tally(Variant& v) {
    const auto on = [&](const std::shared_ptr<const data::ExampleSource>& source) {
      return evaluate(experiment_.model(), source, classes(), watched(v.name));
    };
    const Tally test = on(data_.test);
    v.test_loss = test.loss();
    v.test_accuracy = test.accuracy();
    if (!data_.validation) return;
    const Tally validation = on(data_.validation);
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
  const RunData& data_;
  const RunLength& length_;
  Experiment& experiment_;
  RunDirectory& run_;
  const WatchMaker& watch_;
};

}  // namespace

Outcome evaluate_outcome(const TrainConfig& config, const RunData& data, const RunLength& length,
                         Experiment& experiment, const EpochRecord& last, RunDirectory& run,
                         const WatchMaker& watch) {
  Evaluator evaluator(config, data, length, experiment, run, watch);
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
    const std::string name = averaging->average.name();
    const std::int64_t entered = averaging->average.n(), held = averaging->average.held();
    add({.name = name,
         .what = averaging->times.in_words(length.steps, length.steps_per_epoch) +
                 (held < entered ? text(", the latest ", held) : ""),
         .models = held},
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

}  // namespace basin::apps
