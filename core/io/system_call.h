// System calls of the file functions, which tests can make fail (set_system_fault() in core/io/files.h).
#pragma once

#include <cerrno>
#include <string>

namespace basin {

/// An errno in words: "No space left on device".
std::string reason(int number);

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
