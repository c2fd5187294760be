// Checkpoints: what a training run saves to go on with the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "apps/weights/weight_file.h"
#include "autograd/inventory.h"
#include "core/io/archive.h"
#include "core/io/json.h"

namespace basin::apps {

/// Where a run stands. Together with the tensors it is the whole state: random numbers are functions of the
/// seed and the position, the learning rate of the step.
struct TrainingPosition {
  static constexpr std::int64_t kNewestFormat = 1;
  std::int64_t format = kNewestFormat;
  std::int64_t step = 0;          // updates made
  std::int64_t epoch = 0;         // epochs finished
  std::int64_t batch = 0;         // of the next epoch: batches done
  std::int64_t samples_seen = 0;  // since the start of the run
  std::uint64_t seed = 0;
  std::string config_hash, data_hash;  // SHA-256, hexadecimal
  std::string
      recipe;  // recipe_toml() of the run; empty in files of before there was one, which have its hash alone
  std::string model, optimizer, rule, average;                    // names: resnet20, sgd, sam, none
  double best_metric = std::numeric_limits<double>::quiet_NaN();  // NaN: no epoch was evaluated yet
  std::int64_t best_epoch = 0;
  Json extra = Json::Object{};  // of the training loop: sums of the unfinished epoch, counters
};

/// A checkpoint of a later Basin. It is whole, so that resuming stops at it instead of passing it over.
struct NewerFormatError : CheckpointError {
  using CheckpointError::CheckpointError;
};

Json to_json(const TrainingPosition& position);
/// The inverse, bit for bit. Errors: JsonError; NewerFormatError.
TrainingPosition training_position(const Json& json);

/// A part of the state under its name: "model", "optimizer", "rule", "average". Anything with
/// describe(Inventory&):
///   {"model", entries_of(model)}
struct StatePart {
  std::string name;
  Entries entries;
};

/// All tensors of the parts, called "part.entry". An undefined buffer is state that is not there yet, and
/// left out.
std::vector<ArchiveEntry> state_entries(const std::vector<StatePart>& parts);

/// Copies the tensors of a checkpoint into the parts, bit for bit, in place: views into a ParameterVector
/// stay views. An undefined buffer receives its tensor. Checks everything before it writes anything. Errors:
/// CheckpointError listing what is missing, unexpected, or of another shape or dtype.
void restore_state(const Archive& checkpoint, const std::vector<StatePart>& parts);

/// Where warnings go, a line each.
using Warn = std::function<void(const std::string&)>;

/// Writes `directory`/ckpt-<step, nine digits>.safetensors, atomically and durably, with the position and
/// what is to be said `about` the network (apps/weights/identity.h) as metadata. Then, and only then, removes
/// what is superseded(); what cannot be removed is a warning. Returns the path. Errors: OutputError, the
/// checkpoints before are then intact; keep < 1.
std::string save_checkpoint(const std::string& directory, const TrainingPosition& position,
                            const std::vector<ArchiveEntry>& state, int keep = 2,
                            const ArchiveMetadata& about = {}, const Warn& warn = {});

/// A checkpoint file by its name.
struct CheckpointFile {
  std::int64_t step;
  std::string path;
};
/// The checkpoints in a directory by their names, newest first. Errors: CheckpointError for a directory that
/// is not there or cannot be read.
std::vector<CheckpointFile> list_checkpoints(const std::string& directory);

/// The checkpoints that the one of step `newest` makes superfluous where `keep` are to stay: of those with
/// fewer steps all but the newest `keep` - 1 whole ones, and all with more steps, which were passed over as
/// damaged or are an overwritten run's. One that the system does not let us read may be whole, and stays
/// while it could count; what is no regular file is not ours. Errors: those of list_checkpoints().
std::vector<CheckpointFile> superseded(const std::string& directory, std::int64_t newest, int keep);

/// A checkpoint open for reading, its checksums verified.
struct LoadedCheckpoint {
  Archive archive;
  TrainingPosition position;
};

/// One checkpoint file, read once to verify it. Errors: CheckpointError: damaged, or not a checkpoint of
/// Basin; NewerFormatError.
LoadedCheckpoint load_checkpoint(const std::string& path);

/// The newest checkpoint of a directory that is whole. Damaged newer ones, and what only has the name of one,
/// are passed over with a warning that names them and the one taken. Errors: CheckpointError: there is none,
/// with each file and its reason; NewerFormatError; UnreadableError for one that the system does not let us
/// read before a whole one is found: to go on from an older one would silently throw its work away.
LoadedCheckpoint load_newest_checkpoint(const std::string& directory, const Warn& warn);

/// Whether a run can go on from `saved`: same model, optimizer, rule, average, seed and data as `wanted`.
/// Errors: CheckpointError naming each field that differs with both values.
void check_compatible(const TrainingPosition& saved, const TrainingPosition& wanted);

}  // namespace basin::apps
