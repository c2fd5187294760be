#include "cuda/runtime/check.h"

namespace basin::cuda {

void check(cudaError_t status, const char* call, Place where) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // else the next call would report it again
  const std::string what = text("[cuda] ", call, ": ", cudaGetErrorName(status), " (",
                                cudaGetErrorString(status), "), at ", where.file, ":", where.line);
  if (status == cudaErrorMemoryAllocation) throw MemoryError(what);
  throw InternalError(what);
}

}  // namespace basin::cuda
