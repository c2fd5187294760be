// The catalogue of differentiable ops. Every derivative here is itself written in these ops, so any order
// exists; `basin gradcheck --order 2` has a row for each (autograd/op_cases.h). Activations are {N,H,W,C}.
#pragma once

#include "autograd/variable.h"
#include "core/conv_geometry.h"

namespace basin {

// --- Elementwise, broadcasting: shapes align at the innermost axis and extents of 1 stretch.
// ---------------------
Variable operator+(const Variable& x, const Variable& y);
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

Variable abs(const Variable& x);  // derivative sign(x), 0 at 0
Variable exp(const Variable& x);
Variable log(const Variable& x);
Variable sqrt(const Variable& x);
Variable rsqrt(const Variable& x);       // 1 / sqrt(x)
Variable reciprocal(const Variable& x);  // 1 / x
Variable square(const Variable& x);
Variable pow(const Variable& x, double exponent);
Variable pow(const Variable& x, const Variable& y);  // x > 0 where a derivative in y is asked for
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);
Variable erf(const Variable& x);
Variable relu(const Variable& x);  // max(x, 0), derivative 0 at 0
Variable leaky_relu(const Variable& x, double slope = 0.01);
Variable gelu(const Variable& x);  // x Phi(x), Phi the normal distribution function
Variable gelu_tanh(
    const Variable& x);  // Hendrycks and Gimpel's approximation: x/2 (1 + tanh(sqrt(2/pi)(x + 0.044715 x^3)))
Variable silu(const Variable& x);                        // x sigmoid(x)
Variable maximum(const Variable& x, const Variable& y);  // the derivative goes half to each at a tie
Variable minimum(const Variable& x, const Variable& y);
Variable clamp(const Variable& x, double low, double high);  // derivative 1 on [low, high]
/// x where condition is not 0, else y. The condition is data: no derivative.
Variable where(const Tensor& condition, const Variable& x, const Variable& y);

// --- Reductions over `axes` (all when empty); keep leaves extents of 1.
// ------------------------------------------
Variable sum(const Variable& x, const Axes& axes = {}, bool keep = false);
Variable mean(const Variable& x, const Axes& axes = {}, bool keep = false);
Variable max(const Variable& x, const Axes& axes = {},
             bool keep = false);  // ties share the derivative equally
/// sum of x * y over all elements.
Variable dot(const Variable& x, const Variable& y);
/// sum over the pairs of lists: the inner product of two parameter lists.
Variable dot(const Variables& x, const Variables& y);

// --- Shaping
// -----------------------------------------------------------------------------------------------------
Variable reshape(const Variable& x, const Shape& shape);
Variable permute(const Variable& x, const Axes& perm);
Variable transpose(const Variable& x);  // swaps the last two axes
Variable slice(const Variable& x, const Shape& begin, const Shape& end);
Variable pad(const Variable& x, const Shape& before, const Shape& after);  // with zeros
Variable concat(const Variables& parts, int axis);
Variable broadcast_to(const Variable& x, const Shape& shape);
Variable sum_to(const Variable& x, const Shape& shape);

// --- Indexing: index is i64 data
// -------------------------------------------------------------------------------
Variable gather(const Variable& x, const Tensor& index, int axis);  // out[a,j,b] = x[a,index[j],b]
Variable scatter_add(const Variable& x, const Tensor& index, int axis, Index extent);
Variable gather_last(const Variable& x, const Tensor& index);  // out[r,j] = x[r,index[r,j]]
Variable scatter_add_last(const Variable& x, const Tensor& index, Index extent);

// --- Matrix products
// -------------------------------------------------------------------------------------------
/// op(a) @ op(b) over the last two axes; leading axes equal, or one operand has two axes and is repeated.
Variable matmul(const Variable& a, const Variable& b, bool transpose_a = false, bool transpose_b = false);
/// x {..., I} @ weight {O, I}^T + bias {O} (bias may be undefined).
Variable linear(const Variable& x, const Variable& weight, const Variable& bias);

// --- Convolution: a closed triangle, each one's derivatives are the other two
// ------------------------------------
Variable conv2d(const Variable& x, const Variable& weight, const ConvOptions& options = {});
Variable conv2d_input_grad(const Variable& dy, const Variable& weight, const ConvGeometry& g);
Variable conv2d_weight_grad(const Variable& x, const Variable& dy, const ConvGeometry& g);

// --- Pooling
// ---------------------------------------------------------------------------------------------------
struct PoolOptions {
  Index kernel_h = 2, kernel_w = 2;
  Index stride_h = 2, stride_w = 2;
  Index pad_h = 0, pad_w = 0;
  bool count_pad = true;  // avg_pool: padded taps count in the divisor
};
Variable max_pool(const Variable& x,
                  const PoolOptions& options);  // its derivative is scatter, whose is gather
Variable avg_pool(const Variable& x, const PoolOptions& options);
Variable global_avg_pool(const Variable& x);  // {N,H,W,C} -> {N,C}

// --- Normalisation
// ---------------------------------------------------------------------------------------------
struct BatchNormOptions {
  double eps = 1e-5;
  bool relu = false;       // max(. , 0) afterwards, in the same kernel
  Variable residual = {};  // added before the ReLU
};
struct BatchNormResult {
  Variable y;
  Tensor mean, var;  // of this batch, var biased; for running statistics
};
/// gamma (x - mean) / sqrt(var + eps) + beta over all axes but the last, with the batch's own mean and
/// (biased) variance (Ioffe and Szegedy 2015, algorithm 1).
BatchNormResult batch_norm_train(const Variable& x, const Variable& gamma, const Variable& beta,
                                 const BatchNormOptions& options = {});
/// The same with given statistics (constants).
Variable batch_norm_eval(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& mean,
                         const Tensor& var, const BatchNormOptions& options = {});
/// gamma (x - mean) / sqrt(var + eps) + beta over the last axis (Ba et al. 2016).
Variable layer_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps = 1e-5);
/// x * mask / (1 - p); mask is 1 with probability 1 - p, drawn at the address (seed, Stream::dropout, step,
/// layer).
struct DropoutAddress {
  std::uint64_t seed = 0, step = 0, layer = 0;
};
Variable dropout(const Variable& x, double p, const DropoutAddress& at);

// --- Losses
// ----------------------------------------------------------------------------------------------------
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
Variable cross_entropy(const Variable& logits, const Tensor& labels, const CrossEntropyOptions& options = {});
Variable mean_squared_error(const Variable& x, const Variable& y);  // mean of (x - y)^2 over all elements

}  // namespace basin
