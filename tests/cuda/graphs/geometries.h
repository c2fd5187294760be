// Which convolutions the registered models ask a backend for, found without computing any.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/conv_geometry.h"
#include "cuda/dnn/graph.h"

namespace basin::testing {

/// One pass of a convolution of a batch of one image. Ordered, so that sets hold each once.
struct Asked {
  cuda::dnn::Pass pass = cuda::dnn::Pass::forward;
  ConvGeometry geometry;

  auto key() const {
    const ConvGeometry& g = geometry;
    return std::tuple(static_cast<int>(pass), g.in_h, g.in_w, g.in_c, g.kernel_h, g.kernel_w, g.stride_h,
                      g.stride_w, g.pad_h, g.pad_w, g.groups, g.out_c);
  }
  bool operator<(const Asked& o) const { return key() < o.key(); }
};

/// Sizes of images that a model is trained on: 28x28 grey (MNIST and the like) and 32x32 (CIFAR) in colour;
/// models for pictures 224x224.
std::vector<Shape> images_of(const std::string& model);

/// What a forward and a backward pass of the model ask for, for each of these sizes.
std::set<Asked> asked_by(const std::string& model);

}  // namespace basin::testing
