// Where a tensor's numbers live.
#pragma once

#include <ostream>

namespace basin {

struct Device {
  enum class Kind { cpu, cuda };
  Kind kind = Kind::cpu;
  int index = 0;
  bool operator==(const Device& o) const { return kind == o.kind && index == o.index; }
};

inline std::ostream& operator<<(std::ostream& out, const Device& d) {
  if (d.kind == Device::Kind::cpu) return out << "cpu";
  return out << "cuda:" << d.index;
}

}  // namespace basin
