// The trace of a LinearOperator by random probes: means with their standard error.
#pragma once

#include <vector>

#include "autograd/curvature/linear_operator.h"

namespace basin {

/// The mean of independent samples, and its standard error: the samples' deviation (of n - 1) over sqrt(n);
/// infinite for fewer than 2.
struct Estimate {
  double value = 0, standard_error = 0;
  Index samples = 0;
};
Estimate estimate_of(const std::vector<double>& samples);

/// When an estimate is good enough: its standard error is at most tolerance |value|, after at least `least`
/// samples; or it has `most`. (Two running means that agree say nothing: of A = [[2,1,0],[1,3,1],[0,1,4]] the
/// first two probes agree with probability 3/8, and then are wrong with 2/3.)
struct StoppingRule {
  double tolerance = 0.02;
  Index least = 10, most = 100;

  bool reached(const Estimate& estimate) const;
};

/// v * A v element by element, v the signs number i: its sum v . A v has the mean tr A and the variance
/// 2 (|A|_F^2 - sum_i A_ii^2) (Hutchinson 1990); its sum over some coordinates the mean of the trace of that
/// block; number k of it the mean A_kk (Bekas et al. 2007).
Tensor probed_diagonal(const LinearOperator& a, const Probes& probes, std::uint64_t i);

/// tr A by Hutchinson's probes until the rule is reached.
Estimate hutchinson_trace(const LinearOperator& a, const StoppingRule& rule, const Probes& probes);

/// The sketch of Hutch++: Q, an orthonormal basis of the span of A S, S `columns` sign vectors, numbers 0, 1,
/// ... of `probes`. Fewer vectors where A's rank is less.
Tensors sketched_range(const LinearOperator& a, Index columns, const Probes& probes);
/// q . A q: the part of the trace that one vector of Q has.
double quadratic_form(const LinearOperator& a, const Tensor& q);
/// g . A g for g the signs number i without their part in the span of Q; its mean is the rest of the trace.
double remainder_sample(const LinearOperator& a, const Tensors& q, const Probes& probes, std::uint64_t i);

/// tr A = tr Q^T A Q + tr (1 - QQ^T) A (1 - QQ^T): the first exactly, the second by probes (Hutch++, Meyer et
/// al. 2021), `products` products in all, a third for each of sketch, first and second. The standard error is
/// the second's. Errors: ArgumentError for fewer than 6 products.
Estimate hutchpp_trace(const LinearOperator& a, Index products, const Probes& sketch, const Probes& probes);

}  // namespace basin
