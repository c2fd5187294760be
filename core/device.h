// Where a tensor's numbers live.
#pragma once

#include <ostream>

namespace basin {

/// A kind of memory and which of its kind: Device{} is the host, {Device::Kind::cuda, 1} the second card.
struct Device {
  /// `test`: the tests' own device, host memory behind a lock (tests/core/test_device.h).
  enum class Kind { cpu, cuda, test, count_ };
  Kind kind = Kind::cpu;
  int index = 0;
  /// Whether the host's code may read and write the numbers itself.
  bool is_host() const { return kind == Kind::cpu; }
  bool operator==(const Device& o) const { return kind == o.kind && index == o.index; }
};

inline std::ostream& operator<<(std::ostream& out, const Device& d) {
  if (d.is_host()) return out << "cpu";
  return out << (d.kind == Device::Kind::cuda ? "cuda:" : "test:") << d.index;
}

}  // namespace basin
