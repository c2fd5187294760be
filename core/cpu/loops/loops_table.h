// Joins the loops of one instruction set into its table; included by kernels_*.cpp only.
#pragma once

#include "core/cpu/loops/loops_elementwise.h"
#include "core/cpu/loops/loops_flat.h"
#include "core/cpu/loops/loops_norm.h"
#include "core/cpu/loops/loops_pool.h"
#include "core/cpu/loops/loops_reduce.h"

namespace basin::cpu {

template <class V>
constexpr Loops<typename V::Number> loops_of() {
  return {
      .unary = unary_loop<V>,
      .binary = binary_loop<V>,
      .where = where_loop<V>,
      .reduce_rows = reduce_rows_loop<V>,
      .reduce_columns = reduce_columns_loop<V>,
      .moments = moments_loop<V>,
      .batch_norm = batch_norm_loop<V>,
      .batch_norm_sums = batch_norm_sums_loop<V>,
      .batch_norm_grad = batch_norm_grad_loop<V>,
      .layer_norm = layer_norm_loop<V>,
      .layer_norm_grad = layer_norm_grad_loop<V>,
      .log_softmax = log_softmax_loop<V>,
      .log_softmax_grad = log_softmax_grad_loop<V>,
      .max_of_taps = max_of_taps_loop<V>,
      .sum_of_taps = sum_of_taps_loop<V>,
      .dot = dot_loop<V>,
      .axpby = axpby_loop<V>,
      .all_finite = all_finite_loop<V>,
      .update = update_loops_of<V>(static_cast<const UpdateStep*>(nullptr)),
  };
}

}  // namespace basin::cpu
