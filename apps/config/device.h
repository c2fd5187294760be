// Where and in which arithmetic a command computes: the struct, its words and its options.
#pragma once

#include <cstdint>

#include "apps/options/names.h"
#include "core/conv_algorithm.h"
#include "core/device.h"
#include "core/dtype.h"

namespace basin::apps {

class OptionTable;

const NamesOf<ConvAlgorithm>& conv_algorithm_names();  // "winograd4", the words of core/conv_algorithm.h

struct DeviceConfig {
  Device device;
  std::int64_t threads = 0;  // 0: every CPU this process may use
  Dtype dtype = Dtype::f32;
  ConvAlgorithm conv_algorithm = ConvAlgorithm::winograd4;
};

/// Adds the group "Device".
void add(OptionTable& table, DeviceConfig& device);

/// Makes the process's settings those of the configuration: threads, the arithmetic of convolutions. Errors:
/// UsageError for BASIN_ARCH; MemoryError for more threads than the system starts.
void apply(const DeviceConfig& device);

}  // namespace basin::apps
