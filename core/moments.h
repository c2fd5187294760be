// The statistics of a batch, by channel.
#pragma once

#include "core/tensor.h"

namespace basin {

/// Mean and biased variance of the channels of a tensor {..., C}, {C} both.
struct Moments {
  Tensor mean, var;
  bool defined() const { return mean.defined(); }
};

/// Running statistics r, which a batch moves to (1 - share) r + share s, where s is its mean, and its
/// variance times `unbiased`; `batches`, an i64 {}, counts it.
struct RunningStatistics {
  Tensor &mean, &var, &batches;
  double share, unbiased;
};

}  // namespace basin
