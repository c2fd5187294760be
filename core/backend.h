// Backend: the kernels that a device must bring. Coarse on purpose: one virtual per kind of loop, elementwise
// formulas are an enum (their scalar bodies live once in core/functors.h). Shapes are checked and results are
// allocated by core/ops.cpp; a backend trusts what it is given.
#pragma once

#include <array>

#include "core/conv_geometry.h"
#include "core/moments.h"
#include "core/scalar.h"
#include "core/tensor.h"

namespace basin {

// The ops stand in groups, not one a line.
// clang-format off
/// y = f(x; a, b). Scalar formulas: core/functors.h.
enum class UnaryOp {
  copy, neg, abs, sign, exp, log, sqrt, rsqrt, reciprocal, square,
  tanh, sigmoid, relu, step,      // step(x) = 1 if x > 0 else 0
  leaky_relu, leaky_step,         // a = negative slope; leaky_step is its derivative
  erf, gelu, gelu_tanh, silu,
  add_scalar, mul_scalar,         // x + a, x * a
  pow_scalar,                     // x^a
  clamp, clamp_mask,              // clamp to [a, b]; 1 where a <= x <= b
  count_,
};

/// y = f(x, z), broadcasting.
enum class BinaryOp {
  add, sub, mul, div, pow, maximum, minimum,
  greater, greater_equal, equal,  // 1 or 0 in the operands' dtype
  tanh_grad,                      // g, y -> g (1 - y^2)
  sigmoid_grad,                   // g, y -> g y (1 - y)
  relu_grad,                      // g, y -> y > 0 ? g : 0
  gelu_grad, gelu_tanh_grad,      // g, x -> g times the derivative at x
  silu_grad,
  count_,
};
// clang-format on

enum class ReduceOp { sum, max, min, count_ };

/// What batch normalisation does besides normalising.
struct BatchNormForward {
  const Tensor& x;         // {..., C}
  const Tensor& gamma;     // {C}
  const Tensor& beta;      // {C}
  const Tensor& mean;      // {C}: of the batch, or running
  const Tensor& inv_std;   // {C}: 1/sqrt(var + eps)
  const Tensor* residual;  // {..., C} added before the ReLU, or null
  bool relu;
};

struct BatchNormBackward {
  const Tensor& x;
  const Tensor& gamma;
  const Tensor& beta;
  const Tensor& mean;
  const Tensor& inv_std;
  const Tensor& dy;
  bool relu;              // dy counts where the output is positive
  const Tensor* y;        // the output, where relu and a residual; else null: its sign is found again from x
  bool batch_statistics;  // mean and inv_std depend on x (train) or are constants (eval)

  /// The forward pass that this is the backward pass of, where it had no residual.
  BatchNormForward forward() const { return {x, gamma, beta, mean, inv_std, nullptr, relu}; }
};

/// Layer normalisation of rows of C numbers.
struct LayerNormForward {
  const Tensor& x;      // {..., C}
  const Tensor& gamma;  // {C}
  const Tensor& beta;   // {C}
  double eps;
};

struct LayerNormBackward {
  const Tensor& x;
  const Tensor& gamma;
  const Tensor& mean;     // of each row
  const Tensor& inv_std;  // of each row
  const Tensor& dy;
};

struct SgdStep {
  double lr, momentum, dampening, weight_decay;  // weight_decay: coupled, g + weight_decay * w
  bool nesterov;
  bool first;  // the momentum buffer starts as g
};

struct AdamStep {
  double lr, beta1, beta2, eps;
  double coupled_decay;    // g + coupled_decay * w (Adam)
  double decoupled_decay;  // w <- w - lr * decoupled_decay * w (AdamW)
  std::int64_t step;       // 1 for the first, for the bias correction
};

struct RmsPropStep {
  double lr, alpha, eps, momentum;
  double weight_decay;   // coupled, g + weight_decay * w
  bool eps_inside_root;  // sqrt(square + eps) rather than sqrt(square) + eps
};

struct LionStep {
  double lr, beta1, beta2;
  double weight_decay;  // decoupled, w <- w - lr * weight_decay * w
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;

  // Memory. allocate: 64-byte aligned, from a caching allocator; throws MemoryError.
  virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void release(std::byte* data, std::size_t bytes) = 0;
  // Copies: within the device; from host memory; to host memory, which waits until the bytes are there.
  virtual void copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  // Here: all three alike, for memory that the host may touch.
  virtual void upload(std::byte* to, const std::byte* from_host, std::size_t bytes) {
    copy_bytes(to, from_host, bytes);
  }
  virtual void download(std::byte* to_host, const std::byte* from, std::size_t bytes) {
    copy_bytes(to_host, from, bytes);
  }
  virtual void fill(Tensor& out, double value) = 0;
  virtual void cast(const Tensor& x, Tensor& out) = 0;  // between any two dtypes

  // Elementwise; operands broadcast to out's shape.
  virtual void unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) = 0;
  virtual void binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) = 0;
  virtual void where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) = 0;

  // Reductions over `axes` (sorted, not empty); out has the kept axes. Fixed order of sums; f32 sums carry
  // f64 or equivalent accuracy across blocks.
  virtual void reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) = 0;
  virtual void argmax(const Tensor& x, int axis, Tensor& out) = 0;  // i64; the first of equals

  // Shaping. out[i...] = x[i permuted]: out axis k is x axis perm[k].
  virtual void permute(const Tensor& x, const Axes& perm, Tensor& out) = 0;
  /// Copies the block of `extent` at `from` in x to `to` in out; the rest of out is untouched.
  virtual void copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                          const Shape& extent) = 0;
  /// out[a, j, b] = x[a, index[j], b], where axis splits x's shape into {a, n, b}. Any dtype.
  virtual void gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) = 0;
  /// out[a, index[j], b] += x[a, j, b], in the order of j. out is zeroed by the caller.
  virtual void scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) = 0;
  /// out[r, j] = x[r, index[r, j]] over rows of the last axis: index {..., m}, x {..., n}.
  virtual void gather_last(const Tensor& x, const Tensor& index, Tensor& out) = 0;
  /// out[r, index[r, j]] += x[r, j].
  virtual void scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) = 0;

  /// out = op(a) op(b) for `batch` matrix pairs: op(a) {m,k}, op(b) {k,n}. A stride of 0 elements repeats the
  /// matrix.
  struct Matmul {
    Index batch = 1, m = 0, n = 0, k = 0;
    bool transpose_a = false, transpose_b = false;
    Index stride_a = 0, stride_b = 0, stride_out = 0;  // elements between matrices
  };
  virtual void matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) = 0;

  // Convolution (see ConvGeometry), its input gradient and its weight gradient.
  virtual void conv2d(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y) = 0;
  virtual void conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) = 0;
  virtual void conv2d_weight_grad(const ConvGeometry& g, const Tensor& x, const Tensor& dy, Tensor& dw) = 0;

  /// conv2d, and the moments of y, which is not empty. Here: the two calls; a backend that can forms the sums
  /// while y is in the cache (so that the last bits may differ from moments()').
  virtual void conv2d_moments(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y,
                              Moments& of_y);
  /// Both gradients of conv2d at once: dx and dw as the two calls give them, and here by them.
  virtual void conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                                Tensor& dx, Tensor& dw);

  /// conv2d of z = batch_norm(f), f without a residual, and its weight gradient: what the two calls give, bit
  /// for bit. A backend that can forms z while it reads x, and gives it no memory. Here: the two calls.
  virtual void batch_norm_conv2d(const ConvGeometry& g, const BatchNormForward& f, const Tensor& w,
                                 Tensor& y);
  virtual void batch_norm_conv2d_moments(const ConvGeometry& g, const BatchNormForward& f, const Tensor& w,
                                         Tensor& y, Moments& of_y);
  virtual void batch_norm_conv2d_weight_grad(const ConvGeometry& g, const BatchNormForward& f,
                                             const Tensor& dy, Tensor& dw);
  /// All its gradients; dy is that of the convolution. f.dy is dx itself: the gradient of z, put there first.
  virtual void batch_norm_conv2d_grad(const ConvGeometry& g, const BatchNormBackward& f, const Tensor& w,
                                      const Tensor& dy, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                                      Tensor& dw);

  // Pooling: w, groups and out_c of the geometry are unused (out_c = in_c). Padded taps never win a max.
  /// index: i64, for each output the flat position h*in_w + w of its maximum (first of equals) in its image.
  virtual void max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) = 0;
  /// out[n, index[n,o,c], c] += x[n,o,c]  and its adjoint  out[n,o,c] = x[n, index[n,o,c], c].
  virtual void pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) = 0;
  virtual void pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) = 0;
  /// Mean over the window; divisor kernel_h*kernel_w (count_pad) or the taps inside the image.
  virtual void avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) = 0;
  virtual void avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) = 0;

  // Batch normalisation over all axes but the last. var is biased (divides by the count).
  virtual void moments(const Tensor& x, Tensor& mean, Tensor& var) = 0;
  virtual void batch_norm(const BatchNormForward& f, Tensor& y) = 0;
  /// dresidual (null if there was none) is the masked dy. dx may be dy's own tensor.
  virtual void batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                               Tensor* dresidual) = 0;

  /// Layer normalisation over the last axis: y = (x - mean) inv_std gamma + beta with each row's own mean and
  /// inv_std = 1/sqrt(var + eps), {rows} both, var biased.
  virtual void layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) = 0;
  virtual void layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) = 0;

  /// log softmax over the last axis, and its gradient dx = dy - exp(y) sum(dy).
  virtual void log_softmax(const Tensor& x, Tensor& y) = 0;
  virtual void log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) = 0;

  // Flat vectors (optim). Sums accumulate in f64 in a fixed order. What a device computes stays there, as a
  // Scalar that is not known, and so may the numbers be that it is given.
  virtual Scalar dot(const Tensor& x, const Tensor& y) = 0;
  /// y <- a x + b y. Where a lives on the device and is 0, x counts for nothing, also if it is not finite.
  virtual void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) = 0;
  virtual Scalar all_finite(const Tensor& x) = 0;
  /// PyTorch's SGD recurrence: d = g + wd w; v = momentum v + (1-dampening) d (first: v = d);
  /// w <- w - lr (nesterov ? d + momentum v : v). buffer is null without momentum.
  /// decay_mask, null or like w: 1 where weight decay applies.
  virtual void sgd_step(const SgdStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                        Tensor* buffer) = 0;
  virtual void adam_step(const AdamStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w, Tensor& m,
                         Tensor& v) = 0;
  /// d = g + wd w; square = alpha square + (1-alpha) d^2; u = d / sqrt(square + eps) (or d / (sqrt(square) +
  /// eps)); buffer = momentum buffer + u; w <- w - lr buffer. Without momentum buffer is null: w <- w - lr u.
  virtual void rmsprop_step(const RmsPropStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                            Tensor& square, Tensor* buffer) = 0;
  /// u = sign(beta1 m + (1-beta1) g), 0 for 0; w <- w - lr (u + wd w); m = beta2 m + (1-beta2) g.
  virtual void lion_step(const LionStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                         Tensor& m) = 0;
};

/// The backend of a device. Errors: UsageError when none is installed for it.
Backend& backend(Device device = {});
inline Backend& backend_of(const Tensor& t) { return backend(t.device()); }
/// Installs the backend of a device; the object must live as long as the process. Errors: ArgumentError for
/// an index outside [0, 16).
void install_backend(Device device, Backend& b);

}  // namespace basin
