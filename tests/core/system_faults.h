// System calls that fail for a while; see set_system_fault() in core/io/system_call.h.
#pragma once

#include "core/io/system_call.h"

namespace basin::test {

class WithFault {
 public:
  explicit WithFault(SystemFault fault) : before_(set_system_fault(fault)) {}
  ~WithFault() { set_system_fault(before_); }
  WithFault(const WithFault&) = delete;
  WithFault& operator=(const WithFault&) = delete;

 private:
  SystemFault before_;
};

}  // namespace basin::test
