// What those who work for a card's backend need of it.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

#include "core/device.h"
#include "cuda/runtime/options.h"
#include "cuda/runtime/pool.h"

namespace basin::cuda {

struct Workplace {
  Device device;
  const Options& options;
  Pool& pool;
  std::function<cudaStream_t()> stream;  // makes the card the current one of the calling thread
};

}  // namespace basin::cuda
