#include "tests/cuda/device.h"

#include <cstdlib>

#include "cuda/plugin.h"

extern "C" basin::cuda::Plugin* basin_cuda_plugin(int interface);

namespace basin::testing {

Device cuda_device() {
  static const bool once = [] {
    cuda::Options options;
    options.autotune = false;
    options.cached_memory = std::getenv("BASIN_TEST_EXACT_MEMORY") == nullptr;
    basin_cuda_plugin(cuda::kInterface)->install(0, options);
    return true;
  }();
  return once ? Device{Device::Kind::cuda, 0} : Device{};
}

}  // namespace basin::testing
