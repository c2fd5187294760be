// The plug-in libbasin_cuda.so: found and opened when somebody asks for a card, never before.
#pragma once

#include <string>

#include "cuda/plugin.h"

namespace basin::apps {

/// What there is of CUDA here: the plug-in, or why there is none, in words.
struct CudaPlugin {
  cuda::Plugin* plugin = nullptr;  // it lives as long as the process
  std::string path{};              // of the file that was opened
  std::string missing{};           // without a plug-in: what is missing, and what to do
};

/// Opens the file that the environment variable BASIN_CUDA_PLUGIN names, else libbasin_cuda.so beside the
/// program, else in ../lib from there. Once: later calls return what the first found.
const CudaPlugin& cuda_plugin();

}  // namespace basin::apps
