// Saving, choosing, checking and restoring checkpoints; weights as files.
#include "apps/runs/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "apps/weights/findings.h"
#include "autograd/named_tensors.h"
#include "core/io/directory.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

constexpr std::string_view kPrefix = "ckpt-", kSuffix = ".safetensors";

std::string checkpoint_name(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < 9) digits.insert(0, 9 - digits.size(), '0');
  return text(kPrefix, digits, kSuffix);
}

/// The step in "ckpt-000000120.safetensors"; -1 for another name.
std::int64_t step_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return -1;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(kSuffix.size(), name.size()));
  std::int64_t step = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  return error == std::errc() && end == name.data() + name.size() && step >= 0 ? step : -1;
}

enum class State { whole, damaged, unknown };

/// Reads all of it: a checkpoint counts as whole by its numbers, not by its header alone.
State state_of(const std::string& path) {
  try {
    Archive(path).verify();
    return State::whole;
  } catch (const UnreadableError&) {
    return State::unknown;
  } catch (const CheckpointError&) {
    return State::damaged;
  }
}

std::vector<NamedTensor> named_tensors_of(const std::vector<StatePart>& parts) {
  std::vector<NamedTensor> tensors;
  for (const StatePart& part : parts) add_named_tensors(tensors, part.name + '.', part.entries);
  return tensors;
}

/// Where the state lives: the first tensor is a weight.
Device device_of(const std::vector<NamedTensor>& tensors) {
  return tensors.empty() ? Device{} : tensors.front().tensor.device();
}

}  // namespace

Json to_json(const TrainingPosition& p) {
  Json j;
  j.set("format", p.format).set("step", p.step).set("epoch", p.epoch).set("batch", p.batch);
  j.set("samples_seen", p.samples_seen).set("seed", p.seed);
  j.set("config_hash", p.config_hash).set("data_hash", p.data_hash);
  if (!p.recipe.empty()) j.set("recipe", p.recipe);
  j.set("model", p.model).set("optimizer", p.optimizer).set("rule", p.rule).set("average", p.average);
  j.set("best_metric", recorded(p.best_metric)).set("best_epoch", p.best_epoch).set("extra", p.extra);
  return j;
}

TrainingPosition training_position(const Json& j) {
  TrainingPosition p;
  p.format = j.at("format").integer();
  if (p.format > TrainingPosition::kNewestFormat)
    throw NewerFormatError("[checkpoint] has format ", p.format, ", this program reads up to ",
                           TrainingPosition::kNewestFormat, "; use the newer program that wrote it");
  p.step = j.at("step").integer();
  p.epoch = j.at("epoch").integer();
  p.batch = j.at("batch").integer();
  p.samples_seen = j.at("samples_seen").integer();
  p.seed = j.at("seed").natural();
  p.config_hash = j.at("config_hash").string();
  p.data_hash = j.at("data_hash").string();
  if (const Json* recipe = j.find("recipe")) p.recipe = recipe->string();
  p.model = j.at("model").string();
  p.optimizer = j.at("optimizer").string();
  p.rule = j.at("rule").string();
  p.average = j.at("average").string();
  p.best_metric = recorded_number(j.at("best_metric"));
  p.best_epoch = j.at("best_epoch").integer();
  p.extra = j.at("extra");
  return p;
}

std::vector<ArchiveEntry> state_entries(const std::vector<StatePart>& parts) {
  return to_entries(named_tensors_of(parts));
}

void restore_state(const Archive& checkpoint, const std::vector<StatePart>& parts) {
  std::vector<NamedTensor> tensors = named_tensors_of(parts);
  Findings missing, unexpected, different;
  std::set<std::string> known;
  for (const NamedTensor& own : tensors) {
    known.insert(own.name);
    if (!own.tensor.defined()) continue;
    if (!checkpoint.contains(own.name)) {
      missing.add(own.name);
      continue;
    }
    const ArchiveTensor& t = checkpoint.at(own.name);
    const std::string_view dtype = file_dtype(own.tensor.dtype());
    const Shape shape = shape_in_file(own);
    if (t.shape != shape || t.dtype != dtype)
      different.add(
          text(own.name, " (", in_words(t.dtype, t.shape), ", expected ", in_words(dtype, shape), ')'));
  }
  for (const ArchiveTensor& t : checkpoint.tensors())
    if (known.count(t.name) == 0) unexpected.add(excerpt(t.name));
  const std::string problems =
      missing.line("missing") + unexpected.line("unexpected") + different.line("different");
  if (!problems.empty()) throw CheckpointError("[load] ", checkpoint.path(), " does not fit", problems);
  const Device device = device_of(tensors);
  for (NamedTensor& own : tensors) {
    if (!checkpoint.contains(own.name)) continue;
    fill(own, checkpoint, own.name);
    if (!own.tensor.defined()) *own.buffer = own.buffer->to(device);
  }
}

std::vector<CheckpointFile> superseded(const std::string& directory, std::int64_t newest, int keep) {
  std::vector<CheckpointFile> all;
  int kept = 1;
  for (const CheckpointFile& other : list_checkpoints(directory)) {
    if (other.step == newest || !odd_file(other.path).empty()) continue;
    if (other.step < newest && kept < keep) {
      const State state = state_of(other.path);
      if (state == State::whole) ++kept;
      if (state != State::damaged) continue;
    }
    all.push_back(other);
  }
  return all;
}

std::string save_checkpoint(const std::string& directory, const TrainingPosition& position,
                            const std::vector<ArchiveEntry>& state, int keep, const ArchiveMetadata& about,
                            const Warn& warn) {
  if (keep < 1) throw ArgumentError("[checkpoint] keeps at least 1 file, got ", keep);
  const std::string path = directory + '/' + checkpoint_name(position.step);
  if (const std::string odd = odd_file(path); !odd.empty())
    throw OutputError("[checkpoint] ", path, " is ", odd, ", which no checkpoint can replace; move it away");
  ArchiveMetadata metadata = about;
  metadata[kPositionKey] = to_json(position).compact();
  write_archive(path, state, metadata);
  // It is durable: whatever goes wrong from here on is no reason to stop.
  const Warn say = warn ? warn : [](const std::string&) {};
  try {
    for (const CheckpointFile& old : superseded(directory, position.step, keep)) {
      try {
        remove_file(old.path);
      } catch (const OutputError& e) {
        say(text("an old checkpoint stays: ", e.what()));
      }
    }
  } catch (const Error& e) {
    say(text("old checkpoints stay: ", e.what()));
  }
  return path;
}

std::vector<CheckpointFile> list_checkpoints(const std::string& directory) {
  std::vector<CheckpointFile> files;
  try {
    for (const std::string& name : list_directory(directory))
      if (const std::int64_t step = step_of(name); step >= 0) files.push_back({step, directory + '/' + name});
  } catch (const ReadError& e) {
    throw UnreadableError(e.number, text("[checkpoint] ", e.what()));
  }
  std::sort(files.begin(), files.end(),
            [](const CheckpointFile& a, const CheckpointFile& b) { return a.step > b.step; });
  return files;
}

LoadedCheckpoint load_checkpoint(const std::string& path) {
  Archive archive(path);
  const auto position = archive.metadata().find(kPositionKey);
  if (position == archive.metadata().end() || !archive.checksummed())
    throw CheckpointError("[checkpoint] ", path,
                          ": holds tensors, but is no checkpoint of basin; use it as --init");
  archive.verify();
  try {
    return {archive, training_position(parse_json(position->second))};
  } catch (const JsonError& e) {
    throw CheckpointError("[checkpoint] ", path, ": position: ", e.what());
  }
}

LoadedCheckpoint load_newest_checkpoint(const std::string& directory, const Warn& warn) {
  std::string reasons;
  const auto pass_over = [&](const std::string& why) { reasons += (reasons.empty() ? "" : "; ") + why; };
  for (const CheckpointFile& file : list_checkpoints(directory)) {
    if (const std::string odd = odd_file(file.path); !odd.empty()) {
      pass_over(text(file.path, " is ", odd));
      continue;
    }
    try {
      LoadedCheckpoint loaded = load_checkpoint(file.path);
      if (!reasons.empty())
        warn("damaged checkpoint passed over: " + reasons + "; going on from " + file.path);
      return loaded;
    } catch (const NewerFormatError&) {
      throw;  // it is whole: an older one would silently throw work away
    } catch (const UnreadableError& e) {
      throw UnreadableError(e.number,
                            text("[checkpoint] ", file.path, " may be whole, but cannot be read: ", e.what(),
                                 "; mend that, or move it away to go on from an older one"));
    } catch (const CheckpointError& e) {
      pass_over(e.what());
    }
  }
  if (reasons.empty())
    throw CheckpointError("[checkpoint] ", directory, " has no checkpoint (ckpt-*.safetensors)");
  throw CheckpointError("[checkpoint] no checkpoint in ", directory, " can be read: ", reasons);
}

void check_compatible(const TrainingPosition& saved, const TrainingPosition& wanted) {
  std::string differences;
  const auto compare = [&](const char* field, const auto& has, const auto& wants) {
    if (has == wants) return;
    differences += text(differences.empty() ? "" : ", ", field, ' ', has, " (this run: ", wants, ')');
  };
  compare("model", saved.model, wanted.model);
  compare("optimizer", saved.optimizer, wanted.optimizer);
  compare("rule", saved.rule, wanted.rule);
  compare("average", saved.average, wanted.average);
  compare("seed", saved.seed, wanted.seed);
  compare("data", saved.data_hash, wanted.data_hash);
  if (!differences.empty())
    throw CheckpointError("[resume] the checkpoint does not fit this run: it has ", differences,
                          saved.data_hash == wanted.data_hash
                              ? "; resume with the options of its config.toml"
                              : "; bring the data back as they were, or begin a new run");
}

}  // namespace basin::apps
