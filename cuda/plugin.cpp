#include "cuda/plugin.h"

#include <cudnn.h>

#include <map>
#include <memory>

#include "cuda/backend.h"

namespace basin::cuda {
namespace {

class Cuda final : public Plugin {
 public:
  Facts facts() override {
    Facts f;
    f.cudnn = cudnnGetVersion();
    static_cast<void>(cudaRuntimeGetVersion(&f.runtime));
    static_cast<void>(cudaDriverGetVersion(&f.driver));  // 0 where there is none
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    static_cast<void>(cudaGetLastError());
    if (status != cudaSuccess || count == 0) {
      f.missing =
          f.driver == 0 ? text("no driver of an NVIDIA card is loaded") : text("the driver shows no card");
      if (f.driver != 0 && status != cudaSuccess) f.missing += text(" (", cudaGetErrorString(status), ")");
      return f;
    }
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp p{};
      check(cudaGetDeviceProperties(&p, i), "cudaGetDeviceProperties");
      f.devices.push_back({p.name, p.major, p.minor, p.multiProcessorCount, p.totalGlobalMem});
    }
    return f;
  }

  void install(int index, const Options& options) override {
    const Facts f = facts();
    if (!f.missing.empty())
      throw UsageError("--device cuda: ", f.missing, "; --device cpu computes without a card");
    if (index < 0 || index >= static_cast<int>(f.devices.size()))
      throw UsageError("--device cuda:", index,
                       ": this machine's cards are cuda:0 to cuda:", f.devices.size() - 1);
    std::unique_ptr<CudaBackend>& slot = backends_[index];
    slot = std::make_unique<CudaBackend>(index, options);
    install_backend({Device::Kind::cuda, index}, *slot);
  }

  MemoryUse memory(int index) override {
    const Pool::Figures f = backends_.at(index)->pool().figures();
    return {.in_use = f.in_use, .peak = f.peak, .held = f.held};
  }
  void forget_peak(int index) override { backends_.at(index)->pool().forget_peak(); }

 private:
  std::map<int, std::unique_ptr<CudaBackend>> backends_;
};

}  // namespace
}  // namespace basin::cuda

// Never destroyed: tensors of static duration may outlive main().
extern "C" __attribute__((visibility("default"))) basin::cuda::Plugin* basin_cuda_plugin(int interface) {
  static auto* plugin = new basin::cuda::Cuda;
  return interface == basin::cuda::kInterface ? plugin : nullptr;
}
