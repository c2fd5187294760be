// `basin report`: one page of runs and of all that the laboratory found about them.
#include <algorithm>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/terminal.h"
#include "apps/lab/answer.h"
#include "apps/lab/predictions.h"
#include "apps/lab/subject.h"
#include "apps/report/page/page.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

constexpr std::size_t kMostRuns = 64;

/// The statements within a question, wherever they are, in words.
void add_statements(const Json& json, std::vector<std::string>& lines) {
  if (json.is_array())
    for (const Json& part : json.array()) add_statements(part, lines);
  if (!json.is_object()) return;
  if (json.find("weights_sha256") && json.find("batch_norm")) {
    const std::string line = in_words(json);
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
    return;
  }
  for (const auto& [name, part] : json.object()) add_statements(part, lines);
}

std::vector<ReportedAnswer> reported(std::vector<FoundAnswer> found) {
  std::vector<ReportedAnswer> all;
  for (FoundAnswer& answer : found) {
    ReportedAnswer one{.command = answer.command,
                       .name = answer.path.substr(answer.path.rfind('/') + 1),
                       .figures = std::move(answer.figures)};
    add_statements(answer.question, one.statements);
    all.push_back(std::move(one));
  }
  return all;
}

class ReportCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("page", "The page");
    Option& out = t.add_call("out", free_text(out_, "FILE", "a file"),
                             "the page (default: report.html in the directory of one RUN, or in the working "
                             "directory for several)");
    out.letter = "o";
    out.aliases = {"output"};
    t.add_call("answers", free_text(answers_, "DIR", "a directory"),
               "a directory with answers about several runs (what --out of a command of the laboratory "
               "named, or lab/), which the page shows too");
    t.add_call(
        "predictions", toggle(predictions_),
        "ask each run's last weights about its test images, for confusion matrix and reliability; they "
        "are kept below the run's lab/, so that a second call is quick");
    t.add_call("data-dir", free_text(asked_.data_dir, "DIR", "a directory"),
               "where the images for that are, if not where the run had them");
    add_device(t, asked_.device);
    add(t, output_);
    add_progress(t, output_);
  }

  void check(const OptionTable&, const std::vector<std::string>& words) override {
    for (const std::string& word : words)
      if (!word.empty()) runs_.push_back(word);
    if (runs_.empty()) throw UsageError("nothing to report: name the directory of a RUN, or several");
  }

  ExitCode run(Terminal& terminal) override {
    apply(asked_.device);
    return interruptible([&] { return report(terminal); });
  }

 private:
  ExitCode report(Terminal& terminal) {
    std::vector<ReportedRun> runs;
    for (const std::string& path : runs_) runs.push_back(read_reported_run(path));
    label_runs(runs);
    for (ReportedRun& run : runs) {
      if (predictions_) ask(run, terminal);
      run.answers = reported(answers_of(run.path));
      if (!predictions_)
        std::erase_if(run.answers, [](const ReportedAnswer& a) { return a.command == "predictions"; });
    }
    std::vector<ReportedAnswer> between;
    if (!answers_.empty()) between = reported(answers_in(answers_));
    const ReportPage page = page_of(runs, between);
    const std::string path = !out_.empty()      ? out_
                             : runs.size() == 1 ? runs.front().path + "/report.html"
                                                : "report.html";
    write_file_atomically(path, page.html);
    terminal.result(text(path, ": ", runs.size(), runs.size() == 1 ? " run, " : " runs, ", page.figures,
                         " figures, ", grouped(static_cast<std::int64_t>(page.html.size())), " bytes\n"));
    Json document;
    Json names = Json::Array{};
    for (const ReportedRun& run : runs) names.append(run.path);
    document.set("page", path).set("runs", names).set("figures", page.figures);
    document.set("bytes", page.html.size());
    terminal.result(document);
    return ExitCode::success;
  }

  /// A page without predictions is one still: what stands in their way is told.
  void ask(const ReportedRun& run, Terminal& terminal) const {
    if (run.result.is_null()) return;
    try {
      answer_predictions(run.path, asked_, terminal);
    } catch (const InterruptedError&) {
      throw;
    } catch (const OutputError&) {
      throw;
    } catch (const Error& error) {
      terminal.repaint("");
      terminal.warn(text("no predictions of ", run.path, ": ", error.what()));
    }
  }

  std::string out_, answers_;
  bool predictions_ = true;
  PredictionsConfig asked_;
  std::vector<std::string> runs_;
};

}  // namespace

Command report_command() {
  return {"report", "RUN [RUN ...] [options]", "one page of runs: curves, results, what the laboratory found",
          kMostRuns, make_call<ReportCall>};
}

}  // namespace basin::apps
