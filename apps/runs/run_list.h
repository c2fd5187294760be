// The runs in a folder: how each ended, what it came to, and which of its files are of no more use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/json.h"

namespace basin::apps {

enum class Standing {
  running,  // a process holds it
  done,     // it came to its end
  stopped,  // it was interrupted, or asked to stop: --resume goes on
  failed,   // it ended with an error
  killed    // nothing says how it ended, and no process holds it: --resume goes on
};
const char* name_of(Standing state);

/// A run as its files tell of it; what they do not tell is empty.
struct ListedRun {
  std::string directory{};
  Standing state = Standing::killed;
  std::string reason{};                      // why it ended, where it did not come to its end: "interrupted"
  std::string started{};                     // of its first session, "2026-11-30T22:31:32Z"
  double seconds = 0;                        // of all sessions that said how long they were
  std::int64_t bytes = 0;                    // of the files in its folder and those below
  std::int64_t epochs = 0;                   // of its last record
  std::optional<double> loss{}, accuracy{};  // on the test images, the last epoch's
  std::optional<double> best{};              // test accuracy of the epoch that best_of() finds
  std::vector<std::string> problems{};       // files that cannot be read, each with its reason
};

/// The folders in `directory` that hold a config.toml, by name, and `directory` itself if it does. Nothing is
/// written, and a run that is under way is not disturbed. Errors: UsageError for a folder that is not there
/// or holds no run; ReadError for one that cannot be read.
std::vector<ListedRun> list_runs(const std::string& directory);

/// What may go of a run, and why.
struct Removable {
  std::string path{};
  std::string why{};
  std::int64_t bytes = 0;
};

/// Of a run that is done the checkpoints but the newest (with which it could go on); of one that nobody holds
/// and that left neither a checkpoint nor weights, the folder. Of a run that is running, nothing.
std::vector<Removable> removable_of(const ListedRun& run);

/// {"run", "state", "reason", "started", "seconds", "bytes", "epochs", "loss", "accuracy", "best"}; what is
/// not known is null.
Json to_json(const ListedRun& run);

}  // namespace basin::apps
