// What nvcc's objects ask of the CUDA runtime besides calls that we write: to register their kernels and to
// launch them. Each launch runs the kernel's emulated twin. At the end of the program the file that
// BASIN_KERNELS names gets a line for each kernel: "launched NAME" or "never NAME", NAME mangled.
#include "tests/cuda/nvcc/registered.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

namespace fake {
namespace {

struct Twin {
  const void* kernel;
  Bind bind;
};

struct Registry {
  std::map<std::string, Twin> twins;             // by nvcc's names
  std::map<const void*, std::string> functions;  // the host's address of a kernel that nvcc compiled
  std::set<std::string> launched;

  ~Registry() {
    const char* path = std::getenv("BASIN_KERNELS");
    if (path == nullptr) return;
    std::FILE* out = std::fopen(path, "w");
    if (out == nullptr) return;
    for (const auto& [function, name] : functions)
      std::fprintf(out, "%s %s\n", launched.contains(name) ? "launched" : "never", name.c_str());
    std::fclose(out);
  }
};
Registry& registry() {
  static Registry all;
  return all;
}

cudaError_t launch(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t dynamic_shared,
                   cudaStream_t stream) {
  Registry& r = registry();
  const auto name = r.functions.find(function);
  const auto twin = name == r.functions.end() ? r.twins.end() : r.twins.find(name->second);
  if (twin == r.twins.end()) {
    std::fprintf(stderr, "no emulated twin of %s\n",
                 name == r.functions.end() ? "a function that no object registered" : name->second.c_str());
    return cudaErrorInvalidDeviceFunction;
  }
  r.launched.insert(name->second);
  BoundCall call = twin->second.bind(twin->second.kernel, arguments);
  return enqueue_kernel(stream, grid, block, dynamic_shared, function, call.pointers, std::move(call.run));
}

}  // namespace

void register_twin(const char* name, const void* twin, Bind bind) { registry().twins[name] = {twin, bind}; }

}  // namespace fake

extern "C" {

void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 1; }
void __cudaRegisterFunction(void**, const char* function, char*, const char* name, int, uint3*, uint3*, dim3*,
                            dim3*, int*) {
  fake::registry().functions[function] = name;
}
// Kernels are launched by cudaLaunchKernelExC alone (cuda/launch.h): these stand in code that nobody calls.
unsigned __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*) { std::abort(); }
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) { std::abort(); }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t) { std::abort(); }

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  return fake::launch(function, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes,
                      config->stream);
}

}  // extern "C"
