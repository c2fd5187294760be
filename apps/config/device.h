// Where and in which arithmetic a command computes: the struct, its words and its options.
#pragma once

#include <cstdint>
#include <string>

#include "apps/options/names.h"
#include "core/conv_algorithm.h"
#include "core/device.h"
#include "core/dtype.h"

namespace basin::apps {

class OptionTable;

const NamesOf<ConvAlgorithm>& conv_algorithm_names();  // "winograd4", the words of core/conv_algorithm.h

/// In which numbers a card computes in f32's place; see --precision.
enum class Precision { f32, tf32, bf16 };
std::string word_of(Precision precision);  // "bf16"

struct DeviceConfig {
  Device device;
  std::int64_t threads = 0;  // 0: every CPU this process may use
  Dtype dtype = Dtype::f32;
  ConvAlgorithm conv_algorithm = ConvAlgorithm::winograd4;
  // Of a card.
  Precision precision = Precision::f32;
  bool deterministic = false;
  bool autotune = true;
  bool graph = true;  // steps are recorded and played

  /// The dtype of activations: bf16 where the precision says so, else that of the weights.
  Dtype activations() const { return precision == Precision::bf16 ? Dtype::bf16 : dtype; }
};

/// Adds the group "Device".
void add(OptionTable& table, DeviceConfig& device);
/// Adds --device alone, for a command whose arithmetic is its own.
void add_device(OptionTable& table, DeviceConfig& device);
/// Adds to the group what is about training steps: --graph.
void add_graph(OptionTable& table, DeviceConfig& device);
/// Adds how a card computes and makes training steps, --precision to --graph, for one call.
void add_card_of_call(OptionTable& table, DeviceConfig& device);

/// Makes the process's settings those of the configuration: threads, the arithmetic of convolutions, the
/// card's backend. Errors: UsageError for BASIN_ARCH, and for a card where the plug-in, the driver or the
/// card is missing, which it names; MemoryError for more threads than the system starts.
void apply(const DeviceConfig& device);

}  // namespace basin::apps
