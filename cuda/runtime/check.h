// Errors of the CUDA runtime as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include "core/error.h"

namespace basin::cuda {

/// A place in our code: of the call, where it stands as a default argument. (std::source_location would do,
/// but for clang 14.)
struct Place {
  const char* file;
  int line;
};
inline Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

/// Throws unless `status` is success: MemoryError where memory ran out, else InternalError, with the call's
/// name and the place in our code: check(cudaStreamSynchronize(s), "cudaStreamSynchronize").
void check(cudaError_t status, const char* call, Place where = here());

}  // namespace basin::cuda
