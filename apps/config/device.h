// Where and in which arithmetic a command computes: the struct, its words and its options.
#pragma once

#include <cstdint>

#include "apps/options/names.h"
#include "core/conv_algorithm.h"
#include "core/device.h"
#include "core/dtype.h"
#include "cuda/options.h"

namespace basin::apps {

class OptionTable;

const NamesOf<ConvAlgorithm>& conv_algorithm_names();  // "winograd4", the words of core/conv_algorithm.h

struct DeviceConfig {
  Device device;
  std::int64_t threads = 0;  // 0: every CPU this process may use
  Dtype dtype = Dtype::f32;
  ConvAlgorithm conv_algorithm = ConvAlgorithm::winograd4;
  cuda::Options cuda;  // of a card
  bool graph = true;   // steps on a card are recorded and played
};

/// Adds the group "Device".
void add(OptionTable& table, DeviceConfig& device);
/// Adds --device alone, for a command whose arithmetic is its own.
void add_device(OptionTable& table, DeviceConfig& device);
/// Adds to the group what is about training steps: --graph.
void add_graph(OptionTable& table, DeviceConfig& device);

/// Makes the process's settings those of the configuration: threads, the arithmetic of convolutions, the
/// card's backend. Errors: UsageError for BASIN_ARCH, and for a card where the plug-in, the driver or the
/// card is missing, which it names; MemoryError for more threads than the system starts.
void apply(const DeviceConfig& device);

}  // namespace basin::apps
