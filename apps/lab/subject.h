// Subject: trained weights and the loss over fixed examples that a command of the laboratory asks about.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/evaluation/dataset_objective.h"
#include "apps/training/loaded_run.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// Which images of the data.
enum class Split { train, validation, test };
/// plain: mean cross-entropy. trained: what the run minimised, with its label smoothing and weight decay.
enum class LossOf { plain, trained };

/// What is measured: the options that every command of the laboratory has.
struct SubjectConfig {
  std::string run;               // its config.toml fills in data, model and device; empty: a file of weights
  std::string weights = "last";  // last, swa, ema, lawa or member:N of the run; or a file
  DataConfig data;
  ModelConfig model;
  DeviceConfig device;
  Split split = Split::train;
  std::int64_t images = 0;      // drawn from the split; 0: all
  bool images_at_most = false;  // all of a split that has fewer, where otherwise that is an error
  std::uint64_t seed = 0;       // of that draw, and of what else a command draws
  std::int64_t batch_size = 128;
  LossOf loss = LossOf::plain;
  nn::Mode batch_norm = nn::Mode::eval;
};

/// Adds the groups "Whose weights", "What is measured", "Data", "Model" and "Device".
void add(OptionTable& table, SubjectConfig& config);

/// Takes what the run's config.toml has for options of the table; for Call::build_on(). `run` is RUN, the
/// command's word, "" for a file of weights. Errors: UsageError for neither a run nor a file with --model and
/// --data; those of take_from_run().
std::string build_on_run(OptionTable& table, SubjectConfig& config, const std::string& run);
/// For Call::check(): --images that nobody gave are, of a split that has fewer, all there are.
void check(const OptionTable& table, SubjectConfig& config);

/// The weights in their model, the examples, and the loss that is asked about.
struct Subject {
  LoadedRun run{};
  std::string file{}, sha256{};  // of the weights
  std::shared_ptr<const data::ExampleSource> examples{};
  std::unique_ptr<optim::ParameterVector> w{};
  DatasetLoss loss{};
  Json statement{};  // what is measured: equal statements, equal measurements

  /// The loss over the examples, run.config.schedule.batch_size of them a pass.
  DatasetObjective objective(const data::Watch& watch = {}) const;
  /// Loss and accuracy over them in eval mode.
  Tally tally(const data::Watch& watch = {}) const;
};

/// Opens weights, data and model. Errors: those of weights_file() and load_run(); UsageError for more images
/// than the split has, or a split that the data have not.
Subject open_subject(const SubjectConfig& config, Terminal& terminal);

/// `images` examples of the split, drawn by the seed and in their order; all of them for 0. Errors:
/// UsageError for more than there are, or a split that the data have not.
std::shared_ptr<const data::ExampleSource> examples_of(const RunData& data, Split split, std::int64_t images,
                                                       std::uint64_t seed);

/// The same, and all of a split that has fewer.
std::shared_ptr<const data::ExampleSource> examples_at_most(const RunData& data, Split split,
                                                            std::int64_t images, std::uint64_t seed);

/// The statement in one line for people: "mean cross-entropy of 1,000 of 50,000 cifar10 train images, ...".
std::string in_words(const Json& statement);

}  // namespace basin::apps
