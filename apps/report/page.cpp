// Reads a run's own files back and sets them in HTML.
#include "apps/report/page.h"

#include "apps/cli/format.h"
#include "core/error.h"
#include "core/io/files.h"
#include "core/io/json.h"

namespace basin::apps {

namespace {

constexpr const char* kStyle =
    "body{font:15px/1.5 sans-serif;color:#222;background:#fff;max-width:1000px;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid "
    "#ddd}th:first-child,td:first-child{text-align:left}"
    "pre{background:#f6f6f6;padding:1em;overflow-x:auto}svg{max-width:100%;height:auto}";

Json read_json(const std::string& path) {
  try {
    return parse_json(read_file(path));
  } catch (const JsonError& error) {
    throw DataError("[report] ", path, ": ", error.what());
  }
}

std::string html_row(const std::vector<std::string>& cells, const char* tag) {
  std::string out = "<tr>";
  for (const std::string& cell : cells) {
    out += std::string("<") + tag + ">" + escaped_xml(cell) + "</" + tag + ">";
  }
  return out + "</tr>\n";
}

std::vector<std::string> cells_of(const std::string& name, const EpochRecord& r, bool perturbed) {
  std::vector<std::string> cells = {name, fixed(r.train_loss, 4)};
  if (perturbed) cells.push_back(r.train_loss_perturbed ? fixed(*r.train_loss_perturbed, 4) : "");
  cells.insert(cells.end(), {percent(r.train_accuracy, 2), fixed(r.test_loss, 4), percent(r.test_accuracy, 2),
                             significant(r.lr, 3), significant(r.gradient_norm, 3),
                             fixed(r.images_per_second, 0), duration_text(r.seconds)});
  return cells;
}

std::string epochs_table(const std::vector<EpochRecord>& epochs, const EpochRecord* best) {
  const bool perturbed = epochs.back().train_loss_perturbed.has_value();
  std::vector<std::string> titles = {"epoch", "train loss"};
  if (perturbed) titles.push_back("loss at w+e");
  titles.insert(titles.end(), {"train %", "test loss", "test %", "learning rate", "|g|", "images/s", "time"});
  std::string out = "<table>\n" + html_row(titles, "th");
  out += html_row(cells_of(text("last (", epochs.back().epoch, ")"), epochs.back(), perturbed), "td");
  if (best)
    out += html_row(cells_of(text("best, chosen on the ", best->validation_accuracy ? "validation" : "test",
                                  " images (", best->epoch, ")"),
                             *best, perturbed),
                    "td");
  out += "</table>\n<details><summary>every epoch</summary>\n<table>\n" + html_row(titles, "th");
  for (const EpochRecord& r : epochs) out += html_row(cells_of(std::to_string(r.epoch), r, perturbed), "td");
  return out + "</table>\n</details>\n";
}

/// The weights that the run reports beside the last: averages, ensembles.
std::string variants_table(const Json& variants) {
  std::string out = "<table>\n" + html_row({"weights", "models", "test loss", "test %", "what"}, "th");
  for (const Json& v : variants.array())
    out += html_row({v.at("name").string(), std::to_string(v.at("models").integer()),
                     fixed(recorded_number(v.at("test_loss")), 4),
                     percent(recorded_number(v.at("test_accuracy")), 2), v.at("what").string()},
                    "td");
  return out + "</table>\n";
}

std::string words_of(const Json& list) {
  std::string out;
  for (const Json& word : list.array()) out += (out.empty() ? "" : " ") + shell_word(word.string());
  return out;
}

std::string section(const std::string& title, const std::string& body) {
  return "<h2>" + title + "</h2>\n" + body;
}

std::string preformatted(const std::string& content) { return "<pre>" + escaped_xml(content) + "</pre>\n"; }

// How the run was made: each call, what it ran on and how it ended.
std::string sessions_text(const Json& run) {
  std::string out;
  for (const Json& session : run.at("sessions").array()) {
    const Json& build = session.at("build");
    const Json& machine = session.at("machine");
    out += words_of(session.at("command")) + "\n  " + session.at("started").string() + ", basin " +
           build.at("version").string() + " (" + build.at("revision").string() + ", " +
           build.at("compiler").string() + "), " + machine.at("cpu").string() + ", " +
           std::to_string(session.at("threads").integer()) + " threads\n";
  }
  return out;
}

std::string weights_text(const Json& result) {
  if (result.at("weights").is_null()) return "<p>none: the loss of the last weights is not finite</p>\n";
  return preformatted(result.at("weights").string() + "\nsha256 " + result.at("weights_sha256").string() +
                      "\n");
}

}  // namespace

std::vector<Plot> training_plots(const std::vector<EpochRecord>& epochs) {
  Curve train_loss{.label = "train", .points = {}}, test_loss{.label = "test", .points = {}};
  Curve perturbed_loss{.label = "train at w+e", .points = {}, .dashed = true};
  Curve train_accuracy{.label = "train", .points = {}}, test_accuracy{.label = "test", .points = {}};
  Curve largest{.label = "largest eigenvalue", .points = {}}, trace{.label = "trace", .points = {}};
  for (const EpochRecord& r : epochs) {
    const auto x = static_cast<double>(r.epoch);
    train_loss.points.emplace_back(x, r.train_loss);
    test_loss.points.emplace_back(x, r.test_loss);
    if (r.train_loss_perturbed) perturbed_loss.points.emplace_back(x, *r.train_loss_perturbed);
    train_accuracy.points.emplace_back(x, 100 * r.train_accuracy);
    test_accuracy.points.emplace_back(x, 100 * r.test_accuracy);
    if (r.hessian) {
      largest.points.emplace_back(x, r.hessian->largest);
      trace.points.emplace_back(x, r.hessian->trace);
    }
  }
  Plot loss{.title = "Loss",
            .x_label = "epoch",
            .y_label = "cross-entropy",
            .whole_x = true,
            .curves = {train_loss, test_loss}};
  if (!perturbed_loss.points.empty()) loss.curves.push_back(perturbed_loss);
  std::vector<Plot> plots = {loss,
                             {.title = "Accuracy",
                              .x_label = "epoch",
                              .y_label = "%",
                              .whole_x = true,
                              .curves = {train_accuracy, test_accuracy}}};
  if (!largest.points.empty()) {
    plots.push_back({.title = "Largest eigenvalue of the Hessian",
                     .x_label = "epoch",
                     .y_label = "lambda_max",
                     .whole_x = true,
                     .curves = {largest}});
    plots.push_back({.title = "Trace of the Hessian",
                     .x_label = "epoch",
                     .y_label = "trace",
                     .whole_x = true,
                     .curves = {trace}});
  }
  return plots;
}

void write_report(const std::string& directory) {
  const std::vector<EpochRecord> epochs = read_metrics(directory + "/metrics.csv");
  if (epochs.empty()) throw DataError("[report] ", directory, "/metrics.csv: no epoch in it");
  const Json result = read_json(directory + "/result.json"), run = read_json(directory + "/run.json");
  const std::string config = read_file(directory + "/config.toml");
  std::string page;
  const std::string curves = svg(training_plots(epochs));
  try {
    const EpochRecord* best = nullptr;
    if (!result.at("best").is_null()) {
      const std::int64_t number = result.at("best").at("epoch").integer();
      for (const EpochRecord& record : epochs)
        if (record.epoch == number) best = &record;
    }
    const std::string name = escaped_xml(run.at("name").string());
    page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + name +
           "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + name +
           "</h1>\n<p>Test accuracy after the last epoch <strong>" + percent(epochs.back().test_accuracy, 2) +
           " %</strong>, " + grouped(result.at("parameters").integer()) + " parameters, " +
           duration_text(recorded_number(result.at("seconds"))) + ".</p>\n" + curves +
           section("Results", epochs_table(epochs, best)) +
           section("Reported weights", variants_table(result.at("variants"))) +
           section("Configuration", preformatted(config)) +
           section("Runs of the program", preformatted(sessions_text(run))) +
           section("Weights", weights_text(result)) + "</body>\n</html>\n";
  } catch (const JsonError& error) {
    throw DataError("[report] ", directory, ": result.json or run.json: ", error.what());
  }
  write_file_atomically(directory + "/curves.svg", curves);
  write_file_atomically(directory + "/report.html", page);
}

}  // namespace basin::apps
