// Directions through the space of weights, along which a landscape is looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "optim/parameter_vector.h"

namespace basin::apps {

/// How long a random direction is. filter: each filter as long as the weights' own filter (Li et al. 2018,
/// "Visualizing the loss landscape of neural nets", section 4); layer: each tensor as long as the weights';
/// none: as drawn.
enum class Normalise { filter, layer, none };

struct DirectionOptions {
  Normalise normalise = Normalise::filter;
  /// Biases and the scales and shifts of normalisation layers move too, each tensor as one filter; else their
  /// part of the direction is 0.
  bool biases = false;
};

/// Gaussian direction number `number` = 0, 1, ... of a seed, {d}. The numbers of a parameter are those of its
/// name and of nothing else, so that networks that share a parameter share its draws:
/// Random(seed, Stream::probe, 2^31 + number, hash of the name).
Tensor gaussian_direction(const optim::ParameterVector& w, std::uint64_t seed, std::uint64_t number);

/// `d` {d} as long as options.normalise says: with filters f of a weight, d_f |w_f| / |d_f|, and 0 where d_f
/// is. A filter is an output's part of a tensor: {KH,KW,I} for a convolution, a row of a linear layer's
/// matrix. W with rows (3,4), (0,2) makes (5,0), (1.41,1.41) of rows (1,0), (1,1).
Tensor normalised(const Tensor& d, const optim::ParameterVector& w, const DirectionOptions& options);

/// Orthonormal axes through three points: u = (b - a) / |b - a|; v is what c - a has at right angles to u, of
/// length 1. In f64. With a = 0, b = (2,0,0), c = (1,1,1): u = (1,0,0), v = (0,1,1) / sqrt 2, b at (2, 0), c
/// at (1, sqrt 2).
struct PlaneAxes {
  Tensor u{}, v{};          // {d} f64
  double b_x = 0;           // b is at (b_x, 0)
  double c_x = 0, c_y = 0;  // and c at (c_x, c_y)
};
/// Errors: UsageError for points that lie on one line, as far as f32 can tell.
PlaneAxes plane_through(const Tensor& a, const Tensor& b, const Tensor& c);

/// Where p lies above the plane through `a`: its coordinates, and its distance from the plane.
struct Projection {
  double x = 0, y = 0, distance = 0;
};
Projection project(const Tensor& p, const Tensor& a, const Tensor& u, const Tensor& v);

}  // namespace basin::apps
