#include "cuda/check.h"

namespace basin::cuda {

void check(cudaError_t status, const char* call, const std::source_location& where) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // else the next call would report it again
  const std::string what = text("[cuda] ", call, ": ", cudaGetErrorName(status), " (",
                                cudaGetErrorString(status), "), at ", where.file_name(), ":", where.line());
  if (status == cudaErrorMemoryAllocation) throw MemoryError(what);
  throw InternalError(what);
}

}  // namespace basin::cuda
