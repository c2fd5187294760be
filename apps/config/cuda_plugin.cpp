#include "apps/config/cuda_plugin.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "core/error.h"

namespace basin::apps {
namespace {

constexpr const char* kFile = "libbasin_cuda.so";
constexpr const char* kHelp = "README, \"On a GPU\", has the packages that a build with CUDA needs";

std::filesystem::path folder_of_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

CudaPlugin opened(const std::string& path) {
  CudaPlugin result{.path = path};
  void* const file = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) {
    const char* const why = ::dlerror();
    result.missing = text("the plug-in ", path, " can't be opened: ", why == nullptr ? "" : why);
    return result;
  }
  using Entry = cuda::Plugin* (*)(int);
  void* const symbol = ::dlsym(file, cuda::kEntry);
  if (symbol != nullptr) result.plugin = reinterpret_cast<Entry>(symbol)(cuda::kInterface);
  if (result.plugin == nullptr)
    result.missing = text("the plug-in ", path, " is of another version of basin: build both together");
  return result;
}

CudaPlugin found() {
  if (const char* const named = std::getenv("BASIN_CUDA_PLUGIN"); named != nullptr && *named != '\0')
    return opened(std::filesystem::absolute(named).string());
  const std::filesystem::path beside = folder_of_program();
  for (const std::filesystem::path& folder : {beside, beside.parent_path() / "lib"})
    if (std::error_code ignored; std::filesystem::exists(folder / kFile, ignored))
      return opened((folder / kFile).string());
  return {.missing = text("there is no plug-in ", kFile, " beside the program or in ../lib: ", kHelp)};
}

}  // namespace

const CudaPlugin& cuda_plugin() {
  static const CudaPlugin once = found();
  return once;
}

}  // namespace basin::apps
