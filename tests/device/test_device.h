// A device for tests: test:0. Its memory is the host's, behind addresses that fault when the host touches
// them, and it counts how often the host waits for a number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/scalar.h"

namespace basin::testing {

/// The device. The first call installs its backend: the CPU's kernels on the memory behind the addresses, so
/// that every result has the CPU's bits. It computes in bf16 too, by the same kernels in f32. Scalars that
/// its kernels return are not known on the host. It makes recordings (Backend::make_recording()).
Device test_device();

/// How many times numbers were brought to the host, since the program began.
std::int64_t host_reads();

/// Writes down what is asked of the device while it lives, one line a call: the kernel, the numbers that the
/// host gives it ("there" for one that lives on the device), the shapes; of what is sent, a hash of its
/// bytes.
class Calls {
 public:
  explicit Calls(std::vector<std::string>& list);
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

 private:
  std::vector<std::string>* before_;
};

}  // namespace basin::testing
