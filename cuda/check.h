// Errors of the CUDA runtime as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <source_location>

#include "core/error.h"

namespace basin::cuda {

/// Throws unless `status` is success: MemoryError where memory ran out, else InternalError, with the call's
/// name and the place in our code: check(cudaStreamSynchronize(s), "cudaStreamSynchronize").
void check(cudaError_t status, const char* call,
           const std::source_location& where = std::source_location::current());

}  // namespace basin::cuda
