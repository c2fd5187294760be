// Eigenvectors as files: each a direction in the space of a model's weights.
#pragma once

#include <string>

#include "core/tensor.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// Writes flat vectors {d} to a safetensors file: number i's part of a parameter is "i.NAME", i = 1, 2, ...,
/// in the layout of files of weights. Errors: OutputError.
void write_eigenvectors(const std::string& path, const optim::ParameterVector& w, const Tensors& vectors);

/// Its vectors, {d}, of w's dtype and device. Errors: CheckpointError for a file that has none, or those of
/// another model.
Tensors read_eigenvectors(const std::string& path, const optim::ParameterVector& w);

}  // namespace basin::apps
