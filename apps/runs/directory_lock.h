// DirectoryLock: one process at a time at work in a directory.
#pragma once

#include <string>

#include "core/error.h"

namespace basin::apps {

/// The directory is locked by another process, which the message names.
struct InUseError : OutputError {
  using OutputError::OutputError;
};

/// Who has the directory locked, by the system's list of locks: "process 4711 on host alpha since
/// 2026-12-01T05:48:14Z: basin train --resume r". Empty where nobody is known to: it is free, or the holder
/// is of another machine or container.
std::string holder_of(const std::string& directory);

/// Whether the same list has a lock on the directory, of whatever process.
bool is_locked(const std::string& directory);

/// An exclusive lock (flock) on the directory itself: it leaves no file behind, and the system takes it back
/// when its owner ends, by SIGKILL too. Where a file system has no locks the owner goes on without.
class DirectoryLock {
 public:
  enum class Owner {
    process,      // ends with this one
    descendants,  // or with the last of the processes that this one starts
  };
  /// `command` and `remedy` are words of the error: "run", "name another --run DIR". Errors: InUseError
  /// naming the holder; OutputError for a directory that can't be opened.
  DirectoryLock(const std::string& command, const std::string& directory, const std::string& remedy,
                Owner owner = Owner::process);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace basin::apps
