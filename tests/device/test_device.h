// A device for tests: test:0. Its memory is the host's, behind addresses that fault when the host touches
// them, and it counts how often the host waits for a number.
#pragma once

#include <cstdint>

#include "core/device.h"

namespace basin::testing {

/// The device. The first call installs its backend: the CPU's kernels on the memory behind the addresses, so
/// that every result has the CPU's bits. It computes in bf16 too, by the same kernels in f32. Scalars that
/// its kernels return are not known on the host. It makes recordings (Backend::make_recording()).
Device test_device();

/// How many times numbers were brought to the host, since the program began.
std::int64_t host_reads();

}  // namespace basin::testing
