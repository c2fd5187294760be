// NumPy's file of one array; numpy.load reads it.
#pragma once

#include <string>

#include "core/tensor.h"

namespace basin {

/// What stands before the numbers in format 1.0: magic, version, a Python dictionary padded to a multiple of
/// 64 bytes; little-endian, row-major. Errors: InternalError for bf16, for which NumPy has no type.
std::string npy_header(Dtype dtype, const Shape& shape);

/// Writes the tensor to `path`, atomically; bf16 becomes f32. The bytes depend on the numbers only. Errors:
/// ArgumentError for an undefined tensor; OutputError.
void write_npy(const std::string& path, const Tensor& tensor);

}  // namespace basin
