// Each call: its tensors and numbers in a closure that asks the inner backend.
#include "tests/device/recording_backend.h"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/draws.h"
#include "core/images/image_batch.h"

namespace basin::testing {
namespace {

/// A tensor that may be left out.
Tensor kept(const Tensor* x) { return x == nullptr ? Tensor() : *x; }
const Tensor* maybe(const Tensor& x) { return x.defined() ? &x : nullptr; }
Tensor* maybe(Tensor& x) { return x.defined() ? &x : nullptr; }

/// Arguments that are references, kept.
struct KeptForward {
  explicit KeptForward(const BatchNormForward& f)
      : x(f.x),
        gamma(f.gamma),
        beta(f.beta),
        mean(f.mean),
        inv_std(f.inv_std),
        residual(kept(f.residual)),
        relu(f.relu) {}
  BatchNormForward get() const { return {x, gamma, beta, mean, inv_std, maybe(residual), relu}; }
  Tensor x, gamma, beta, mean, inv_std, residual;
  bool relu;
};

struct KeptBackward {
  explicit KeptBackward(const BatchNormBackward& f)
      : x(f.x),
        gamma(f.gamma),
        beta(f.beta),
        mean(f.mean),
        inv_std(f.inv_std),
        dy(f.dy),
        y(kept(f.y)),
        relu(f.relu),
        batch(f.batch_statistics) {}
  BatchNormBackward get() const { return {x, gamma, beta, mean, inv_std, dy, relu, maybe(y), batch}; }
  Tensor x, gamma, beta, mean, inv_std, dy, y;
  bool relu, batch;
};

struct KeptCall {
  explicit KeptCall(const ConvCall& call) : geometry(call.geometry) {
    if (call.norm != nullptr) norm.emplace(*call.norm);
    if (call.moments != nullptr) moments = *call.moments;
  }
  /// f(the call).
  template <class F>
  void with(const F& f) {
    std::optional<BatchNormForward> forward;
    if (norm) forward.emplace(norm->get());
    f(ConvCall{geometry, forward ? &*forward : nullptr, moments ? &*moments : nullptr});
  }
  ConvGeometry geometry;
  std::optional<KeptForward> norm;
  std::optional<Moments> moments;
};

class RecordingBackend final : public Backend {
 public:
  explicit RecordingBackend(Backend& inner) : inner_(inner) {}
  const char* name() const override { return inner_.name(); }
  bool computes(Dtype dtype) const override { return inner_.computes(dtype); }

  std::byte* allocate(std::size_t bytes) override { return inner_.allocate(bytes); }
  void release(std::byte* data, std::size_t bytes) override {
    if (record_ != nullptr)
      record_->released.emplace_back(data, bytes);
    else
      inner_.release(data, bytes);
  }
  void copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) override {
    ask([=, this] { inner_.copy_bytes(to, from, bytes); });
  }
  void upload(std::byte* to, const std::byte* from, std::size_t bytes) override {
    refuse("the host sends", bytes);
    inner_.upload(to, from, bytes);
  }
  void download(std::byte* to, const std::byte* from, std::size_t bytes) override {
    refuse("the host waits for", bytes);
    inner_.download(to, from, bytes);
  }
  void fill(Tensor& out, double value) override {
    ask([=, this]() mutable { inner_.fill(out, value); });
  }
  void cast(const Tensor& x, Tensor& out) override {
    ask([=, this]() mutable { inner_.cast(x, out); });
  }

  void unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) override {
    ask([=, this]() mutable { inner_.unary(op, x, a, b, out); });
  }
  void binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) override {
    ask([=, this]() mutable { inner_.binary(op, x, z, out); });
  }
  void where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) override {
    ask([=, this]() mutable { inner_.where(condition, x, z, out); });
  }
  void reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) override {
    ask([=, this]() mutable { inner_.reduce(op, x, axes, out); });
  }
  void argmax(const Tensor& x, int axis, Tensor& out) override {
    ask([=, this]() mutable { inner_.argmax(x, axis, out); });
  }
  void permute(const Tensor& x, const Axes& perm, Tensor& out) override {
    ask([=, this]() mutable { inner_.permute(x, perm, out); });
  }
  void copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                  const Shape& extent) override {
    ask([=, this]() mutable { inner_.copy_block(x, from, out, to, extent); });
  }
  void gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) override {
    ask([=, this]() mutable { inner_.gather(x, index, axis, out); });
  }
  void scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) override {
    ask([=, this]() mutable { inner_.scatter_add(x, index, axis, out); });
  }
  void gather_last(const Tensor& x, const Tensor& index, Tensor& out) override {
    ask([=, this]() mutable { inner_.gather_last(x, index, out); });
  }
  void scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) override {
    ask([=, this]() mutable { inner_.scatter_add_last(x, index, out); });
  }
  void matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) override {
    ask([=, this]() mutable { inner_.matmul(g, a, b, out); });
  }

  void conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) override {
    ask([this, c = KeptCall(call), x, w, y]() mutable {
      c.with([&](const ConvCall& again) { inner_.conv2d(again, x, w, y); });
    });
  }
  void conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) override {
    ask([=, this]() mutable { inner_.conv2d_input_grad(g, dy, w, dx); });
  }
  void conv2d_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& dy, Tensor& dw) override {
    ask([this, c = KeptCall(call), x, dy, dw]() mutable {
      c.with([&](const ConvCall& again) { inner_.conv2d_weight_grad(again, x, dy, dw); });
    });
  }
  void conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                        const ConvGradients& out) override {
    std::optional<KeptBackward> norm;
    if (out.norm != nullptr) norm.emplace(*out.norm);
    ask([this, g, x, w, dy, dx = out.dx, dw = out.dw, norm, dgamma = kept(out.dgamma),
         dbeta = kept(out.dbeta)]() mutable {
      std::optional<BatchNormBackward> backward;
      if (norm) backward.emplace(norm->get());
      inner_.conv2d_gradients(g, x, w, dy,
                              {dx, dw, backward ? &*backward : nullptr, maybe(dgamma), maybe(dbeta)});
    });
  }

  void max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) override {
    ask([=, this]() mutable { inner_.max_pool(g, x, y, index); });
  }
  void pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) override {
    ask([=, this]() mutable { inner_.pool_scatter(g, x, index, out); });
  }
  void pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) override {
    ask([=, this]() mutable { inner_.pool_gather(g, x, index, out); });
  }
  void avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) override {
    ask([=, this]() mutable { inner_.avg_pool(g, x, count_pad, y); });
  }
  void avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) override {
    ask([=, this]() mutable { inner_.avg_pool_grad(g, dy, count_pad, dx); });
  }

  void moments(const Tensor& x, Tensor& mean, Tensor& var) override {
    ask([=, this]() mutable { inner_.moments(x, mean, var); });
  }
  void batch_norm(const BatchNormForward& f, Tensor& y) override {
    ask([this, f = KeptForward(f), y]() mutable { inner_.batch_norm(f.get(), y); });
  }
  void batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                       Tensor* dresidual) override {
    ask([this, f = KeptBackward(f), dx, dgamma, dbeta, r = kept(dresidual)]() mutable {
      inner_.batch_norm_grad(f.get(), dx, dgamma, dbeta, maybe(r));
    });
  }
  void layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) override {
    ask([this, x = f.x, gamma = f.gamma, beta = f.beta, eps = f.eps, y, mean, inv_std]() mutable {
      inner_.layer_norm({x, gamma, beta, eps}, y, mean, inv_std);
    });
  }
  void layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) override {
    ask([this, x = f.x, gamma = f.gamma, mean = f.mean, inv_std = f.inv_std, dy = f.dy, dx, dgamma,
         dbeta]() mutable {
      inner_.layer_norm_grad({x, gamma, mean, inv_std, dy}, dx, dgamma, dbeta);
    });
  }
  void log_softmax(const Tensor& x, Tensor& y) override {
    ask([=, this]() mutable { inner_.log_softmax(x, y); });
  }
  void log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) override {
    ask([=, this]() mutable { inner_.log_softmax_grad(y, dy, dx); });
  }

  void image_batch(const ImageBatch& b, Tensor& out) override {
    ask([this, pixels = b.pixels, table = b.table, draws = b.draws, reflect = b.reflect,
         covered = kept(b.covered), partners = kept(b.partners), exchanged = kept(b.exchanged),
         lambda = b.lambda, out]() mutable {
      inner_.image_batch({.pixels = pixels,
                          .table = table,
                          .draws = draws,
                          .reflect = reflect,
                          .covered = maybe(covered),
                          .partners = maybe(partners),
                          .exchanged = maybe(exchanged),
                          .lambda = lambda},
                         out);
    });
  }
  void draw(const LayerDraws& d, Tensor& out) override {
    ask([=, this]() mutable { inner_.draw(d, out); });
  }

  Scalar dot(const Tensor& x, const Tensor& y) override {
    return number(x.device(), [=, this] { return inner_.dot(x, y); });
  }
  void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) override {
    ask([=, this]() mutable { inner_.axpby(a, x, b, y); });
  }
  Scalar all_finite(const Tensor& x) override {
    return number(x.device(), [=, this] { return inner_.all_finite(x); });
  }
  void update(const UpdateStep& step, const UpdateNumbers& now, const UpdateTensors& t) override {
    Tensors state;
    for (const Tensor* s : t.state) state.push_back(kept(s));
    ask([this, step, now, direction = t.direction, mask = kept(t.decay_mask), w = t.w, state]() mutable {
      std::vector<Tensor*> places;
      for (Tensor& s : state) places.push_back(maybe(s));
      inner_.update(step, now, {direction, maybe(mask), w, places});
    });
  }

  std::unique_ptr<Recording> make_recording() override { return std::make_unique<Calls>(*this); }

 private:
  /// Calls, in order, and memory that they use.
  class Calls final : public Recording {
   public:
    explicit Calls(RecordingBackend& device) : device_(device) {}
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;
    ~Calls() override {
      list.clear();
      for (const auto& [data, bytes] : released) device_.inner_.release(data, bytes);
    }

    void rehearse(const std::function<void()>& work) override { work(); }
    void record(const std::function<void()>& work) override {
      list.clear();
      Calls* const before = std::exchange(device_.record_, this);
      try {
        work();
      } catch (...) {
        device_.record_ = before;
        list.clear();
        throw;
      }
      device_.record_ = before;
    }
    void play() override {
      for (const std::function<void()>& call : list) call();
    }

    std::vector<std::function<void()>> list;
    std::vector<std::pair<std::byte*, std::size_t>> released;

   private:
    RecordingBackend& device_;
  };

  template <class F>
  void ask(F&& call) {
    if (record_ == nullptr)
      call();
    else
      record_->list.emplace_back(std::forward<F>(call));
  }
  /// What call() returns, in a place of its own.
  template <class F>
  Scalar number(Device device, const F& call) {
    if (record_ == nullptr) return call();
    Tensor there = Tensor::empty({}, Dtype::f64, device);
    ask([there, call]() mutable { there.copy_from(call().tensor({})); });
    return Scalar(there);
  }
  void refuse(const char* what, std::size_t bytes) const {
    if (record_ != nullptr)
      throw InternalError("[recording] ", what, " ", bytes, " bytes inside work that is recorded");
  }

  Backend& inner_;
  Calls* record_ = nullptr;
};

}  // namespace

std::unique_ptr<Backend> recording_backend(Backend& inner) {
  return std::make_unique<RecordingBackend>(inner);
}

}  // namespace basin::testing
