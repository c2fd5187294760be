// Puts the tables and figures of runs in their order.
#include "apps/report/page/page.h"

#include <algorithm>

#include "apps/cli/format.h"
#include "apps/report/page/html.h"
#include "apps/report/page/run_tables.h"
#include "apps/report/pictures.h"
#include "apps/runs/result.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {

namespace {

std::string words_of(const Json& list) {
  std::string out;
  for (const Json& word : list.array()) out += (out.empty() ? "" : " ") + shell_word(word.string());
  return out;
}

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

std::string weights_html(const Json& result) {
  if (result.is_null()) return html_paragraph("none yet: the run has not ended");
  if (result.at("weights").is_null())
    return html_paragraph("none: the loss of the last weights is not finite");
  return html_preformatted(result.at("weights").string() + "\nsha256 " +
                           result.at("weights_sha256").string() + "\n");
}

/// How the run came out, in one sentence.
std::string headline(const ReportedRun& run) {
  const std::optional<EpochRecord> last = last_evaluated(run.epochs);
  if (!last) return html_paragraph((run.label.empty() ? "" : run.label + ": ") + "not evaluated yet");
  std::string line = "<p>" + (run.label.empty() ? "" : escaped_xml(run.label) + ": test") +
                     (run.label.empty() ? "Test" : "") + " accuracy after " +
                     (run.result.is_null() ? text("epoch ", last->epoch) : "the last epoch") + " <strong>" +
                     percent(*last->test_accuracy, 2) + " %</strong>";
  if (!run.result.is_null())
    line += ", " + grouped(run.result.at("parameters").integer()) + " parameters, " +
            duration_text(recorded_number(run.result.at("seconds")));
  return line + ".</p>\n";
}

/// The figures of that name and kind of answers, side by side, and over each other where they are curves.
void add_side_by_side(Html& page, const std::string& name,
                      const std::vector<std::pair<std::string, const ReportedAnswer*>>& answers,
                      std::vector<Figure>& kept) {
  std::vector<ShownFigure> shown;
  std::vector<std::pair<std::string, const Plot*>> plots;
  for (const auto& [label, answer] : answers) {
    for (const Figure& figure : answer->figures) {
      if (figure.name != name) continue;
      shown.push_back({&figure, label});
      if (const auto* plot = std::get_if<Plot>(&figure.content)) plots.emplace_back(label, plot);
    }
  }
  if (plots.size() > 1) {
    if (Plot together = overlaid(plots); !together.curves.empty()) {
      kept.push_back({name + "-together", std::move(together)});
      page.figures({{&kept.back(), ""}});
      page.fold(name + " of each run", shown);
      return;
    }
  }
  page.figures(shown);
}

/// A command's answers: the first of each run beside each other, the second, ...
void add_command(Html& page, const std::string& command, const std::vector<ReportedRun>& runs) {
  page.section(command);
  for (std::size_t k = 0;; ++k) {
    std::vector<std::pair<std::string, const ReportedAnswer*>> answers;
    for (const ReportedRun& run : runs) {
      std::size_t seen = 0;
      for (const ReportedAnswer& answer : run.answers)
        if (answer.command == command && seen++ == k) answers.emplace_back(run.label, &answer);
    }
    if (answers.empty()) return;
    if (k > 0) page.add("<h3>" + escaped_xml(answers.front().second->name) + "</h3>\n");
    std::vector<std::string> names, told;
    for (const auto& [label, answer] : answers) {
      for (const std::string& words : answer->statements) {
        if (std::find(told.begin(), told.end(), words) != told.end()) continue;
        told.push_back(words);
      }
      for (const Figure& figure : answer->figures)
        if (std::find(names.begin(), names.end(), figure.name) == names.end()) names.push_back(figure.name);
    }
    for (const std::string& words : told) page.add(html_paragraph(words, "said"));
    if (answers.size() == 1) {
      std::vector<ShownFigure> shown;
      const std::string caption = runs.size() > 1 ? answers[0].first : "";
      for (const Figure& figure : answers[0].second->figures) shown.push_back({&figure, caption});
      page.figures(shown);
      continue;
    }
    std::vector<Figure> kept;
    kept.reserve(names.size());
    for (const std::string& name : names) add_side_by_side(page, name, answers, kept);
  }
}

void add_answers(Html& page, const std::vector<ReportedRun>& runs,
                 const std::vector<ReportedAnswer>& between) {
  std::vector<std::string> commands;
  for (const ReportedRun& run : runs)
    for (const ReportedAnswer& answer : run.answers)
      if (std::find(commands.begin(), commands.end(), answer.command) == commands.end())
        commands.push_back(answer.command);
  std::sort(commands.begin(), commands.end());
  for (const std::string& command : commands) add_command(page, command, runs);
  for (const ReportedAnswer& answer : between) {
    page.section(answer.command + " between runs" +
                 (answer.name == answer.command ? "" : ": " + answer.name));
    for (const std::string& words : answer.statements) page.add(html_paragraph(words, "said"));
    std::vector<ShownFigure> shown;
    for (const Figure& figure : answer.figures) shown.push_back({&figure, ""});
    page.figures(shown);
  }
}

void add_results(Html& page, const std::vector<ReportedRun>& runs) {
  page.section("Results");
  for (const ReportedRun& run : runs) {
    if (runs.size() > 1) continue;
    FigureTable last = headline_table(run), all = epochs_table(run);
    last.title.clear(), all.title.clear();
    page.add(html_table(last) + html_details("every epoch", html_table(all)));
  }
  page.add(html_table(results_table(runs)));
  if (runs.size() == 1) return;
  if (const FigureTable seeds = seeds_table(runs); !seeds.rows.empty()) page.add(html_table(seeds));
  for (const ReportedRun& run : runs) {
    FigureTable all = epochs_table(run);
    all.title.clear();
    page.add(html_details("every epoch of " + run.label, html_table(all)));
  }
}

void add_setting(Html& page, const std::vector<ReportedRun>& runs) {
  page.section("Configuration");
  if (runs.size() > 1) {
    FigureTable differences = differences_table(runs);
    differences.title.clear();
    page.add(differences.rows.empty()
                 ? html_paragraph("The runs have one configuration.")
                 : html_paragraph("What the runs differ in:") + html_table(differences, true));
  }
  for (const ReportedRun& run : runs)
    page.add(runs.size() > 1 ? html_details("config.toml of " + run.label, html_preformatted(run.config))
                             : html_preformatted(run.config));
  page.section("Runs of the program");
  for (const ReportedRun& run : runs) page.add(html_preformatted(sessions_text(run.run)));
  page.section("Weights");
  for (const ReportedRun& run : runs) {
    if (runs.size() > 1) page.add(html_paragraph(run.label));
    page.add(weights_html(run.result));
  }
}

void write_page(Html& page, const std::vector<ReportedRun>& runs,
                const std::vector<ReportedAnswer>& between) {
  for (const ReportedRun& run : runs) page.lead(headline(run));
  page.section("Learning curves");
  std::vector<Figure> curves = learning_figures(runs);
  if (runs.size() == 1) {
    const std::vector<Plot> own = training_plots(runs[0].epochs);
    curves.insert(curves.begin(), {{"loss", own[0]}, {"accuracy", own[1]}});
  }
  std::vector<ShownFigure> shown;
  bool smoothed = false;
  for (const Figure& figure : curves) {
    shown.push_back({&figure, ""});
    for (const Curve& curve : std::get<Plot>(figure.content).curves) smoothed = smoothed || curve.faint;
  }
  if (smoothed)
    page.add(
        html_paragraph("Thin lines are the numbers themselves; thick ones their means under a Gaussian as "
                       "wide as 2 % of the curve.",
                       "said"));
  page.figures(shown);
  add_results(page, runs);
  add_answers(page, runs, between);
  add_setting(page, runs);
}

}  // namespace

ReportPage page_of(const std::vector<ReportedRun>& runs, const std::vector<ReportedAnswer>& between) {
  std::string title;
  for (const ReportedRun& run : runs) title += (title.empty() ? "" : ", ") + run.name;
  if (runs.size() > 1) title = text(runs.size(), " runs");
  Html page(title);
  try {
    write_page(page, runs, between);
  } catch (const JsonError& error) {
    throw DataError("[report] result.json or run.json: ", error.what());
  }
  return {page.text(), page.count()};
}

void write_report(const std::string& directory) {
  ReportedRun run = read_reported_run(directory);
  if (run.result.is_null()) throw DataError("[report] ", directory, "/result.json is missing");
  const std::string page = page_of({run}).html;
  write_file_atomically(directory + "/curves.svg", svg(training_plots(run.epochs)));
  write_file_atomically(directory + "/report.html", page);
}

}  // namespace basin::apps
