#include "cuda/convolution.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "cuda/filter_layout.h"
#include "cuda/runtime/stream.h"

namespace basin::cuda {
namespace {

constexpr std::size_t kTimed = 8;  // plans of a geometry that are run in turns
constexpr std::uintptr_t kAlignment = 16;

bool aligned(const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.raw()) % kAlignment == 0; }
// The tensor itself, or where it begins at an odd address, as rows of a batch may, a copy.
Tensor to_read(const Tensor& t) { return aligned(t) ? t : t.clone(); }

/// Memory beside the tensors of a plan, until this ends.
class Workspace {
 public:
  Workspace(Pool& pool, std::size_t bytes) : pool_(pool), start_(bytes > 0 ? pool.take(bytes) : nullptr) {}
  ~Workspace() {
    if (start_ != nullptr) pool_.give_back(start_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  std::byte* start() const { return start_; }

 private:
  Pool& pool_;
  std::byte* start_;
};

bool capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

}  // namespace

Convolutions::~Convolutions() {
  known_.clear();
  if (handle_ != nullptr) static_cast<void>(cudnnDestroy(handle_));
}

cudnnHandle_t Convolutions::handle() {
  const cudaStream_t stream = card_.stream();
  if (handle_ == nullptr) dnn::check(cudnnCreate(&handle_), "cudnnCreate");
  dnn::check(cudnnSetStream(handle_, stream), "cudnnSetStream");
  return handle_;
}

std::vector<dnn::Plan> Convolutions::plans(dnn::Pass pass, const ConvGeometry& g, Dtype activations,
                                           Dtype weights) {
  const Options& options = card_.options;
  const dnn::Allowed allowed{.tensor_cores = activations != Dtype::f32 || options.precision != Precision::f32,
                             .nondeterministic = !options.deterministic,
                             .workspace = options.workspace};
  const bool timed = options.autotune && !options.deterministic;
  const dnn::Convolution c = dnn::convolution(g, pass, activations, weights);
  return dnn::plans_of(dnn::graph_of(c, handle()), handle(), allowed, timed ? kTimed : 1);
}

Convolutions::Known& Convolutions::known(dnn::Pass pass, const ConvGeometry& g, Dtype activations) {
  const Key key{static_cast<Index>(pass),
                static_cast<Index>(activations),
                g.batch,
                g.in_h,
                g.in_w,
                g.in_c,
                g.kernel_h,
                g.kernel_w,
                g.stride_h,
                g.stride_w,
                g.pad_h,
                g.pad_w,
                g.groups,
                g.out_c};
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  Known made;
  if (pass == dnn::Pass::weight_grad && activations == Dtype::bf16) {
    try {
      made = {Dtype::f32, plans(pass, g, activations, Dtype::f32)};
    } catch (const dnn::Refusal&) {
      made = {Dtype::bf16, plans(pass, g, activations, Dtype::bf16)};
    }
  } else {
    made = {activations, plans(pass, g, activations, activations)};
  }
  return known_[key] = std::move(made);
}

Tensor Convolutions::packed(const ConvGeometry& g, Dtype dtype) const {
  return Tensor::empty({g.out_c, g.kernel_h, g.kernel_w, g.in_c / g.groups}, dtype, card_.device);
}

void Convolutions::run(Known& known, const Addresses& at) {
  if (known.plans.size() > 1) keep_the_fastest(known, at);
  const dnn::Plan& plan = known.plans[0];
  const Workspace workspace(card_.pool, plan.workspace);
  plan.execute(handle(), at.x, at.w, at.y, workspace.start());
}

// Each plan writes the whole result, so that it does no harm to run them all; the last word has run().
void Convolutions::keep_the_fastest(Known& known, const Addresses& at) {
  const cudaStream_t stream = card_.stream();
  std::size_t best = 0;
  if (!capturing(stream)) {
    const InArena common(card_.pool, nullptr);
    std::size_t most = 0;
    for (const dnn::Plan& plan : known.plans) most = std::max(most, plan.workspace);
    const Workspace workspace(card_.pool, most);
    float shortest = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < known.plans.size(); ++i) {
      const auto once = [&] { known.plans[i].execute(handle(), at.x, at.w, at.y, workspace.start()); };
      const Stopwatch watch;
      try {
        once();  // brings its code to the card
        watch.start(stream);
        once();
      } catch (const dnn::Refusal&) {
        continue;
      }
      const float milliseconds = watch.stop(stream);
      if (milliseconds < shortest) {
        shortest = milliseconds;
        best = i;
      }
    }
  }
  known.plans = {known.plans[best]};
}

void Convolutions::forward(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y) {
  if (x.elements() == 0) return y.fill(0);
  Known& k = known(dnn::Pass::forward, g, x.dtype());
  Tensor krsc = packed(g, k.weights);
  pack_weights(card_.stream(), w, krsc);
  run(k, {to_read(x).raw(), krsc.raw(), y.mutable_raw()});
}

void Convolutions::input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) {
  if (dy.elements() == 0) return dx.fill(0);
  Known& k = known(dnn::Pass::input_grad, g, dy.dtype());
  Tensor krsc = packed(g, k.weights);
  pack_weights(card_.stream(), w, krsc);
  run(k, {dx.mutable_raw(), krsc.raw(), to_read(dy).raw()});
}

void Convolutions::weight_grad(const ConvGeometry& g, const Tensor& x, const Tensor& dy, Tensor& dw) {
  if (x.elements() == 0 || dy.elements() == 0) return dw.fill(0);
  Known& k = known(dnn::Pass::weight_grad, g, x.dtype());
  Tensor krsc = packed(g, k.weights);
  run(k, {to_read(x).raw(), krsc.mutable_raw(), to_read(dy).raw()});
  unpack_weights(card_.stream(), krsc, dw);
}

}  // namespace basin::cuda
