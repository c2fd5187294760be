// The runs of a study: which there are, what is in their directories, and those that are missing made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/reproduce/study.h"

namespace basin::apps {

/// One training run of a study.
struct StudyRun {
  std::string name{};  // of its directory: "sam-seed3", "sam-rho 0.1-seed101"
  std::string row{};   // the row's id
  StudyChoice choice{};
  std::uint64_t seed = 0;
  TrainConfig config{};
};

/// What a finished run came to, of the weights that its row names.
struct StudyResult {
  bool diverged = false;  // it ended with exit code 5, or its figures are no finite numbers; none then
  double test_accuracy = 0;
  std::optional<double> validation_accuracy{};
  double seconds = 0;
};

/// How runs are made.
struct StudyMaking {
  std::string program{};   // the file of `basin`
  std::string data_dir{};  // empty: the data sets' usual places
  std::int64_t jobs = 1;   // at once, each a process with one thread
};

/// Directories of runs below one directory, DIR/NAME, and what is not yet in them: DIR/NAME.toml, the
/// configuration that a run is started with, and DIR/NAME.log, what it printed. A run is a process of its own
/// and keeps its own checkpoints, so that whatever is killed, and whenever, goes on from there.
class StudyRuns {
 public:
  explicit StudyRuns(std::string directory) : directory_(std::move(directory)) {}

  /// The result of that run; none where it has not ended. Errors: UsageError where its directory holds a run
  /// of another recipe; DataError where the result lacks the weights.
  std::optional<StudyResult> result(const StudyRun& run, const std::string& weights) const;

  /// Makes those that have no result, `making.jobs` at once, in their order. The terminal shows how far they
  /// are. Errors: InterruptedError once a signal has come and the runs have saved; what a run failed with,
  /// all others then stopped and saved.
  void complete(const std::vector<StudyRun>& runs, const std::string& what, const StudyMaking& making,
                Terminal& terminal) const;

 private:
  std::string path(const StudyRun& run) const { return directory_ + "/" + run.name; }
  /// Whether it has ended, by a result or by diverging.
  bool ended(const StudyRun& run) const;
  void expect_same_recipe(const StudyRun& run) const;
  std::vector<std::string> command_line(const StudyRun& run, const StudyMaking& making) const;

  std::string directory_;
};

/// The runs that count, `seeds` of each row from kFirstSeed on, in the order of their seeds: after each
/// seed there is a whole table. `chosen`: by row.
std::vector<StudyRun> counted_runs(const Study& study, const StudyScale& scale, std::int64_t seeds,
                                   const std::map<std::string, StudyChoice>& chosen);
/// The runs of the scale's search; none where it has none.
std::vector<StudyRun> search_runs(const Study& study, const StudyScale& scale);

}  // namespace basin::apps
