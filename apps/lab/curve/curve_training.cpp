#include "apps/lab/curve/curve_training.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/runs/checkpoint.h"
#include "apps/runs/run_config.h"
#include "apps/training/batch_check.h"
#include "apps/training/batch_objective.h"
#include "core/io/directory.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

constexpr const char* kState = "curve_training";

/// Where the training stands, for the file's metadata.
struct Position {
  CurveTrainingRecord record{};
  double sum = 0;            // of losses in the epoch so far
  std::int64_t batches = 0;  // and of how many steps
};

Json to_json(const Position& p) {
  Json json;
  json.set("steps", p.record.steps).set("images", p.record.images);
  json.set("epoch_losses", recorded(p.record.epoch_losses));
  json.set("sum", recorded(p.sum)).set("batches", p.batches);
  return json;
}

Position position_in(const Archive& archive) {
  const auto text_of = archive.metadata().find(kState);
  if (text_of == archive.metadata().end())
    throw CheckpointError("[curve] ", archive.path(), " holds no trained curve; remove it");
  const Json json = parse_json(text_of->second);
  return {.record = {.steps = json.at("steps").integer(),
                     .images = json.at("images").integer(),
                     .epoch_losses = recorded_numbers(json.at("epoch_losses"))},
          .sum = recorded_number(json.at("sum")),
          .batches = json.at("batches").integer()};
}

/// The configuration that batches are made by, and the training images with their augmentation.
struct TrainingImages {
  TrainConfig config;
  RunData data;
};

TrainingImages training_images(const Subject& subject, const CurveTrainingConfig& c) {
  TrainingImages images{subject.run.config, subject.run.data};
  images.config.run.seed = c.seed;
  images.config.schedule.epochs = c.epochs;
  images.config.schedule.steps = c.steps;
  images.config.data.augment = c.augment;
  if (c.augment == "none") return images;
  const ImageSet& set = subject.run.data.set;
  images.data = load_run_data(images.config.data, c.seed, {.normalisation = {set.mean, set.deviation}});
  if (!subject.run.match.in_order) images.data.train = relabelled(images.data.train, subject.run.match.place);
  return images;
}

class Training {
 public:
  Training(CurveFit& fit, Subject& subject, const CurveTrainingConfig& config, const std::string& file)
      : fit_(fit),
        subject_(subject),
        config_(config),
        file_(file),
        images_(training_images(subject, config)),
        length_(run_length(images_.config.schedule, images_.data.train->size())),
        entries_(entries_of(*subject.run.model)),
        parts_({{"curve", entries_of(fit)}}),
        places_(subject.w->values().device(), images_.config.device.activations(), subject.run.logits),
        loss_{.cross_entropy = subject.loss.cross_entropy,
              .weight_decay = config.weight_decay,
              .frozen_statistics = subject.loss.frozen_statistics} {
    check_batches(images_.config, images_.data, *subject.run.model);
    if (kind_of_file(file_) == FileKind::none) return;
    const Archive archive(file_);
    position_ = position_in(archive);
    restore_state(archive, parts_);
    saved_ = position_.record.steps;
  }

  CurveTrainingRecord run(const data::Watch& watch) {
    try {
      while (position_.record.steps < length_.steps) {
        epoch(watch);
        save();
      }
      if (watch) watch(length_.steps, length_.steps);
    } catch (...) {
      save();
      throw;
    }
    return position_.record;
  }

 private:
  /// The rest of the epoch that the next step is in.
  void epoch(const data::Watch& watch) {
    const std::int64_t number = position_.record.steps / length_.steps_per_epoch;
    data::Loader loader(
        images_.data.train,
        training_batches(images_.config, number, position_.record.steps % length_.steps_per_epoch));
    data::Batch batch;
    while (position_.record.steps < length_.steps && loader.next(batch)) {
      if (watch) watch(position_.record.steps, length_.steps);
      step(batch, number);
    }
    position_.record.epoch_losses.push_back(position_.sum / static_cast<double>(position_.batches));
    position_.sum = 0;
    position_.batches = 0;
  }

  void step(const data::Batch& given, std::int64_t epoch) {
    const std::int64_t number = position_.record.steps;
    const double t = CurveFit::place(config_.seed, number);
    subject_.w->values().copy_from(fit_.curve().at(t));
    BatchObjective loss(*subject_.run.model, entries_, *subject_.w, places_.put(given).made(), loss_,
                        config_.seed, number);
    const optim::Evaluation e = loss({.pass = optim::Pass::repeat});
    const double value = e.loss;
    const bool finite = std::isfinite(value) && all_finite(e.gradient);
    if (!finite)
      throw NumericalError("[curve] step ", number + 1, " at t = ", t, ": the ",
                           std::isfinite(value) ? "gradient" : "loss",
                           " is not finite; a lower --lr may help");
    const bool by_steps = config_.steps > 0;
    const double share = by_steps ? static_cast<double>(number + 1) / static_cast<double>(length_.steps)
                                  : static_cast<double>(epoch + 1) / static_cast<double>(length_.epochs);
    fit_.descend(t, e.gradient, curve_rate(config_.lr, share));
    position_.sum += value;
    ++position_.batches;
    ++position_.record.steps;
    position_.record.images += e.rows;
  }

  void save() {
    if (saved_ == position_.record.steps) return;
    write_archive(file_, state_entries(parts_), {{kState, to_json(position_).compact()}});
    saved_ = position_.record.steps;
  }

  CurveFit& fit_;
  Subject& subject_;
  const CurveTrainingConfig& config_;
  std::string file_;
  TrainingImages images_;
  RunLength length_;
  Entries entries_;
  std::vector<StatePart> parts_;
  StepPlaces places_;
  LossOptions loss_;
  Position position_;
  std::int64_t saved_ = -1;  // steps that the file has
};

}  // namespace

CurveTrainingRecord train_curve(CurveFit& fit, Subject& subject, const CurveTrainingConfig& config,
                                const std::string& file, const data::Watch& watch) {
  return Training(fit, subject, config, file).run(watch);
}

}  // namespace basin::apps
