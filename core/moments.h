// The statistics of a batch, by channel.
#pragma once

#include "core/tensor.h"

namespace basin {

/// Mean and biased variance of the channels of a tensor {..., C}, {C} both.
struct Moments {
  Tensor mean, var;
  bool defined() const { return mean.defined(); }
};

}  // namespace basin
