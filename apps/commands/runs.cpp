// `basin runs`: the runs in a folder, their states and figures; and what of them may go.
#include <algorithm>
#include <functional>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "apps/cli/terminal.h"
#include "apps/runs/environment.h"
#include "apps/runs/run_list.h"
#include "core/io/directory.h"

namespace basin::apps {
namespace {

struct RunsConfig {
  std::string directory = "runs";
  bool clean = false;
  std::string sort = "name";
};

/// Whether a stands before b, by the words of --sort. What a run does not say comes last.
using Before = std::function<bool(const ListedRun& a, const ListedRun& b)>;

const std::vector<std::pair<std::string, Before>>& orders() {
  static const std::vector<std::pair<std::string, Before>> all = {
      {"name", [](const ListedRun& a, const ListedRun& b) { return a.directory < b.directory; }},
      {"accuracy", [](const ListedRun& a,
                      const ListedRun& b) { return a.accuracy.value_or(-1) > b.accuracy.value_or(-1); }},
      {"best",
       [](const ListedRun& a, const ListedRun& b) { return a.best.value_or(-1) > b.best.value_or(-1); }},
      {"started", [](const ListedRun& a, const ListedRun& b) { return a.started > b.started; }},
      {"seconds", [](const ListedRun& a, const ListedRun& b) { return a.seconds > b.seconds; }},
      {"size", [](const ListedRun& a, const ListedRun& b) { return a.bytes > b.bytes; }},
  };
  return all;
}

std::string shown(const std::optional<double>& fraction) { return fraction ? percent(*fraction, 2) : ""; }

void show_runs(const std::vector<ListedRun>& runs, Terminal& terminal) {
  Table table({{.title = "run", .left = true},
               {.title = "state", .left = true},
               {.title = "epochs"},
               {.title = "last %"},
               {.title = "best %"},
               {.title = "time"},
               {.title = "size"},
               {.title = "started", .left = true}});
  Json list = Json::Array{};
  for (const ListedRun& run : runs) {
    for (const std::string& problem : run.problems) terminal.warn(problem);
    const std::string state = run.reason.empty() ? "" : ": " + run.reason;
    table.add({run.directory, name_of(run.state) + state, std::to_string(run.epochs), shown(run.accuracy),
               shown(run.best), duration_text(run.seconds), bytes_text(run.bytes), run.started});
    list.append(to_json(run));
  }
  terminal.result(table.text(terminal.unicode()));
  Json document;
  terminal.result(document.set("runs", std::move(list)));
}

void propose(const std::vector<ListedRun>& runs, Terminal& terminal) {
  std::int64_t bytes = 0;
  Json list = Json::Array{};
  for (const ListedRun& run : runs)
    for (const Removable& removable : removable_of(run)) {
      const bool folder = kind_of_file(removable.path) == FileKind::directory;
      terminal.result(text("rm ", folder ? "-r " : "", shell_path(removable.path), "  # ",
                           bytes_text(removable.bytes), ", ", removable.why, "\n"));
      bytes += removable.bytes;
      list.append(Json::Object{
          {"path", removable.path}, {"bytes", removable.bytes}, {"why", removable.why}, {"folder", folder}});
    }
  const std::size_t count = list.array().size();
  terminal.note(count == 0 ? "nothing may go"
                           : text("nothing is removed by this; these lines would free ", bytes_text(bytes)));
  Json document;
  terminal.result(document.set("removable", std::move(list)).set("bytes", bytes));
}

class RunsCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("what", "What");
    std::vector<std::string> words;
    for (const auto& [word, before] : orders()) words.push_back(word);
    t.add_call("sort", named(config_.sort, words, "orders"),
               "in which order; accuracy, best, started, seconds and size: the largest or newest first");
    add(t, output_);
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    config_.clean = words[0] == "clean";
    const std::string& directory = config_.clean ? words[1] : words[0];
    if (!config_.clean && !words[1].empty())
      throw UsageError("runs takes one folder, or clean and one, not ", quote(words[0]), " and ",
                       quote(words[1]));
    if (config_.clean && table.by_flag("sort")->source == Source::flag)
      throw UsageError("--sort is of the list, not of clean");
    if (!directory.empty()) config_.directory = directory;
  }

  ExitCode run(Terminal& terminal) override {
    std::vector<ListedRun> runs = list_runs(config_.directory);
    if (config_.clean) {
      propose(runs, terminal);
      return ExitCode::success;
    }
    for (const auto& [word, before] : orders())
      if (word == config_.sort) std::stable_sort(runs.begin(), runs.end(), before);
    show_runs(runs, terminal);
    return ExitCode::success;
  }

 private:
  RunsConfig config_;
};

}  // namespace

Command runs_command() {
  return {"runs", "[clean] [DIR] [options]",
          "the runs in a folder (runs), their states and figures; clean: what of them may go", 2,
          make_call<RunsCall>};
}

}  // namespace basin::apps
