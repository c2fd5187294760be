// What a model is made of: layers in forward order with shapes, parameters and multiply-adds; what it keeps.
#pragma once

#include <string>
#include <vector>

#include "nn/module.h"

namespace basin::nn {

struct LayerRow {
  std::string path;  // "layer1.0.conv1"; a layer without a name shows where it ran
  std::string kind;
  Shape in, out;
  Index parameters = 0;     // its own, children not counted
  Index multiply_adds = 0;  // for one sample
};

struct Summary {
  std::vector<LayerRow> layers;  // in forward order: what has no children, or parameters of its own
  Index parameters = 0;
  Index multiply_adds = 0;  // of one forward pass of one sample; FLOPs are twice that
  Shape output;
};

/// Runs `model` once on zeros of shape {1, sample...} in eval mode.
Summary summarize(Module& model, const Shape& sample, Dtype dtype = Dtype::f32);

/// Activation memory: the bytes for one more image of a batch that a training pass keeps between its forward
/// and its backward half, measured as what `model` leaves in memory after a pass over two images of zeros
/// less one over one. That is every number that some derivative needs, the image and the logits among them,
/// and no weights, gradients or momentum; the kernels' temporaries come and go on top of it. Leaves the model
/// as it is.
Index activation_bytes(Module& model, const Shape& sample, Dtype dtype = Dtype::f32);

}  // namespace basin::nn
