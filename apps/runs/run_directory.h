// The directory of one training run: made once, locked while in use, resumed exactly.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "apps/cli/terminal.h"
#include "apps/config/train_config.h"
#include "apps/runs/directory_lock.h"
#include "apps/runs/event_file.h"
#include "apps/runs/records.h"
#include "apps/runs/result.h"
#include "core/error.h"
#include "core/io/json.h"

namespace basin::apps {

class RunDirectory {
 public:
  /// Looks the run up and writes nothing: config.run.dir, empty for runs/NAME-NNN with the next number. A
  /// directory that is there is locked, and rid of the temporary files of writers that were killed. Errors:
  /// UsageError for one that holds a run (without config.run.force) or something else; CheckpointError for
  /// one to resume that is none; OutputError when another process is using it.
  RunDirectory(const TrainConfig& config, Terminal& terminal);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  /// Begins a session: makes the directory of a new run and writes its config.toml, opens log.txt for the
  /// terminal, writes run.json. With config.run.force the old run goes first, of its files only those that
  /// Basin writes: checkpoints first, and config.toml is replaced last, so that a process killed in between
  /// leaves a run that can be resumed or replaced. To be called when all that can fail before is done, and
  /// before everything below. Errors: as the constructor's; OutputError when it cannot be written.
  void begin(const TrainConfig& config);

  /// Empty before begin() for a run that gets the next number.
  const std::string& path() const { return path_; }
  /// PATH/NAME.
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// A fact for run.json: the data set and its hash, the number of parameters. Replaces an earlier one of
  /// that name.
  void describe(const std::string& key, Json value);
  /// A fact told to describe(), also by an earlier call that this one resumes; null if there is none.
  const Json* described(const std::string& key) const;
  /// Seconds that earlier calls of this run took.
  double earlier_seconds() const;

  /// Opens metrics.csv (with columns of the Hessian if asked for), steps.jsonl, and with --tensorboard the
  /// event file, made to hold the records of the finished `epochs` and of the first `step` steps; warns of
  /// what was lost or foreign. To be called once, before write() and sync().
  void open_records(std::int64_t step, const std::vector<EpochRecord>& epochs, bool hessian = false);
  /// Appends a record. On a full disk it is kept and tried again with the next one; the first failure is
  /// warned about.
  void write(const StepRecord& record);
  void write(const EpochRecord& record);
  /// Brings the records to the disk: call it before saving a checkpoint, so that none before it can be lost.
  void sync();

  /// Writes result.json. Errors: OutputError.
  void write(const RunResult& result);

  /// Runs the training as one session of the run: `body` returns the exit code. However it ends, run.json
  /// says how (code, reason, time, last step). A stdout that fails does not end it: what it was to show is in
  /// log.txt. When records, log or stdout are incomplete at the end, success becomes exit code 8.
  ExitCode session(const std::function<ExitCode()>& body);
  /// Why body() is about to return, for run.json: "stopped after 17 steps".
  void ends_because(const std::string& reason) { reason_ = reason; }

 private:
  void lock();
  /// Locks the directory that is there and refuses it where the run cannot have it.
  void look();
  void create();
  void clear();
  Json description();
  void begin_session(const TrainConfig& config);
  void end_session(ExitCode code, const std::string& reason);
  void save_run_json();
  /// Why records are missing; empty if none are.
  std::string records_error() const;
  void check_records();

  std::string path_;
  bool resume_, force_, tensorboard_;
  Terminal& terminal_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<Records> records_;
  std::unique_ptr<EventFile> events_;  // null without --tensorboard
  Json run_;                           // run.json
  double begin_ = 0;
  std::int64_t last_step_ = 0;
  std::string reason_;
  bool warned_ = false;
  std::string description_error_;  // why run.json is not written; empty if it is
};

}  // namespace basin::apps
