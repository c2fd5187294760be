// ONNX: a model's inference graph for other runtimes.
#pragma once

#include "nn/module.h"
#include "nn/onnx/graph.h"

namespace basin::nn {

/// The graph of `model` in eval mode for samples of shape {H,W,C}: input "image" {N,C,H,W}, N as many as
/// there are, output "logits" {N,classes}; weights and statistics are initializers under their names in the
/// model, convolution weights as {O,I,KH,KW}. (For samples of another rank the axes of "image" are Basin's.)
///
/// The model is run twice (nn/onnx/tape.h), and the ops that it recorded are translated one by one:
/// batch_norm to BatchNormalization, Add and Relu; a product and the bias behind it to Gemm or Conv; sum and
/// division by the count to ReduceMean; layer_norm, gelu and attention to what they are made of. Images are
/// {N,C,H,W} throughout; what reads Basin's order of axes (a reshape) gets it by a Transpose.
///
/// Errors: ArgumentError naming the op that has no translation, the constant whose numbers the history does
/// not keep, or what depends on the number of samples in a way that no op can say.
OnnxGraph onnx_graph(Module& model, const Shape& sample, const std::string& name, Dtype dtype = Dtype::f32);

}  // namespace basin::nn
