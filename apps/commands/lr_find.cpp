// `basin lr-find`: the loss while the learning rate rises, and the rates that it suggests.
#include <algorithm>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/lab/answer.h"
#include "apps/lab/rate_search.h"
#include "apps/options/presets.h"
#include "apps/options/sources.h"
#include "apps/runs/lab_directory.h"
#include "apps/runs/run_config.h"
#include "apps/training/axes.h"
#include "apps/training/batch_check.h"
#include "apps/training/experiment.h"

namespace basin::apps {
namespace {

/// The search as an answer's result.
Json result_of(const RateRecord& record, const std::vector<double>& smooth) {
  Json steps = Json::Array{};
  for (std::size_t i = 0; i < record.rates.size(); ++i)
    steps.append(Json::Object{
        {"lr", record.rates[i]}, {"loss", recorded(record.losses[i])}, {"smoothed", recorded(smooth[i])}});
  Json result;
  result.set("end", record.end).set("passes", record.passes);
  if (const auto s = suggestion_of(record.rates, smooth)) {
    result.set("least_loss", s->least).set("lr_at_least_loss", s->minimum);
    result.set("suggestions", Json::Object{{"minimum_over_10", s->tenth}, {"steepest", s->steepest}});
    result.set("steepest_slope", s->slope).set("suggested", s->tenth);
  }
  return result.set("steps", std::move(steps));
}

std::vector<Figure> figures_of(const Json& result, const RateSearchConfig& search) {
  Plot plot{.title = "loss while the learning rate rises",
            .x_label = "learning rate",
            .y_label = "loss",
            .log_x = true,
            .log_y = true};
  Curve batch{.label = "of a batch"}, smooth{.label = "smoothed"};
  double highest = 0, least = 0;
  for (const Json& step : result.at("steps").array()) {
    const double lr = step.at("lr").number(), mean = recorded_number(step.at("smoothed"));
    least = batch.points.empty() ? mean : std::min(least, mean);
    if (!(mean <= search.diverged * least)) break;  // the step that ended the search would dwarf the others
    batch.points.emplace_back(lr, recorded_number(step.at("loss")));
    smooth.points.emplace_back(lr, mean);
    highest = std::max(highest, mean);
  }
  plot.curves = {std::move(batch), std::move(smooth)};
  if (const Json* suggestions = result.find("suggestions"))
    for (const auto& [name, lr] : suggestions->object())
      plot.curves.push_back({.label = name == "steepest" ? "steepest descent" : "minimum / 10",
                             .points = {{lr.number(), least}, {lr.number(), highest}},
                             .dashed = true});
  return {{"rates", std::move(plot)}};
}

class LrFindCall : public Call {
 public:
  LrFindCall() {
    config_.schedule.kind = optim::ScheduleKind::constant;
    config_.schedule.steps = search_.steps;
  }

  void options(OptionTable& t) override {
    t.group("search", "The search");
    t.add_call("lr-min", real(search_.low, above(0)), "the first step's learning rate");
    t.add_call("lr-max", real(search_.high, above(0)),
               "the last step's, if the loss has not diverged before");
    t.add_call("steps", whole(search_.steps, 2, 1'000'000), "steps from one to the other, by equal factors");
    t.add_call("smooth", real(search_.smoothing, below_one()),
               "share of the running mean of the loss that a step keeps");
    t.add_call("diverged", real(search_.diverged, above(1)),
               "stop when the smoothed loss is so many times its least so far");
    t.add_call("config", free_text(sources_.config, "FILE", "a file"),
               "take data, model and rules from this TOML file of `basin train`");
    t.add_call("preset", named(sources_.preset, preset_names(), "presets", "`basin train --help`"),
               "take them from a recipe by its name, such as sam_torch")
        .aliases = {"recipe"};
    t.group("run", "Seed");
    t.add("seed", "seed", natural(config_.run.seed),
          "seed of the initial weights, the order of images and the augmentation");
    t.group("schedule", "Batches");
    t.add("batch-size", "batch_size", whole(config_.schedule.batch_size, 1, 1'000'000), "images in a step");
    add(t, config_.data);
    add(t, config_.model);
    add(t, config_.optimizer);
    std::erase_if(t.options(), [](const Option& option) { return option.flag == "lr"; });
    add(t, config_.sharpness);
    add(t, config_.loss);
    add(t, config_.device);
    add_graph(t, config_.device);
    add(t, answer_);
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>& words) override {
    run_ = words[0];
    const bool file = !sources_.config.empty() || !sources_.preset.empty();
    if (!run_.empty() && file) throw UsageError("RUN, --config and --preset exclude each other: give one");
    if (!run_.empty()) take_from_run(table, run_);
    if (file) {
      TrainConfig saved;
      OptionTable theirs = train_options(saved);
      take_sources(theirs, sources_);
      theirs.settle(/*of_run=*/true);
      take_values(table, theirs, sources_.config.empty() ? "preset " + sources_.preset : sources_.config);
    }
    return run_;
  }

  std::string settled(const OptionTable&) override {
    if (search_.low >= search_.high)
      throw UsageError("--lr-min ", search_.low, " is not below --lr-max ", search_.high);
    config_.schedule.steps = search_.steps;
    config_.optimizer.lr = search_.high;  // the peak, for a radius that follows the rate
    validate(config_);
    return "";
  }

  ExitCode run(Terminal& terminal) override {
    apply(config_.device);
    return resumable(terminal, [&] { return work(terminal); });
  }

 private:
  ExitCode work(Terminal& terminal) {
    const LongWork work(terminal);
    const RunData data =
        load_run_data(config_.data, config_.run.seed, {.watch = work.parts(), .training = true});
    work.done();
    const TrainConfig config = with_whole_paths(config_);
    check_axes(config, run_length(config.schedule, data.train->size()));
    const ImageSet& set = data.set;
    check_batches(config, data, *build_model(config.model, set.image, set.classes(), 0, config.device.dtype));
    const Answer answer(answer_, lab_directory(run_), "lr-find", question_for(data));
    Json result;
    if (const Json* earlier = answer.earlier()) {
      result = *earlier;
    } else {
      const RateRecord record = search_rates(config, data, search_, answer.file("state.safetensors"),
                                             work.part("learning rates", "steps"));
      work.done();
      result = result_of(record, smoothed(record.losses, search_.smoothing));
      answer.write(result, figures_of(result, search_));
    }
    show(in_words(data), result, terminal);
    answer.tell(result, terminal);
    return ExitCode::success;
  }

  Json question_for(const RunData& data) const {
    Json q;
    q.set("lr_min", search_.low).set("lr_max", search_.high).set("steps", search_.steps);
    q.set("smooth", search_.smoothing).set("diverged", search_.diverged);
    TrainConfig recipe = config_;
    recipe.data.dir.clear();
    return q.set("recipe", recipe_toml(recipe)).set("data_hash", data.hash);
  }

  /// What is measured.
  std::string in_words(const RunData& data) const {
    return text("loss of training batches of ", config_.schedule.batch_size, " of ",
                grouped(data.train->size()), " ", data.set.name, " images, augmented by ",
                config_.data.augment, "; ", config_.model.name, ", ",
                name_of(optimizer_names(), config_.optimizer.kind), ", sharpness ",
                name_of(sharpness_names(), config_.sharpness.kind), "; ", config_.device.dtype);
  }

  void show(const std::string& words, const Json& result, Terminal& terminal) const {
    const Json::Array& steps = result.at("steps").array();
    terminal.result(words + "\n");
    terminal.result(text("rates from ", significant(search_.low, 3), " to ",
                         significant(steps.back().at("lr").number(), 3), " in ", grouped(std::ssize(steps)),
                         " steps, ", grouped(result.at("passes").integer()), " passes; ended by ",
                         result.at("end").string(), "\n\n"));
    const Json* suggestions = result.find("suggestions");
    if (suggestions == nullptr) {
      terminal.result(
          "no suggestion: the smoothed loss never fell by a hundredth; try other --lr-min and --lr-max, or "
          "more --steps\n");
      return;
    }
    Table table({{.title = "rule", .left = true}, {.title = "learning rate"}});
    table.add({"least loss, over 10", significant(suggestions->at("minimum_over_10").number(), 3)});
    table.add({"steepest descent", significant(suggestions->at("steepest").number(), 3)});
    terminal.result(table.text(terminal.unicode()));
    terminal.result(text("\nleast smoothed loss ", fixed(result.at("least_loss").number(), 4), " at ",
                         significant(result.at("lr_at_least_loss").number(), 3), "; suggested: --lr ",
                         significant(result.at("suggested").number(), 2), " (the first rule)\n"));
  }

  TrainConfig config_;
  RateSearchConfig search_;
  SourceConfig sources_;
  AnswerConfig answer_;
  std::string run_;
};

}  // namespace

Command lr_find_command() {
  return {"lr-find", "[RUN] [options]", "the loss while the learning rate rises, and a rate to train with", 1,
          make_call<LrFindCall>};
}

}  // namespace basin::apps
