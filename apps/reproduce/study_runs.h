// The runs of a study: which there are, what is in their directories, and those that are missing made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/reproduce/jobs.h"
#include "apps/reproduce/study.h"

namespace basin::apps {

/// One training run of a study.
struct StudyRun {
  std::string name{};  // of its directory: "sam-seed3", "sam-rho 0.1-seed101"
  std::string row{};   // the id of its row or start
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

/// Directories of runs of a study whose directory is OUT: OUT/PART/NAME, and what is not yet in them:
/// OUT/PART/NAME.toml, the configuration that a run is started with, and OUT/PART/NAME.log, what it printed.
/// A run is a process of its own and keeps its own checkpoints, so that whatever is killed, and whenever,
/// goes on from there. PART is "runs", "search" or "starts".
class StudyRuns {
 public:
  StudyRuns(std::string out, const std::string& part) : out_(std::move(out)), directory_(out_ + "/" + part) {}

  /// Whether it has ended, by a result or by diverging. Errors: UsageError as result().
  bool ended(const StudyRun& run) const;

  /// The result of that run; none where it has not ended. Errors: UsageError where its directory holds a run
  /// of another recipe; DataError where the result lacks the weights.
  std::optional<StudyResult> result(const StudyRun& run, const std::string& weights) const;

  /// Makes those that have no result, in their order. Errors: those of run_jobs(); CheckpointError where the
  /// weights that one starts from are gone.
  void complete(const std::vector<StudyRun>& runs, const std::string& what, const StudyMaking& making,
                Terminal& terminal) const;

 private:
  std::string path(const StudyRun& run) const { return directory_ + "/" + run.name; }
  void expect_same_recipe(const StudyRun& run) const;
  std::vector<std::string> command_of(const StudyRun& run) const;

  std::string out_, directory_;
};

/// The runs that count, `seeds` of each row from kFirstSeed on, in the order of their seeds: after each
/// seed there is a whole table. `chosen`: by row.
std::vector<StudyRun> counted_runs(const Study& study, const StudyScale& scale, std::int64_t seeds,
                                   const std::map<std::string, StudyChoice>& chosen);
/// The runs of the scale's search; none where it has none.
std::vector<StudyRun> search_runs(const Study& study, const StudyScale& scale);
/// The runs whose weights these begin with, each once.
std::vector<StudyRun> start_runs(const Study& study, const StudyScale& scale,
                                 const std::vector<StudyRun>& runs);

/// Completes `runs` in OUT/PART, before them in OUT/starts what those that are missing begin with. Errors: as
/// StudyRuns::complete(); NumericalError for a start that diverged.
void complete_with_starts(const Study& study, const StudyScale& scale, const std::vector<StudyRun>& runs,
                          const std::string& out, const std::string& part, const StudyMaking& making,
                          Terminal& terminal);

}  // namespace basin::apps
