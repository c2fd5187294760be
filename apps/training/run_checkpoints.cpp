#include "apps/training/run_checkpoints.h"

#include "apps/evaluation/data_identity.h"
#include "apps/runs/recipe.h"
#include "apps/weights/class_match.h"
#include "apps/weights/finite.h"

namespace basin::apps {

RunCheckpoints::RunCheckpoints(const TrainConfig& config, const RunData& data, Experiment& experiment,
                               RunDirectory& run, Terminal& terminal)
    : config_(config), data_(data), experiment_(experiment), run_(run), terminal_(terminal) {}

RunState RunCheckpoints::restore(const LoadedCheckpoint& saved) {
  const Identity own = identity_of(config_.model, data_.set);
  expect_same_run(saved.archive.path(), identity_in(saved.archive.metadata()), own);
  check_recipe(saved.position, config_, run_.path());
  TrainingPosition known = saved.position;
  know_data_again(known, data_, run_.file(kDataFilesName), terminal_);
  check_compatible(known, position_of({}, config_, data_));
  restore_state(saved.archive, parts_of(experiment_));
  if (const std::string bad = first_not_finite(state_entries(parts_of(experiment_))); !bad.empty())
    throw NumericalError("[resume] '", bad, "' in ", saved.archive.path(),
                         " is not finite: nothing to go on from");
  RunState state = state_at(saved.position);
  path_ = saved.archive.path();
  step_ = state.step;
  epoch_ = state.epoch;
  if (saved.position.extra.find("epochs")) return state;
  // A checkpoint of before it held them.
  const std::string path = run_.file("metrics.csv");
  state.epochs = readable_metrics(path, state.epoch);
  if (const std::int64_t lost = state.epoch - std::ssize(state.epochs); lost > 0)
    terminal_.warn(text(path, " has lost the rows of ", lost, " of ", state.epoch,
                        " epochs; the run goes on without them"));
  return state;
}

void RunCheckpoints::save(const RunState& state, int more) {
  if (step_ == state.step && epoch_ == state.epoch) return;
  const std::vector<ArchiveEntry> tensors = state_entries(parts_of(experiment_));
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("after step ", state.step, " '", bad,
                         "' is not finite: no checkpoint of it is written, the last good state is ",
                         last_good_state());
  run_.sync();
  const int keep = static_cast<int>(config_.run.keep) + (state.skipped_in_row > 0 ? 1 : more);
  path_ = save_checkpoint(run_.path(), position_of(state, config_, data_), tensors, keep,
                          to_metadata(identity_of(config_.model, data_.set)), [&](const std::string& line) {
                            if (warned_.insert(line).second) terminal_.warn(line);
                          });
  if (keep == 1) proven_path_.clear();
  postponed_ = false;
  step_ = state.step;
  epoch_ = state.epoch;
}

bool RunCheckpoints::save_if_possible(const RunState& state, int more) {
  try {
    save(state, more);
    return true;
  } catch (const OutputError& e) {
    terminal_.warn(text("no checkpoint at step ", state.step, ": ", e.what(), "; the run goes on"));
    return false;
  }
}

void RunCheckpoints::save_unless_skipping(const RunState& state) {
  if (state.skipped_in_row > 0)
    postponed_ = true;
  else
    save_if_possible(state);
}

std::string RunCheckpoints::last_good_state() const {
  if (path_.empty()) return "in no file";
  if (proven_path_.empty() || proven_path_ == path_) return "in " + path_;
  return text("in ", path_, " and the last one that a finite step followed in ", proven_path_);
}

}  // namespace basin::apps
