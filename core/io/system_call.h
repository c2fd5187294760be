// System calls of the file functions, which tests can make fail.
#pragma once

#include <cerrno>
#include <string>

namespace basin {

/// An errno in words: "No space left on device".
std::string reason(int number);

/// For tests of what happens when the system fails. Asked before each system call of core/io/files.h by its
/// name ("open", "write", "fallocate", "fsync", "close", "rename", "fsync_directory", "unlink", "fstat",
/// "pread"), and of core/io/directory.h ("stat", "opendir", "readdir", "mkdir"): 0 lets the call through,
/// anything else is taken for its errno and the call is not made.
using SystemFault = int (*)(const char* call);
/// Installs a fault (null: none), for all threads; returns the one before.
SystemFault set_system_fault(SystemFault fault);

/// The errno that a test wants the call of that name to fail with; 0: none.
int injected_fault(const char* call);

/// The call's result, -1 with errno on failure; repeated while a signal interrupts it.
template <class Call>
auto system_call(const char* name, Call call) -> decltype(call()) {
  while (true) {
    const int injected = injected_fault(name);
    const auto result = injected ? -1 : call();
    if (injected) errno = injected;
    if (result != -1 || errno != EINTR) return result;
  }
}

/// Brings the names in an open directory to the disk. Returns the errno, 0 for success and where the file
/// system has no directories to sync.
int fsync_directory(int descriptor);

}  // namespace basin
