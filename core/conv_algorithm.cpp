// See conv_algorithm.h.
#include "core/conv_algorithm.h"

#include <atomic>

#include "core/error.h"

namespace basin {
namespace {

std::atomic<ConvAlgorithm> in_force{ConvAlgorithm::direct};

}  // namespace

ConvAlgorithm conv_algorithm() { return in_force.load(std::memory_order_relaxed); }

void set_conv_algorithm(ConvAlgorithm algorithm) { in_force.store(algorithm, std::memory_order_relaxed); }

const char* name_of(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::winograd2:
      return "winograd2";
    case ConvAlgorithm::winograd4:
      return "winograd4";
  }
  throw UsageError("[conv_algorithm] no such algorithm: ", static_cast<int>(algorithm));
}

}  // namespace basin
