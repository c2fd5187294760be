// What the program knows of the plug-in libbasin_cuda.so: the one function that it exports.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/device.h"
#include "cuda/runtime/options.h"

namespace basin::cuda {

/// A card, as the driver describes it.
struct DeviceFacts {
  std::string name;          // NVIDIA H200
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  std::size_t bytes = 0;  // of its memory
};

/// What is there, and what is not.
struct Facts {
  std::string missing;               // empty, or why no card can be used, in words: "no driver: ..."
  std::vector<DeviceFacts> devices;  // by index
  int runtime = 0, driver = 0;       // versions as CUDA counts: 13000 is 13.0; 0: there is no driver
  std::size_t cudnn = 0;             // 91900 is 9.19.0
};

/// Bytes of a card: of live tensors, now and at most, and what the backend holds for them and for later ones.
struct MemoryUse {
  std::size_t in_use = 0, peak = 0, held = 0;
};

/// The plug-in. It lives as long as the process.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual Facts facts() = 0;
  /// Installs the backend of cuda:index (install_backend()). Errors: UsageError where facts().missing says
  /// why, or there are fewer cards.
  virtual void install(int index, const Options& options) = 0;
  /// Of a card whose backend is installed. forget_peak() gives back what nobody uses and begins the peak
  /// anew.
  virtual MemoryUse memory(int index) = 0;
  virtual void forget_peak(int index) = 0;
};

/// The name of the function that the plug-in exports: extern "C" Plugin* basin_cuda_plugin(int interface).
/// Null for a number other than kInterface, which is that of this header.
inline constexpr const char* kEntry = "basin_cuda_plugin";
inline constexpr int kInterface = 2;

}  // namespace basin::cuda
