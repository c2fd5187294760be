#include "tests/cuda/device.h"

#include "cuda/plugin.h"

extern "C" basin::cuda::Plugin* basin_cuda_plugin(int interface);

namespace basin::testing {

Device cuda_device() {
  static const bool once = (basin_cuda_plugin(cuda::kInterface)->install(0, {.autotune = false}), true);
  return once ? Device{Device::Kind::cuda, 0} : Device{};
}

}  // namespace basin::testing
