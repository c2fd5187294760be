// The catalogue of differentiable ops. Every derivative here is itself written in these ops, so any order
// exists; `basin gradcheck --order 2` has a row for each (autograd/check/op_cases.h). Operands have one
// floating dtype, the result has it too; or the activations are bf16 and parameters f32, and the result is
// bf16 (docs/engine.md, "Mixed precision"). Activations are {N,H,W,C}. Errors are ArgumentErrors that name
// the op and the shapes.
#pragma once

#include <cstdint>
#include <functional>

#include "autograd/variable.h"
#include "core/conv_geometry.h"
#include "core/draws.h"
#include "core/moments.h"
#include "core/scalar.h"

namespace basin {

// ---- Arithmetic, broadcasting: shapes align at the innermost axis and extents of 1 stretch ----

// Variable operator+(const Variable& x, const Variable& y): autograd/variable.h
Variable operator-(const Variable& x, const Variable& y);
Variable operator*(const Variable& x, const Variable& y);
Variable operator/(const Variable& x, const Variable& y);
Variable operator-(const Variable& x);
Variable operator+(const Variable& x, double a);
Variable operator+(double a, const Variable& x);
Variable operator-(const Variable& x, double a);
Variable operator-(double a, const Variable& x);
Variable operator*(const Variable& x, double a);
Variable operator*(double a, const Variable& x);
Variable operator/(const Variable& x, double a);
Variable operator/(double a, const Variable& x);

// ---- Functions, element by element ----

/// x in another dtype, f32, f64 or bf16; its cotangent is converted back.
Variable to(const Variable& x, Dtype dtype);

Variable abs(const Variable& x);  // derivative sign(x), 0 at 0
Variable exp(const Variable& x);
Variable log(const Variable& x);
Variable sqrt(const Variable& x);
Variable rsqrt(const Variable& x);       // 1 / sqrt(x)
Variable reciprocal(const Variable& x);  // 1 / x
Variable square(const Variable& x);
Variable pow(const Variable& x, double exponent);
Variable pow(const Variable& x,
             const Variable& y);  // broadcasting; x > 0 where a derivative in y is asked for
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);  // 1 / (1 + exp(-x))
Variable erf(const Variable& x);
Variable relu(const Variable& x);  // max(x, 0), derivative 0 at 0
Variable leaky_relu(const Variable& x,
                    double slope = 0.01);  // x where x > 0, else slope x; derivative slope at 0
Variable gelu(const Variable& x);  // x P(x), P the normal distribution function (Hendrycks and Gimpel 2016)
Variable gelu_tanh(const Variable& x);  // their approximation x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
Variable silu(const Variable& x);       // x sigmoid(x)
Variable maximum(const Variable& x, const Variable& y);  // broadcasting; half the derivative to each at a tie
Variable minimum(const Variable& x, const Variable& y);  // likewise
Variable clamp(const Variable& x, double low, double high);  // derivative 1 on [low, high], 0 outside
/// x where condition is not 0, else y; broadcasting. The condition (u8, or the operands' dtype) is data: no
/// derivative.
Variable where(const Tensor& condition, const Variable& x, const Variable& y);

// ---- Reductions over `axes` (all when empty); keep leaves extents of 1 ----

Variable sum(const Variable& x, const Axes& axes = {}, bool keep = false);
Variable mean(const Variable& x, const Axes& axes = {}, bool keep = false);
Variable max(const Variable& x, const Axes& axes = {},
             bool keep = false);  // equals share the derivative equally
/// sum of x * y over all elements of two equal shapes.
Variable dot(const Variable& x, const Variable& y);
/// sum over the pairs of lists: the inner product of two parameter lists.
Variable dot(const Variables& x, const Variables& y);

// ---- Shaping ----

Variable reshape(const Variable& x, const Shape& shape);  // shares the numbers
Variable permute(const Variable& x, const Axes& perm);    // result axis k is x's axis perm[k]
Variable transpose(const Variable& x);                    // swaps the last two axes
Variable slice(const Variable& x, const Shape& begin,
               const Shape& end);  // the block [begin, end) of every axis
Variable pad(const Variable& x, const Shape& before, const Shape& after);  // with zeros
Variable concat(const Variables& parts, int axis);
Variable broadcast_to(const Variable& x, const Shape& shape);
Variable sum_to(const Variable& x, const Shape& shape);  // the adjoint of broadcast_to

// ---- Indexing: the index is i64 data ----

Variable gather(const Variable& x, const Tensor& index, int axis);  // out[a,j,b] = x[a,index[j],b]
Variable scatter_add(const Variable& x, const Tensor& index, int axis,
                     Index extent);                            // out[a,index[j],b] += x[a,j,b]
Variable gather_last(const Variable& x, const Tensor& index);  // out[r,j] = x[r,index[r,j]]
Variable scatter_add_last(const Variable& x, const Tensor& index,
                          Index extent);  // out[r,index[r,j]] += x[r,j]

// ---- Matrix products ----

/// op(a) @ op(b) over the last two axes; leading axes equal, or one operand has two axes and is repeated.
Variable matmul(const Variable& a, const Variable& b, bool transpose_a = false, bool transpose_b = false);
/// x {..., I} @ weight {O, I}^T + bias {O} (bias may be undefined): a product and a sum, each rounded.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias);

// ---- Convolution: a closed triangle, each one's derivatives are the other two ----

/// x {N,H,W,C} * weight {KH,KW,C/groups,K}, see ConvGeometry.
Variable conv2d(const Variable& x, const Variable& weight, const ConvOptions& options = {});
struct ConvResult {
  Variable y;
  Moments moments;  // of y
};
/// The same, and the moments of its result by channel, formed beside it: constants, for a batch norm behind
/// it (BatchNormOptions::moments), which differentiates them itself.
ConvResult conv2d_moments(const Variable& x, const Variable& weight, const ConvOptions& options = {});
Variable conv2d_input_grad(const Variable& dy, const Variable& weight, const ConvGeometry& g);
Variable conv2d_weight_grad(const Variable& x, const Variable& dy, const ConvGeometry& g);

// ---- Pooling of x {N,H,W,C} ----

struct PoolOptions {
  Index kernel_h = 2, kernel_w = 2;
  Index stride_h = 2, stride_w = 2;
  Index pad_h = 0, pad_w = 0;  // less than the window; padded taps never win a maximum
  bool count_pad = true;       // avg_pool: padded taps count in the divisor
};
Variable max_pool(const Variable& x,
                  const PoolOptions& options);  // the derivative goes to the first of equals
Variable avg_pool(const Variable& x, const PoolOptions& options);
Variable global_avg_pool(const Variable& x);  // {N,H,W,C} -> {N,C}

// ---- Normalisation ----

struct BatchNormOptions {
  double eps = 1e-5;
  bool relu = false;       // max(. , 0) afterwards, in the same kernel
  Variable residual = {};  // like x, added before the ReLU
  Moments moments = {};    // of x, where they are known already (batch_norm_train, batch_norm_conv2d_train)
  Tensor inv_std = {};     // 1/sqrt(moments.var + eps), where that is known too
  const RunningStatistics* running = nullptr;  // moved along by batch_norm_train, when it is called
  bool joins_convolution = true;  // if its result waits for a reader: a convolution may take it along
};
struct BatchNormResult {
  Variable y;
  Tensor mean, var;  // {C}, of this batch, var biased; for running statistics: to be read, not written
};
/// gamma (x - mean) / sqrt(var + eps) + beta over all axes but the last, with the batch's own mean and
/// (biased) variance (Ioffe and Szegedy 2015, algorithm 1). x {...,C}; gamma, beta {C}.
BatchNormResult batch_norm_train(const Variable& x, const Variable& gamma, const Variable& beta,
                                 const BatchNormOptions& options = {});
/// The same with given statistics {C}, which are constants.
Variable batch_norm_eval(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& mean,
                         const Tensor& var, const BatchNormOptions& options = {});
/// conv2d(z, weight) of z = batch_norm_train(x) or batch_norm_eval(x): bit for bit what the two ops give, but
/// z has no memory of its own. It is formed while the convolution reads x, and again for the gradients.
/// Errors: those of the two ops; a residual.
/// `moments_of_y`, unless null, receives those of its result, as conv2d_moments does.
BatchNormResult batch_norm_conv2d_train(const Variable& x, const Variable& gamma, const Variable& beta,
                                        const Variable& weight, const BatchNormOptions& options = {},
                                        const ConvOptions& conv = {}, Moments* moments_of_y = nullptr);
Variable batch_norm_conv2d_eval(const Variable& x, const Variable& gamma, const Variable& beta,
                                const Tensor& mean, const Tensor& var, const Variable& weight,
                                const BatchNormOptions& options = {}, const ConvOptions& conv = {});
/// gamma (x - mean) / sqrt(var + eps) + beta over the last axis (Ba et al. 2016). x {...,C}; gamma, beta {C}.
Variable layer_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps = 1e-5);

/// x * mask / (1 - p), the mask 0 with probability p in [0, 1) (Srivastava et al. 2014). Element i
/// (row-major) is dropped if the i-th 32 bits of Random(seed, Stream::dropout, step, layer) are below p 2^32.
/// p = 0 is x itself.
Variable dropout(const Variable& x, double p, const DrawAddress& at);

/// x * forward, differentiated as if it were x * backward, at every order: the cotangent of x is backward
/// times that of the result (Gastaldi 2017; Yamada et al. 2019). A derivative in the usual sense only where
/// the two coefficients are equal. They are data, of the dtype of x's parameters, and stretch to x's shape:
/// {N,1,1,1} has a number for each image. Keeps nothing of x's size.
Variable shake(const Variable& x, const Tensor& forward, const Tensor& backward);

// ---- Losses: cross_entropy and mean_squared_error of bf16 are f32, computed from it converted ----

Variable softmax(const Variable& x);      // over the last axis
Variable log_softmax(const Variable& x);  // over the last axis
/// Label smoothing s over K classes: `uniform` mixes (1-s) onehot + s/K (Szegedy et al. 2016;
/// google-research/sam), `others` gives 1-s to the class and s/(K-1) to each other one (the SAM and GAM
/// PyTorch codes).
enum class Smoothing { uniform, others };
struct CrossEntropyOptions {
  double label_smoothing = 0;
  Smoothing form = Smoothing::uniform;
};
/// Mean over rows of -sum_k q_k log softmax(logits)_k, q the (smoothed) label: logits {N,K}, labels i64 {N}.
/// Errors: no rows; a label outside [0, K), with its position.
Variable cross_entropy(const Variable& logits, const Tensor& labels, const CrossEntropyOptions& options = {});
/// The same, and how many rows have their first largest logit at the label of `counted`, i64 {N}.
struct CountedLoss {
  Variable loss;
  Scalar correct = 0;
};
CountedLoss counted_cross_entropy(const Variable& logits, const Tensor& labels, const Tensor& counted,
                                  const CrossEntropyOptions& options = {});
Variable mean_squared_error(const Variable& x, const Variable& y);  // mean of (x - y)^2 over all elements

}  // namespace basin
