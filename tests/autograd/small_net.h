// A small residual network, written out: conv, batch norm + ReLU, conv, batch norm + shortcut + ReLU,
// pooling, linear.
#pragma once

#include "autograd/ops/ops.h"

namespace basin {

struct SmallNet {
  enum class Mode { train, eval };
  Mode mode = Mode::train;
  double eps = 1e-5;
  Tensor images;  // {N,H,W,C}
  Tensor labels;  // {N}
  Variables weights;
  Tensors statistics;  // mean, var, mean, var: eval mode

  SmallNet(Mode m, Dtype dtype, Index batch, Index pixels, Index channels);

  /// The loss as a function of the weights.
  Variable loss(const Variables& w) const;
  Variable loss() const { return loss(weights); }
};

/// A draw of standard normals at an address of its own.
Tensor normal_tensor(const Shape& shape, Dtype dtype, std::uint64_t seed);

/// The weights moved: w + t v, as new leaves.
Variables moved(const Variables& w, const Tensors& v, double t);

/// |x - y| / |y| over all entries of two lists.
double relative_distance(const Tensors& x, const Tensors& y);

}  // namespace basin
