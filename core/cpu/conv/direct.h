// The direct convolution and its two gradients in f32, by the definition's multiplications: register tiles on
// packed strips of images. An image's y and dx do not depend on the batch around it.
#pragma once

#include "core/conv_geometry.h"
#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/row_consumer.h"

namespace basin::cpu {

/// As in convolution.h, of tensors that are not empty. Scratch memory: slots 0 to 3.
void direct_conv2d(const ConvGeometry& g, const float* x, const float* w, float* y,
                   const ChannelAffine& affine, RowConsumer* rows);
void direct_input_grad(const ConvGeometry& g, const float* dy, const float* w, float* dx);
void direct_weight_grad(const ConvGeometry& g, const float* x, const float* dy, float* dw,
                        const ChannelAffine& affine);

}  // namespace basin::cpu
