// Study: an experiment of a paper as data. Which rows its table has, what it claims, how it is run on three
// scales.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/options/presets.h"
#include "apps/options/toml_file.h"

namespace basin::apps {

/// Options of training, as in a recipe, their paths without what stands before them in the study's file.
using StudyOptions = std::vector<TomlEntry>;

/// A row of the table: a way to train, and the weights that count.
struct StudyRow {
  std::string id{};              // "sam"
  std::string name{};            // "SAM, rho 0.05"
  std::string weights = "last";  // the name of the Variant that is compared
  std::string runs_of{};         // the row whose runs these weights are of; empty: it has runs of its own
  std::string against{};         // the row that its difference is taken to; empty: the first
  std::string preset{};          // a recipe below the options; empty: none
  std::string starts_from{};     // the start whose weights its runs begin with; empty: random ones
  StudyOptions options{};
  std::optional<double> paper{}, paper_deviation{};  // test accuracy in percent
};

/// Training that rows begin after, such as the pre-training of a fine-tuning: it is in no table.
struct StudyStart {
  std::string id{};
  std::string preset{};  // as StudyRow::preset
  StudyOptions options{};
  std::optional<std::uint64_t> seed{};  // of its one run, for all; none: a run for each seed of the rows
};

/// `better` - `than` + `margin` > 0 in test accuracy (percentage points): with a margin "not worse by more
/// than".
struct StudyClaim {
  std::string id{};
  std::string better{}, than{};  // ids of rows
  double margin = 0;
};

/// Values of options that are tried, by path: {"sharpness.rho", {"0.05", "0.1"}}.
using StudyGrid = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// How the options of rows are chosen: every combination of `all` and of the row's own grid is trained with
/// each of the seeds, `validation` of the training images held out; the combination with the highest mean
/// accuracy on these is what the row is trained with. No test image has a part in it, nor a seed of the runs
/// that count.
struct StudySearch {
  std::vector<std::uint64_t> seeds{};
  std::int64_t validation = 0;
  StudyGrid all{};
  std::vector<std::pair<std::string, StudyGrid>> own{};  // by row
};

/// What the laboratory measures at the weights in which the runs that count ended.
struct StudyFlatness {
  std::int64_t images = 0;  // of the training images
  double rho = 0;           // the radius of R0 and R1
};

/// One way to run it: as the paper ("paper"), in hours on two cores ("small"), in seconds ("tiny").
struct StudyScale {
  std::string name{};
  std::string about{};  // what is smaller than in the paper
  std::int64_t seeds = 5;
  StudyOptions options{};                                       // of all rows, and stronger than their own
  std::vector<std::pair<std::string, StudyOptions>> of_rows{};  // stronger still; of starts as well
  std::optional<StudySearch> search{};
  std::optional<StudyFlatness> flatness{};

  /// Claims are tested: not where runs only show that they run.
  bool claims() const { return name != "tiny"; }
};

struct Study {
  std::string name{};       // the file's, without .toml
  std::string help{};       // its first line
  std::string source{};     // the file itself
  std::string paper{};      // which paper and table
  std::string deviation{};  // of which kind the paper's deviations are; empty: it has none
  std::string note{};       // what of the paper is left out or done otherwise; empty: nothing
  StudyOptions options{};   // of all rows
  std::vector<StudyRow> rows{};
  std::vector<StudyStart> starts{};
  std::vector<StudyClaim> claims{};
  std::vector<StudyScale> scales{};

  const StudyRow& row(const std::string& id) const;
  const StudyStart& start(const std::string& id) const;
  /// The rows that have runs of their own.
  std::vector<StudyRow> trained() const;
  /// The id of the row whose runs have that row's weights.
  const std::string& runs_of(const StudyRow& row) const { return row.runs_of.empty() ? row.id : row.runs_of; }
  /// Errors: UsageError for a scale that it does not have, naming those that it has.
  const StudyScale& scale(const std::string& name) const;
};

/// The seeds of the runs that count are kFirstSeed and the next, kMostSeeds at most. Those below were looked
/// at while the experiments were made up, those above are the searches'.
constexpr std::int64_t kFirstSeed = 11, kMostSeeds = 90;

/// Reads a study, whose form docs/reproduce.md describes. Errors: UsageError with the place for what is no
/// part of one; for a row without a scale or a claim about a row that is not there.
Study study_of(const Preset& file);

/// All studies in apps/recipes/studies/, by name. The texts are read once.
const std::vector<Study>& studies();
/// Errors: UsageError for a name that none has, with a suggestion.
const Study& study_named(const std::string& name);

/// Values chosen for options, by path.
using StudyChoice = std::vector<std::pair<std::string, std::string>>;

/// All combinations of the values that a search tries for that row, the last option running first; one that
/// is empty where it tries none.
std::vector<StudyChoice> choices_of(const StudySearch& search, const std::string& row);
/// "lr 0.05, rho 0.1"; "" for none.
std::string in_words(const StudyChoice& choice);

/// What a row is trained with: its preset, the study's options, its own, the scale's, the scale's for it, and
/// the choice, each stronger than those before. One thread, for as many runs go on at once as there are
/// cores. The file that model.init names for a row that starts from other weights is start_weights(). Errors:
/// UsageError with the place of an option that there isn't, or that counts for nothing.
TrainConfig study_config(const Study& study, const StudyRow& row, const StudyScale& scale,
                         const StudyChoice& choice, std::uint64_t seed, std::int64_t validation = 0);
/// The same of a start, which no search chooses anything for.
TrainConfig study_config(const Study& study, const StudyStart& start, const StudyScale& scale,
                         std::uint64_t seed);

/// "pretrained-seed11": the run of a start whose weights a run with that seed begins with.
std::string start_name(const StudyStart& start, std::uint64_t seed);
/// Where its weights are, below the directory of the study: "starts/pretrained-seed11/final.safetensors".
std::string start_weights(const std::string& start_name);

}  // namespace basin::apps
