// What `basin ckpt` does with files of tensors: a function a word, each in a file of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "core/error.h"

namespace basin::apps {

/// Reads every file, and of a folder those that end in .safetensors or .npz, of its members/ too, once and
/// compares its checksums. A row a file: whole, whole without checksums (another program's), or damaged and
/// how. ExitCode::check_failed if one is damaged. Errors: CheckpointError for a path that is not there or a
/// folder without such files; InterruptedError.
ExitCode verify_files(const std::vector<std::string>& paths, Terminal& terminal);

/// What a file says it is, where a checkpoint stands, and of each part of it (model, optimizer, rule,
/// average), or with `tensors` of each tensor, its numbers: norm sqrt(sum x^2), smallest, largest, and how
/// many are not finite. Errors: those of WeightFile.
ExitCode inspect_file(const std::string& path, bool tensors, Terminal& terminal);

/// Compares two files tensor by tensor: the largest |a - b|, where it is, |a - b| / |a| (norms), and how many
/// numbers differ in their bits. A folder stands for its newest whole checkpoint. Differences of at most
/// `tolerance` are shown and count for nothing. ExitCode::check_failed if the files differ: a tensor of one
/// that the other lacks, another shape or dtype, a larger difference (at tolerance 0: any bit). Errors: those
/// of WeightFile.
ExitCode diff_files(const std::string& a, const std::string& b, double tolerance, Terminal& terminal);

struct AverageFilesConfig {
  std::vector<std::string> files{};  // weights or checkpoints of one network
  std::string out{};                 // replaced if it is there
  std::string run{};  // whose model and training images re-estimate the statistics; may be empty
};

/// Writes the mean of the weights of several files, (x_1 + ... + x_n) / n in f64, rounded once. Running
/// statistics of batch norm belong to the weights that they were estimated with: with a run they are
/// estimated anew, by a pass over its training images as the run's own averages are; without, they are the
/// files' mean, and the terminal is warned. Errors: CheckpointError for files that do not fit each other;
/// NumericalError; OutputError; with a run those of load_run_data().
ExitCode average_files(const AverageFilesConfig& config, Terminal& terminal);

/// Removes of the run in `run` the checkpoints that a save which keeps `keep` of them would
/// (superseded() in apps/runs/checkpoint.h), or with `dry_run` only says which. Errors: CheckpointError for a
/// folder without a whole checkpoint; InUseError for a run that is under way.
ExitCode prune_checkpoints(const std::string& run, int keep, bool dry_run, Terminal& terminal);

}  // namespace basin::apps
