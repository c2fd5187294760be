// Convolutions on raw pointers, each by the kernels that suit it. f32: Winograd's where core/conv_algorithm.h
// asks for it and it pays (conv/winograd/winograd.h), a matrix product where the kernel is one pixel
// (conv/gemm.h), else the direct kernels (conv/direct.h). f64: plain loops (conv/plain.h). All give the same
// bits for any number of threads, AVX2 the same as AVX-512; an image's y and dx do not depend on the batch
// around it. Slots 0 to 3 of thread_scratch are theirs: whoever calls them must keep nothing there.
#pragma once

#include "core/conv_geometry.h"
#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/row_consumer.h"

namespace basin::cpu {

/// y = x * w; dx = its input gradient; dw = its weight gradient (see ConvGeometry). Outputs are overwritten.
/// x is read through `affine`; `rows`, unless null, takes y.
void conv2d(const ConvGeometry& g, const float* x, const float* w, float* y, const ChannelAffine& affine = {},
            RowConsumer* rows = nullptr);
void conv2d(const ConvGeometry& g, const double* x, const double* w, double* y);
void conv2d_input_grad(const ConvGeometry& g, const float* dy, const float* w, float* dx);
void conv2d_input_grad(const ConvGeometry& g, const double* dy, const double* w, double* dx);
void conv2d_weight_grad(const ConvGeometry& g, const float* x, const float* dy, float* dw,
                        const ChannelAffine& affine = {});
void conv2d_weight_grad(const ConvGeometry& g, const double* x, const double* dy, double* dw);

/// dx and dw as the two functions above give them, bit for bit, with fewer walks through memory. `rows`,
/// unless null, takes dx.
void conv2d_gradients(const ConvGeometry& g, const float* x, const ChannelAffine& affine, const float* w,
                      const float* dy, float* dx, float* dw, RowConsumer* rows = nullptr);

}  // namespace basin::cpu
