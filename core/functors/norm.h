// The formula of batch normalisation, once (see formula.h).
#pragma once

#include <cmath>

#include "core/functors/host_device.h"

namespace basin::functors {

/// (x - mean) scale + shift: what batch normalisation does, scale = gamma / sqrt(var + eps), shift = beta.
struct Normalise {
  template <class T>
  BASIN_BOTH T operator()(T x, T mean, T scale, T shift) const {
    using std::fma;
    return fma(x - mean, scale, shift);
  }
};

}  // namespace basin::functors
