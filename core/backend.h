// Backend: the kernels that a device must bring. Coarse on purpose: one virtual per kind of loop; elementwise
// formulas and update rules are lists of core/functors, what goes along with a convolution is a value. Shapes
// are checked and results are allocated by core/ops.cpp; a backend trusts what it is given.
//
// bf16, where a backend computes() in it, is for activations: what a method calls x, z or y and the gradients
// of these, in one call all alike. Parameters (w, gamma, beta), statistics (mean, var, inv_std) and gradients
// of parameters (dw, dgamma, dbeta) beside them are f32. A method computes as if in f32 and rounds each
// result once, on its way out. dot(), all_finite() and axpby() take bf16 vectors too. Three mixes besides:
// binary() takes one f32 operand beside a bf16 one, for a bf16 result; matmul() takes f32 or bf16 for each of
// a, b and out; reduce() may be asked for f32 of bf16. The operands of a product that has a bf16 one (matmul,
// conv2d and its gradients) enter as bf16: an f32 weight is rounded first; products are summed in f32.
#pragma once

#include <memory>
#include <vector>

#include "core/conv_geometry.h"
#include "core/functors/binary.h"
#include "core/functors/reduce.h"
#include "core/functors/unary.h"
#include "core/functors/update.h"
#include "core/moments.h"
#include "core/recording.h"
#include "core/scalar.h"
#include "core/tensor.h"
#include "core/work.h"

namespace basin {

struct ImageBatch;     // core/images/image_batch.h
struct LayerDraws;     // core/draws.h
struct ScalarProgram;  // core/scalar_program.h

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

/// UpdateTime, of numbers that may live on the device: an update that is recorded once and made many times
/// finds them anew each time.
struct UpdateNumbers {
  Scalar lr;
  Scalar made;
};

/// The vectors that an update reads and writes, all {d}.
struct UpdateTensors {
  const Tensor& direction;
  const Tensor* decay_mask;  // 1 where weight decay applies, else 0; null: it applies everywhere
  Tensor& w;
  std::vector<Tensor*> state;  // in the order of the step's formula, null for what the rule does not keep
};

/// A convolution y = conv2d(z, w), and what goes along with it. On its way in, x becomes z =
/// batch_norm(*norm), whose x it is and which has no residual; without a norm, z = x. Wanted of y besides:
/// its moments, if they have a place (y is not empty then).
struct ConvCall {
  ConvGeometry geometry;
  const BatchNormForward* norm = nullptr;
  Moments* moments = nullptr;

  bool plain() const { return norm == nullptr && moments == nullptr; }
};

/// Where both gradients of a convolution of x go. With a norm, dx, dgamma and dbeta are those of z =
/// batch_norm(norm->forward()), whose x it is; norm->dy, the gradient of z, is then dx itself: it is put
/// there first.
struct ConvGradients {
  Tensor& dx;
  Tensor& dw;
  const BatchNormBackward* norm = nullptr;
  Tensor* dgamma = nullptr;
  Tensor* dbeta = nullptr;
};

/// What softmax cross-entropy compares logits {N,K} with: q_k = onto_all + onto_label [k is the row's label].
struct CrossEntropyTarget {
  const Tensor& labels;  // i64 {N}
  double onto_label, onto_all;
};

/// What it gives, of the logits' compute_dtype().
struct CrossEntropyResult {
  Tensor& y;              // {N,K}: log_softmax(logits)
  Tensor& loss;           // {}: -mean over rows of sum_k q_k y_k
  const Tensor* counted;  // i64 {N}, or null
  Tensor* correct;        // f64 {}: rows whose first largest logit is that of `counted`; null without it
};

/// What a batch norm needs of its batch, {C} all: inv_std = 1/sqrt(var + eps), var biased.
struct BatchStatistics {
  Tensor &mean, &var, &inv_std;
  double eps;
  const RunningStatistics* running;  // moved along; null: there are none
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  /// Whether arithmetic on this dtype of activations has kernels here. Memory, fill, cast and the methods
  /// that move numbers without adding them take every dtype.
  virtual bool computes(Dtype dtype) const { return is_floating(dtype); }

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
  /// Sends bytes to the host, which looks at them later. Where they come from may be written to, or released,
  /// right after the call. Here: by download(), at once.
  virtual std::unique_ptr<Arrival> send_home(const std::byte* from, std::size_t bytes);
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

  // Convolution (see ConvGeometry), its input gradient and its weight gradient. A backend that can forms z
  // while it reads x and gives it no memory, and the moments while y is in the cache; z and dw have the bits
  // of calls one after the other, the moments' last bits may differ from moments()'. One that cannot hands a
  // call that is not plain to *_in_parts.
  virtual void conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) = 0;
  virtual void conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) = 0;
  /// dw of conv2d(call): call.moments is null.
  virtual void conv2d_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& dy, Tensor& dw) = 0;
  /// Both gradients at once. Here: by the two calls, and batch_norm_grad(). dx and dw have their bits; with a
  /// norm dw has, while dx, dgamma and dbeta may add up in another order.
  virtual void conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                                const ConvGradients& out);

  /// Whether conv2d() saves time by what goes along with it. Where it does not, a norm and moments are better
  /// asked for by themselves.
  virtual bool takes_norms_along() const { return true; }

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

  /// Images of a batch out of pictures that lie here as bytes; out {B,H,W,C}.
  virtual void image_batch(const ImageBatch& b, Tensor& out) = 0;

  /// Random numbers, of every backend with the same bits. The step of their address may live on the device.
  virtual void draw(const LayerDraws& d, Tensor& out) = 0;

  // Flat vectors (optim). Sums accumulate in f64 in a fixed order. What a device computes stays there, as a
  // Scalar that is not known, and so may the numbers be that it is given.
  virtual Scalar dot(const Tensor& x, const Tensor& y) = 0;
  /// y <- a x + b y. Where a lives on the device and is 0, x counts for nothing, also if it is not finite.
  virtual void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) = 0;
  virtual Scalar all_finite(const Tensor& x) = 0;
  /// One step of an update rule: w and the state follow its formula (core/functors/update.h).
  virtual void update(const UpdateStep& step, const UpdateNumbers& now, const UpdateTensors& t) = 0;

  // Several calls in one, for devices where each call costs. Here: false, and nothing is done; whoever asks
  // then asks for the parts.
  virtual bool cross_entropy(const Tensor& /*logits*/, const CrossEntropyTarget&, const CrossEntropyResult&) {
    return false;
  }
  /// dlogits = (exp(y) - q) dloss / N, for y of cross_entropy().
  virtual bool cross_entropy_grad(const Tensor& /*y*/, const CrossEntropyTarget&, const Tensor& /*dloss*/,
                                  Tensor& /*dlogits*/) {
    return false;
  }
  /// moments(), and what follows from them.
  virtual bool batch_statistics(const Tensor& /*x*/, const BatchStatistics&) { return false; }
  /// The numbers of all parts, one after the other in memory, of any one dtype.
  virtual bool concatenate(const Tensors& /*parts*/, Tensor& /*out*/) { return false; }
  /// y <- x where the condition, which lives here, holds; of any dtype.
  virtual bool assign_if(const Scalar& /*condition*/, const Tensor& /*x*/, Tensor& /*y*/) { return false; }
  /// Whether it runs programs (core/scalar_program.h), or Scalars here are computed by unary(), binary() and
  /// where().
  virtual bool runs_programs() const { return false; }
  /// The results of a program's steps, f64 {steps}.
  virtual void run(const ScalarProgram& /*program*/, Tensor& /*results*/) {}

  /// What makes recorded work of this device; null: it can't.
  virtual std::unique_ptr<Recording> make_recording() { return nullptr; }

 protected:
  /// The definitions of calls that are not plain: z in memory of its own, then the plain call, then
  /// moments().
  void conv2d_in_parts(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y);
  void conv2d_weight_grad_in_parts(const ConvCall& call, const Tensor& dy, Tensor& dw);
};

/// A backend for one call, which the WorkObserver in force, if any, sees: backend_of(x,
/// Work::matmul)->matmul(..).
class BackendAtWork {
 public:
  BackendAtWork(Backend& backend, Work work)
      : backend_(backend), work_(work), observer_(detail::work_observer.load(std::memory_order_relaxed)) {
    if (observer_ != nullptr) observer_->begin(work_);
  }
  ~BackendAtWork() {
    if (observer_ != nullptr) observer_->end(work_);
  }
  BackendAtWork(const BackendAtWork&) = delete;
  BackendAtWork& operator=(const BackendAtWork&) = delete;
  Backend* operator->() const { return &backend_; }

 private:
  Backend& backend_;
  Work work_;
  WorkObserver* observer_;
};

/// The backend of a device. Errors: UsageError when none is installed for it.
Backend& backend(Device device = {});
inline BackendAtWork backend_of(const Tensor& t, Work work) { return {backend(t.device()), work}; }
/// Installs the backend of a device; the object must live as long as the process. Errors: ArgumentError for
/// an index outside [0, 16).
void install_backend(Device device, Backend& b);
/// The CPU's, which is installed from the start and never destroyed: tensors of static duration may outlive
/// main(). It is core/cpu that defines it.
Backend& cpu_backend();

}  // namespace basin
