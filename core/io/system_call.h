// System calls of the file functions, which tests can make fail (set_system_fault() in core/io/files.h).
#pragma once

#include <cerrno>

namespace basin {

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

}  // namespace basin
