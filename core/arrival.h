// Arrival: bytes that a device sends to the host.
#pragma once

#include <cstddef>

namespace basin {

/// What Backend::send_home() gives for bytes on their way.
class Arrival {
 public:
  virtual ~Arrival() = default;
  /// The bytes, which stay as long as the arrival lives. Waits for them, but not for what was asked of the
  /// device later.
  virtual const std::byte* wait() = 0;
};

}  // namespace basin
