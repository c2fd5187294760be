// `basin reproduce`: the papers' claims, by runs of one's own, with significance.
#include <algorithm>
#include <cmath>
#include <map>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/terminal.h"
#include "apps/options/names.h"
#include "apps/report/tables.h"
#include "apps/reproduce/cost.h"
#include "apps/reproduce/findings.h"
#include "apps/reproduce/flatness.h"
#include "apps/reproduce/process.h"
#include "apps/reproduce/study.h"
#include "apps/reproduce/study_runs.h"
#include "core/io/directory.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

/// All runs of a scale, the search's and the starts among them; those that count with the scale's own seeds.
/// Which choice the search makes changes no run's length.
std::vector<StudyRun> all_runs(const Study& study, const StudyScale& scale) {
  std::vector<StudyRun> all = search_runs(study, scale);
  const std::vector<StudyRun> counted = counted_runs(study, scale, scale.seeds, {});
  all.insert(all.end(), counted.begin(), counted.end());
  const std::vector<StudyRun> starts = start_runs(study, scale, all);
  all.insert(all.end(), starts.begin(), starts.end());
  return all;
}

std::string paper_of(const StudyRow& row) {
  if (!row.paper) return "-";
  return fixed(*row.paper, 2) + (row.paper_deviation ? " ± " + fixed(*row.paper_deviation, 2) : "");
}

class ReproduceCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("reproduce", "The experiment");
    t.add_call("list", toggle(list_),
               "show the experiments, or the rows of one, with the papers' figures and what they would cost");
    t.add_call(
        "scale", named(scale_, {"paper", "small", "tiny"}, "scales"),
        "how large; paper: as the paper; small: hours on two cores; tiny: seconds, which shows only that it "
        "runs");
    t.add_call("seeds", whole(seeds_, 0, kMostSeeds),
               "runs of each row, with --seed 11, 12, ...; 0: the scale's own");
    t.add_call("as-written", toggle(as_written_),
               "train with the options that the experiment writes down, without its search for better ones");
    Option& out =
        t.add_call("out", free_text(out_, "DIR", "a directory"),
                   "where runs and tables go (without it: runs/NAME-SCALE); what is there is kept, and an "
                   "interrupted call goes on from there");
    out.letter = "o";
    out.aliases = {"output"};
    t.add_call("jobs", whole(jobs_, 0, 1024), "runs at once, each with one thread; 0: as many as CPUs")
        .letter = "j";
    t.add_call("data-dir", free_text(data_dir_, "DIR", "a directory"),
               "where the images are, as for basin train");
    add(t, output_);
    add_progress(t, output_);
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    name_ = words[0];
    if (name_.empty() && !list_)
      throw UsageError("nothing to reproduce: name an experiment; `basin reproduce --list` shows them");
    if (!name_.empty()) study_named(name_);
    if (!list_) return;
    for (const char* flag : {"scale", "seeds", "as-written", "out", "jobs", "data-dir"})
      if (table.by_flag(flag)->source == Source::flag)
        throw UsageError("--", flag, " counts for runs, and --list makes none");
  }

  ExitCode run(Terminal& terminal) override {
    if (list_)
      return interruptible(
          [&] { return name_.empty() ? list(terminal) : list(study_named(name_), terminal); });
    return resumable(terminal, [&] { return reproduce(study_named(name_), terminal); });
  }

 private:
  ExitCode list(Terminal& terminal) {
    const double speed = measured_speed() * available_cpus();
    FigureTable table{.columns = {"experiment", "what", "rows", "claims"}};
    for (const std::string scale : {"paper", "small"})
      for (const std::string cell : {" runs", " here", " H200"}) table.columns.push_back(scale + cell);
    Json all = Json::Array{};
    const data::Watch watch = LongWork(terminal).part("estimating", "experiments");
    std::int64_t done = 0;
    for (const Study& study : studies()) {
      watch(done++, std::ssize(studies()));
      std::vector<std::string> cells = {study.name, study.help, std::to_string(study.rows.size()),
                                        std::to_string(study.claims.size())};
      cells.resize(table.columns.size(), "-");
      for (const StudyScale& scale : study.scales) {
        const std::vector<StudyRun> runs = all_runs(study, scale);
        double work = 0;
        for (const StudyRun& run : runs) work += work_of(run.config);
        if (const auto place = std::find(table.columns.begin(), table.columns.end(), scale.name + " runs");
            place != table.columns.end()) {
          const auto at = cells.begin() + (place - table.columns.begin());
          at[0] = std::to_string(runs.size());
          at[1] = duration_text(work / speed);
          at[2] = duration_text(work / kH200Speed);
        }
        all.append(Json::Object{{"experiment", study.name},
                                {"scale", scale.name},
                                {"runs", std::ssize(runs)},
                                {"operations", work},
                                {"seconds_here", work / speed},
                                {"seconds_h200", work / kH200Speed}});
      }
      table.rows.push_back(std::move(cells));
    }
    terminal.repaint("");
    terminal.result(table_of(table, 2).text(terminal.unicode()));
    terminal.result(costs_in_words(speed));
    terminal.result(Json(Json::Object{{"operations_per_second", speed}, {"experiments", all}}));
    return ExitCode::success;
  }

  ExitCode list(const Study& study, Terminal& terminal) {
    const double speed = measured_speed() * available_cpus();
    terminal.result(study.help + ".\nPaper: " + study.paper +
                    (study.deviation.empty() ? "" : "; ± " + study.deviation) + ".\n" +
                    (study.note.empty() ? "" : study.note + "\n") + "\n");
    FigureTable table{.columns = {"row", "paper %"}};
    for (const StudyScale& scale : study.scales) {
      table.columns.push_back(scale.name + " here");
      table.columns.push_back(scale.name + " H200");
    }
    const auto add_costs = [&](std::vector<std::string>& cells, const TrainConfig& config) {
      const double work = work_of(config);
      cells.push_back(duration_text(work / speed * available_cpus()));  // one run has one CPU
      cells.push_back(duration_text(work / kH200Speed));
    };
    for (const StudyStart& start : study.starts) {
      std::vector<std::string> cells = {"before: " + start.id, "-"};
      for (const StudyScale& scale : study.scales) add_costs(cells, study_config(study, start, scale, 1));
      table.rows.push_back(std::move(cells));
    }
    for (const StudyRow& row : study.rows) {
      std::vector<std::string> cells = {row.name, paper_of(row)};
      for (const StudyScale& scale : study.scales) {
        if (row.runs_of.empty())
          add_costs(cells, study_config(study, row, scale, {}, 1));
        else
          cells.insert(cells.end(), {"-", "-"});
      }
      table.rows.push_back(std::move(cells));
    }
    terminal.result(table_of(table).text(terminal.unicode()));
    std::string words = "\nOne run of each row.";
    for (const StudyScale& scale : study.scales) words += "\n" + scale.name + ": " + scale.about + ".";
    terminal.result(words + "\n" + costs_in_words(speed));
    terminal.result(Json(Json::Object{{"experiment", study.name}, {"operations_per_second", speed}}));
    return ExitCode::success;
  }

  static std::string costs_in_words(double speed) {
    return text("\nhere: work / ", fixed(speed * 1e-9, 0), " GFLOP/s, measured just now on ",
                available_cpus(), " CPUs; H200: work / ", fixed(kH200Speed * 1e-12, 0),
                " TFLOP/s, an estimate\n");
  }

  ExitCode reproduce(const Study& study, Terminal& terminal) {
    const StudyScale& scale = study.scale(scale_);
    const std::int64_t seeds = seeds_ > 0 ? seeds_ : scale.seeds;
    const std::string out = out_.empty() ? "runs/" + study.name + "-" + scale.name : out_;
    make_directory(out);
    const DirectoryLock lock = lock_when_free(out);
    const StudyMaking making{
        .program = own_program(), .data_dir = data_dir_, .jobs = jobs_ > 0 ? jobs_ : available_cpus()};

    std::vector<Figure> tables;
    std::map<std::string, StudyChoice> chosen;
    Figure search;
    if (scale.search && !as_written_) {
      std::vector<SearchFinding> found = searched(study, scale, out, making, terminal);
      chosen = choose(found);
      search = {"search", search_table(study, *scale.search, found)};
    }
    const std::vector<StudyRun> runs = counted_runs(study, scale, seeds, chosen);
    const StudySamples samples = counted(study, scale, runs, out, making, terminal);
    const std::vector<ClaimFinding> findings = test_claims(study, scale, samples);
    tables = {{"claims", claims_table(study, findings)}, {"rows", rows_table(study, samples)}};
    if (scale.flatness) {
      const std::vector<RunFlatness> flatness =
          measured_flatness(study, *scale.flatness, runs, out, making, terminal);
      tables.push_back({"flatness", flatness_table(study, *scale.flatness, flatness)});
      tables.push_back({"flatness-ranks", flatness_ranks(study, scale, flatness)});
      tables.push_back({"flatness-runs", flatness_of_runs(study, flatness)});
    }
    if (scale.search && !as_written_) tables.push_back(std::move(search));
    write_findings(out, study, {scale.name, seeds, as_written_}, tables);
    show(study, scale, samples, findings, tables, out, terminal);
    const bool met = std::all_of(findings.begin(), findings.end(),
                                 [](const ClaimFinding& f) { return f.verdict == Verdict::met; });
    return met || !scale.claims() ? ExitCode::success : ExitCode::check_failed;
  }

  static std::vector<SearchFinding> searched(const Study& study, const StudyScale& scale,
                                             const std::string& out, const StudyMaking& making,
                                             Terminal& terminal) {
    const std::vector<StudyRun> all = search_runs(study, scale);
    complete_with_starts(study, scale, all, out, "search", making, terminal);
    const StudyRuns runs(out, "search");
    std::vector<SearchFinding> found;
    for (const StudyRow& row : study.trained())
      for (const StudyChoice& choice : choices_of(*scale.search, row.id))
        found.push_back({.row = row.id, .choice = choice});
    std::vector<bool> diverged(found.size(), false);
    for (const StudyRun& run : all) {
      const auto place = std::find_if(found.begin(), found.end(), [&](const SearchFinding& f) {
        return f.row == run.row && f.choice == run.choice;
      });
      const StudyResult result = *runs.result(run, study.row(run.row).weights);
      if (result.diverged || !result.validation_accuracy)
        diverged[static_cast<std::size_t>(place - found.begin())] = true;
      else
        place->accuracies.push_back(*result.validation_accuracy);
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      if (diverged[i]) found[i].accuracies.clear();
    return found;
  }

  static StudySamples counted(const Study& study, const StudyScale& scale, const std::vector<StudyRun>& all,
                              const std::string& out, const StudyMaking& making, Terminal& terminal) {
    complete_with_starts(study, scale, all, out, "runs", making, terminal);
    const StudyRuns runs(out, "runs");
    StudySamples samples;
    for (const StudyRun& run : all) {
      for (const StudyRow& row : study.rows) {
        if (study.runs_of(row) != run.row) continue;
        const StudyResult result = *runs.result(run, row.weights);
        if (result.diverged)
          throw NumericalError("the run ", run.name, " diverged: there is no table without it");
        samples[row.id].push_back(result.test_accuracy);
      }
    }
    return samples;
  }

  static void show(const Study& study, const StudyScale& scale, const StudySamples& samples,
                   const std::vector<ClaimFinding>& findings, const std::vector<Figure>& tables,
                   const std::string& out, Terminal& terminal) {
    for (const Figure& figure : tables) {
      const auto& table = std::get<FigureTable>(figure.content);
      if (!table.rows.empty())
        terminal.result(table.title + "\n" + table_of(table).text(terminal.unicode()) + "\n");
    }
    if (!scale.claims()) terminal.result("at this scale nothing is claimed\n");
    terminal.result("written to " + out + ": table.md, table.html, rows.csv, claims.csv\n");
    Json rows = Json::Array{}, claims = Json::Array{};
    for (const StudyRow& row : study.rows) {
      Json accuracies = Json::Array{};
      for (const double x : samples.at(row.id)) accuracies.append(x);
      rows.append(Json::Object{{"row", row.id}, {"test_accuracy", accuracies}});
    }
    for (const ClaimFinding& f : findings)
      claims.append(Json::Object{{"claim", f.claim.id},
                                 {"difference", recorded(f.paired.difference)},
                                 {"p", recorded(f.p)},
                                 {"holm", recorded(f.holm)},
                                 {"verdict", in_words(f.verdict)}});
    terminal.result(Json(Json::Object{{"experiment", study.name},
                                      {"scale", scale.name},
                                      {"rows", rows},
                                      {"claims", claims},
                                      {"path", out}}));
  }

  bool list_ = false, as_written_ = false;
  std::string name_;
  std::string scale_ = "small";
  std::int64_t seeds_ = 0, jobs_ = 0;
  std::string out_, data_dir_;
};

}  // namespace

Command reproduce_command() {
  return {"reproduce", "NAME | --list [options]",
          "run an experiment of a paper, test its claims, write the table; goes on where it was interrupted",
          1, make_call<ReproduceCall>};
}

}  // namespace basin::apps
