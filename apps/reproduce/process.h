// Process: another program at work, started without a shell, told to end when this one does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/runs/directory_lock.h"

namespace basin::apps {

/// The variables of this process but those that would change what a run computes (BASIN_LR, ...):
/// "NAME=value".
std::vector<std::string> environment_of_runs();

class Process {
 public:
  /// Starts `words`, the program's file first, with nothing to read, and what it prints put at the end of the
  /// file `log`. Ctrl-C at the terminal doesn't reach it, terminate() does, and so does the end of this
  /// process, even one by SIGKILL. Errors: OutputError for a log that can't be opened; MemoryError where the
  /// system starts no process.
  Process(const std::vector<std::string>& words, const std::vector<std::string>& environment,
          const std::string& log);
  /// Terminates it and waits.
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  /// The exit code once it has ended, 128 + the signal that ended it; none before.
  std::optional<int> ended();
  /// Sends SIGTERM, once however often it is called: a second one would end a run before it has saved.
  void terminate();
  /// Waits for the end and returns the exit code.
  int wait();

 private:
  int id_ = -1;  // -1 once there is nothing to wait for
  std::optional<int> code_{};
  bool terminated_ = false;
};

/// A fifth of a second, less when a signal comes.
void pause_a_moment();

/// The directory, held by this process and by all that it starts until the last of them has ended. Waits for
/// up to a minute where another process holds it: an earlier call's runs may still be saving. Errors: those
/// of DirectoryLock after that; InterruptedError.
DirectoryLock lock_when_free(const std::string& directory);

/// The file of the program that is running. Errors: InternalError where the system doesn't tell.
std::string own_program();

}  // namespace basin::apps
