// The inner loops of the CPU backend: what one task does on one thread, on raw pointers. Written once over
// Lanes (loops_*.h) and compiled per instruction set; f64 runs the same loops one number at a time. A task's
// numbers depend on its own inputs only, and an element's on its own operands, not on its position.
#pragma once

#include <tuple>
#include <variant>

#include "core/backend.h"

namespace basin::cpu {

/// The operand that n outputs read one by one: n numbers (period 0), or a pattern that repeats every `period`
/// numbers and is read from `phase` on. A bias {3} beside an output {100, 3} is the pattern b0 b1 b2 b0 b1 b2
/// ... of period 18. The period is at least kPatternTail, and that many numbers of the next turn lie behind
/// it, so that a vector can be loaded at any phase.
template <class T>
struct Stream {
  const T* data;
  Index period = 0;
  Index phase = 0;
};
inline constexpr Index kPatternTail = 16;

/// A task of batch normalisation: n numbers, beginning at `phase` of the channel patterns (all of `period`).
template <class T>
struct NormTask {
  Index n, period, phase;
  const T* mean;
  const T* scale;  // gamma inv_std
  const T* shift;  // forward: beta. Backward: the mean of d
  const T* slope;  // backward: -mean(d xhat) inv_std; null forward
  const T* beta;   // backward, for the sign of the output; else null
};

/// The gradient d of a batch normalisation's output before its ReLU: dy where `y`, the output, is positive;
/// where (x - mean) scale + beta is, if there is no y but a beta; everywhere, if there is neither.
template <class T>
struct NormGrad {
  const T* x;
  const T* y;
  const T* dy;
};

/// Numbers for each column of a matrix.
template <class T>
struct NormColumns {
  const T* mean;
  const T* scale;
  const T* beta;
};

/// One step of an update rule on n weights: its formula (core/functors/update.h), the direction g, the decay
/// mask or null, w, and the vectors of the state, null where there is none.
template <class T, class Step>
using UpdateLoop = void (*)(const typename Step::template Formula<T>& formula, const T* g, const T* mask,
                            T* w, T* const* state, Index n);

/// The loops of all update rules, in the order of UpdateStep.
template <class T, class Steps = UpdateStep>
struct UpdateLoopsOf;
template <class T, class... Step>
struct UpdateLoopsOf<T, std::variant<Step...>> {
  using Type = std::tuple<UpdateLoop<T, Step>...>;
};
template <class T>
using UpdateLoops = typename UpdateLoopsOf<T>::Type;

template <class T>
struct Loops {
  void (*unary)(UnaryOp op, double a, double b, const T* x, T* y, Index n);
  /// At most one of x and z is a pattern.
  void (*binary)(BinaryOp op, const Stream<T>& x, const Stream<T>& z, T* y, Index n);
  void (*where)(const T* condition, const T* x, const T* z, T* y, Index n);

  /// out[r] = the sum, maximum or minimum of row r of x {rows, n}.
  void (*reduce_rows)(ReduceOp op, const T* x, Index rows, Index n, double* out);
  /// out[j] = the same of column j of x {rows, width}, whose rows are `stride` apart; width >= kColumns.
  void (*reduce_columns)(ReduceOp op, const T* x, Index rows, Index stride, Index width, double* out);

  /// out[j] = sum d, out[width + j] = sum d^2, where d = x[r, j] - center[j]; width >= kColumns.
  void (*moments)(const T* x, const T* center, Index rows, Index width, double* out);
  /// y = (x - mean) scale + shift, + residual if there is one, max(., 0) if relu.
  void (*batch_norm)(const NormTask<T>& t, const T* x, const T* residual, bool relu, T* y);
  /// out[j] = sum d, out[width + j] = sum d (x - mean); width >= kColumns.
  void (*batch_norm_sums)(const NormGrad<T>& g, const NormColumns<T>& columns, Index rows, Index width,
                          double* out);
  /// dx = (d - shift + (x - mean) slope) scale; dresidual = d unless null. dx may be dy.
  void (*batch_norm_grad)(const NormTask<T>& t, const NormGrad<T>& g, T* dx, T* dresidual);
  /// y = (x - mean[r]) inv_std[r] gamma + beta for each row r of n numbers, with its mean and 1/sqrt(var +
  /// eps).
  void (*layer_norm)(const T* x, const T* gamma, const T* beta, double eps, Index rows, Index n, T* y,
                     T* mean, T* inv_std);
  /// dx = inv_std[r] (g - mean(g) - xhat mean(g xhat)), g = dy gamma, xhat = (x - mean[r]) inv_std[r];
  /// sums[j] = sum dy of column j, sums[n + j] = sum dy xhat.
  void (*layer_norm_grad)(const T* x, const T* gamma, const T* mean, const T* inv_std, const T* dy,
                          Index rows, Index n, T* dx, double* sums);
  void (*log_softmax)(const T* x, Index rows, Index n, T* y);
  void (*log_softmax_grad)(const T* y, const T* dy, Index rows, Index n, T* dx);

  /// best[c] = the maximum of x[offset[t] + c] over the taps t, the first of equals, NaN where there is one;
  /// tap[c] = its t. What lies behind tap[channels - 1] in its last vector is overwritten.
  void (*max_of_taps)(const T* x, const Index* offset, Index taps, Index channels, T* best, T* tap);
  /// out[c] = sum_t weight[t] x[offset[t] + c], in f64 until the end.
  void (*sum_of_taps)(const T* x, const Index* offset, const double* weight, Index taps, Index channels,
                      T* out);

  double (*dot)(const T* x, const T* y, Index n);
  void (*axpby)(T a, const T* x, T b, T* y, Index n);
  bool (*all_finite)(const T* x, Index n);
  UpdateLoops<T> update;
};

/// Least width of a matrix whose columns are reduced: narrower ones are read with several rows as one.
inline constexpr Index kColumns = 64;

/// The loops of the instruction set in use (simd/instruction_set.h).
template <class T>
const Loops<T>& loops();
template <>
const Loops<float>& loops<float>();
template <>
const Loops<double>& loops<double>();

}  // namespace basin::cpu
