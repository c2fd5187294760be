// Weights of convolutions between Basin's layout and cuDNN's.
#pragma once

#include <cuda_runtime_api.h>

#include "core/tensor.h"

namespace basin::cuda {

/// packed[k,r,s,c] = w[r,s,c,k]: w {KH,KW,C,K}, packed {K,KH,KW,C} (KRSC), which may be bf16 beside f32.
void pack_weights(cudaStream_t stream, const Tensor& w, Tensor& packed);
/// The inverse: w[r,s,c,k] = packed[k,r,s,c].
void unpack_weights(cudaStream_t stream, const Tensor& packed, Tensor& w);

}  // namespace basin::cuda
