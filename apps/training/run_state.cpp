#include "apps/training/run_state.h"

#include "apps/runs/result.h"
#include "core/io/hash.h"

namespace basin::apps {

TrainingPosition position_of(const RunState& state, const TrainConfig& config, const RunData& data) {
  TrainingPosition p;
  p.step = state.step;
  p.epoch = state.epoch;
  p.batch = state.batch;
  p.samples_seen = state.samples_seen;
  p.seed = config.run.seed;
  p.recipe = recipe_toml(config);
  p.config_hash = sha256_text(p.recipe);
  p.data_hash = data.hash;
  if (!data.hash_by_sizes.empty()) p.extra.set("data_by_sizes", data.hash_by_sizes);
  p.model = config.model.name + (config.model.shortcut == nn::Shortcut::b ? "-B" : "");
  p.optimizer = name_of(optimizer_names(), config.optimizer.kind);
  p.rule = rule_name(config.sharpness.kind);
  p.average = name_of(average_names(), config.average.kind);
  if (const auto best = best_of(state.epochs)) {
    p.best_metric = best->validation_accuracy ? *best->validation_accuracy : *best->test_accuracy;
    p.best_epoch = best->epoch;
  }
  p.extra.set("epoch_sums", to_json(state.sums));
  p.extra.set("skipped_in_row", state.skipped_in_row).set("skipped", state.skipped);
  Json epochs = Json::Array{};
  for (const EpochRecord& record : state.epochs) epochs.append(to_json(record));
  p.extra.set("epochs", std::move(epochs)).set("seconds", state.seconds);
  return p;
}

RunState state_at(const TrainingPosition& p) {
  RunState state{.step = p.step, .epoch = p.epoch, .batch = p.batch, .samples_seen = p.samples_seen};
  state.sums = epoch_sums(p.extra.at("epoch_sums"));
  state.skipped_in_row = p.extra.at("skipped_in_row").integer();
  state.skipped = p.extra.at("skipped").integer();
  if (const Json* seconds = p.extra.find("seconds")) state.seconds = recorded_number(*seconds);
  if (const Json* epochs = p.extra.find("epochs"))
    for (const Json& record : epochs->array()) state.epochs.push_back(epoch_record(record));
  return state;
}

std::vector<StatePart> parts_of(Experiment& experiment) {
  std::vector<StatePart> parts = {{"model", experiment.entries()},
                                  {"optimizer", entries_of(experiment.update_rule())},
                                  {"rule", entries_of(experiment.gradient_rule())}};
  if (experiment.averaging()) parts.push_back({"average", entries_of(experiment.averaging()->average)});
  return parts;
}

}  // namespace basin::apps
