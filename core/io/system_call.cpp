#include "core/io/system_call.h"

#include <unistd.h>

#include <atomic>
#include <system_error>

namespace basin {
namespace {

std::atomic<SystemFault> system_fault{nullptr};

}  // namespace

int injected_fault(const char* call) {
  const SystemFault fault = system_fault.load();
  return fault ? fault(call) : 0;
}

SystemFault set_system_fault(SystemFault fault) { return system_fault.exchange(fault); }

std::string reason(int number) { return std::generic_category().message(number); }

int fsync_directory(int descriptor) {
  const int result = system_call("fsync_directory", [&] { return ::fsync(descriptor); });
  return result == -1 && errno != EINVAL ? errno : 0;
}

}  // namespace basin
