#include "apps/report/page/run_tables.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "apps/cli/format.h"
#include "apps/options/toml_file.h"
#include "apps/runs/result.h"
#include "core/error.h"

namespace basin::apps {
namespace {

bool perturbed(const ReportedRun& run) { return run.epochs.back().train_loss_perturbed.has_value(); }

FigureTable empty_epochs(const ReportedRun& run) {
  FigureTable table{.title = "Epochs", .columns = {"epoch", "train loss"}, .rows = {}};
  if (perturbed(run)) table.columns.push_back("loss at w+e");
  for (const char* title : {"train %", "test loss", "test %", "learning rate", "|g|", "images/s", "time"})
    table.columns.push_back(title);
  return table;
}

std::vector<std::string> cells_of(const std::string& name, const EpochRecord& r, bool with_perturbed) {
  std::vector<std::string> cells = {name, fixed(r.train_loss, 4)};
  if (with_perturbed) cells.push_back(r.train_loss_perturbed ? fixed(*r.train_loss_perturbed, 4) : "");
  cells.insert(cells.end(),
               {percent(r.train_accuracy, 2), r.test_loss ? fixed(*r.test_loss, 4) : "",
                r.test_accuracy ? percent(*r.test_accuracy, 2) : "", significant(r.lr, 3),
                significant(r.gradient_norm, 3), fixed(r.images_per_second, 0), duration_text(r.seconds)});
  return cells;
}

/// A set of weights and what it comes to.
struct Reported {
  std::string name{}, what{};
  std::int64_t models = 1;
  double loss = 0, accuracy = 0;
};

std::vector<Reported> reported_by(const ReportedRun& run) {
  if (run.result.is_null()) {
    const std::optional<EpochRecord> last = last_evaluated(run.epochs);
    if (!last) return {};
    return {
        {text("epoch ", last->epoch), "the run has not ended", 1, *last->test_loss, *last->test_accuracy}};
  }
  std::vector<Reported> all;
  for (const Json& v : run.result.at("variants").array())
    all.push_back({v.at("name").string(), v.at("what").string(), v.at("models").integer(),
                   recorded_number(v.at("test_loss")), recorded_number(v.at("test_accuracy"))});
  return all;
}

std::string with_deviation(const std::vector<double>& values, double scale, int decimals) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return fixed(scale * mean, decimals) + " ± " + fixed(scale * deviation, decimals);
}

std::string seed_of(const ReportedRun& run) {
  const Json* seed = run.run.find("seed");
  return seed ? std::to_string(seed->natural()) : "";
}

}  // namespace

FigureTable headline_table(const ReportedRun& run) {
  FigureTable table = empty_epochs(run);
  const EpochRecord& last = run.epochs.back();
  table.rows.push_back(cells_of(text("last (", last.epoch, ")"), last, perturbed(run)));
  if (run.result.is_null() || run.result.at("best").is_null()) return table;
  const std::int64_t number = run.result.at("best").at("epoch").integer();
  for (const EpochRecord& r : run.epochs) {
    if (r.epoch != number) continue;
    const char* images = r.validation_accuracy ? "validation" : "test";
    table.rows.push_back(
        cells_of(text("best, chosen on the ", images, " images (", r.epoch, ")"), r, perturbed(run)));
  }
  return table;
}

FigureTable epochs_table(const ReportedRun& run) {
  FigureTable table = empty_epochs(run);
  for (const EpochRecord& r : run.epochs)
    table.rows.push_back(cells_of(std::to_string(r.epoch), r, perturbed(run)));
  return table;
}

FigureTable results_table(const std::vector<ReportedRun>& runs) {
  const bool several = runs.size() > 1;
  FigureTable table{.title = "Reported weights", .columns = {}, .rows = {}};
  if (several) table.columns = {"run", "seed"};
  for (const char* title : {"weights", "models", "test loss", "test %", "what"})
    table.columns.push_back(title);
  for (const ReportedRun& run : runs) {
    for (const Reported& v : reported_by(run)) {
      std::vector<std::string> row;
      if (several) row = {run.label, seed_of(run)};
      row.insert(row.end(),
                 {v.name, std::to_string(v.models), fixed(v.loss, 4), percent(v.accuracy, 2), v.what});
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

FigureTable seeds_table(const std::vector<ReportedRun>& runs) {
  FigureTable table{.title = "Mean and standard deviation over seeds",
                    .columns = {"recipe of", "runs", "weights", "test loss", "test %"},
                    .rows = {}};
  std::vector<std::string> recipes;
  std::map<std::string, std::vector<const ReportedRun*>> by_recipe;
  for (const ReportedRun& run : runs) {
    if (run.result.is_null()) continue;
    const std::string recipe = recipe_without_seed(run);
    if (by_recipe[recipe].empty()) recipes.push_back(recipe);
    by_recipe[recipe].push_back(&run);
  }
  for (const std::string& recipe : recipes) {
    const auto& members = by_recipe[recipe];
    if (members.size() < 2) continue;
    std::string names;
    std::vector<std::string> weights;
    std::map<std::string, std::vector<double>> losses, accuracies;
    for (const ReportedRun* run : members) {
      names += (names.empty() ? "" : ", ") + run->label;
      for (const Reported& v : reported_by(*run)) {
        if (losses[v.name].empty()) weights.push_back(v.name);
        losses[v.name].push_back(v.loss);
        accuracies[v.name].push_back(v.accuracy);
      }
    }
    for (const std::string& name : weights)
      if (losses[name].size() > 1)
        table.rows.push_back({names, std::to_string(losses[name].size()), name,
                              with_deviation(losses[name], 1, 4), with_deviation(accuracies[name], 100, 2)});
  }
  return table;
}

FigureTable differences_table(const std::vector<ReportedRun>& runs) {
  FigureTable table{.title = "Differences", .columns = {"option"}, .rows = {}};
  std::vector<std::string> options;
  std::vector<std::map<std::string, std::string>> values(runs.size());
  const auto take = [&](std::size_t i, const std::string& option, const std::string& value) {
    if (std::find(options.begin(), options.end(), option) == options.end()) options.push_back(option);
    values[i][option] = value;
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    table.columns.push_back(runs[i].label);
    for (const TomlEntry& entry : parse_toml(runs[i].config, runs[i].path + "/config.toml"))
      if (entry.kind != TomlEntry::Kind::section) take(i, entry.path, entry.value);
    for (const Json& session : runs[i].run.at("sessions").array()) {
      take(i, "basin",
           session.at("build").at("version").string() + ", " + session.at("build").at("revision").string());
      take(i, "machine", session.at("machine").at("cpu").string());
      take(i, "threads", std::to_string(session.at("threads").integer()));
    }
  }
  for (const std::string& option : options) {
    std::vector<std::string> row = {option};
    for (const auto& of_run : values) {
      const auto found = of_run.find(option);
      row.push_back(found == of_run.end() ? "–" : found->second);
    }
    if (std::adjacent_find(row.begin() + 1, row.end(), std::not_equal_to<>()) != row.end())
      table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace basin::apps
