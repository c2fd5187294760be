// Each kernel: its tensors copied to the host, the CPU's kernel, its results copied back. Device and host
// know the same bytes by different addresses. bf16 is f32 on the host, and rounded on its way back.
#include "tests/device/test_device.h"

#include <atomic>
#include <cstring>
#include <deque>
#include <functional>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/backend.h"
#include "core/draws.h"
#include "core/images/image_batch.h"
#include "tests/device/recording_backend.h"

namespace basin::testing {
namespace {

constexpr Device kDevice{Device::Kind::test, 0};

std::atomic<std::int64_t> reads{0};
std::vector<std::string>* calls = nullptr;  // of the Calls in force

/// From the address of a byte on the host to that on the device, and back. No address of the device can be
/// read: x86-64 and arm64 have no memory there.
template <class Byte>
Byte* other_address(Byte* address) {
  return reinterpret_cast<Byte*>(reinterpret_cast<std::uintptr_t>(address) ^ (std::uintptr_t{1} << 62));
}

/// The tensors of one kernel on the host, bf16 ones as f32. What it wrote goes back when this ends.
class Here {
 public:
  /// `kernel` and the numbers that the host gives it, for the list of calls.
  template <class... Number>
  explicit Here(const char* kernel, const Number&... numbers) {
    if (calls == nullptr) return;
    std::ostringstream call;
    call << std::setprecision(17) << kernel;
    (write(call, numbers), ...);
    calls->push_back(call.str());
  }
  Here(const Here&) = delete;
  Here& operator=(const Here&) = delete;
  ~Here() {
    for (auto& [there, here] : results_) {
      const Tensor rounded = here.to(there.dtype());
      if (there.bytes() > 0) std::memcpy(other_address(there.mutable_raw()), rounded.raw(), there.bytes());
    }
  }

  const Tensor& in(const Tensor& x) {
    if (calls != nullptr) calls->back() += text(' ', x.shape());
    if (!(x.device() == kDevice))
      throw InternalError("[test device] a kernel was given a tensor of ", x.device());
    Tensor here = Tensor::empty(x.shape(), x.dtype());
    if (here.bytes() > 0) std::memcpy(here.mutable_raw(), other_address(x.raw()), here.bytes());
    return inputs_.emplace_back(here.to(compute_dtype(here.dtype())));
  }
  /// An operand of a product: beside a bf16 one it enters as bf16.
  const Tensor& factor(const Tensor& x, const Tensor& other) {
    const Tensor& here = in(x);
    if (other.dtype() != Dtype::bf16 || x.dtype() != Dtype::f32) return here;
    return inputs_.emplace_back(here.to(Dtype::bf16).to(Dtype::f32));
  }
  const Tensor* in(const Tensor* x) { return x == nullptr ? nullptr : &in(*x); }
  Tensor& out(Tensor& y) { return results_.emplace_back(y, in(y)).second; }
  Tensor* out(Tensor* y) { return y == nullptr ? nullptr : &out(*y); }
  double number(const Scalar& a) { return a.known() ? a.value() : in(a.tensor(kDevice)).item(); }

  BatchNormForward forward(const BatchNormForward& f) {
    return {in(f.x), in(f.gamma), in(f.beta), in(f.mean), in(f.inv_std), in(f.residual), f.relu};
  }
  BatchNormBackward backward(const BatchNormBackward& f) {
    return {in(f.x),  in(f.gamma), in(f.beta), in(f.mean),        in(f.inv_std),
            in(f.dy), f.relu,      in(f.y),    f.batch_statistics};
  }

 private:
  static void write(std::ostream& call, const Scalar& number) {
    if (number.known())
      call << ' ' << number.value();
    else
      call << " there";
  }

  std::deque<Tensor> inputs_;
  std::deque<std::pair<Tensor, Tensor>> results_;  // there, here
};

/// A number that the host does not know.
Scalar there(double number) {
  Tensor t = Tensor::empty({}, Dtype::f64, kDevice);
  std::memcpy(other_address(t.mutable_raw()), &number, sizeof number);
  return Scalar(t);
}

class TestBackend final : public Backend {
 public:
  const char* name() const override { return "test"; }
  bool computes(Dtype dtype) const override { return has_derivatives(dtype); }

  std::byte* allocate(std::size_t bytes) override { return other_address(cpu_.allocate(bytes)); }
  void release(std::byte* data, std::size_t bytes) override { cpu_.release(other_address(data), bytes); }
  void copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) override {
    std::memcpy(other_address(to), other_address(from), bytes);
  }
  void upload(std::byte* to, const std::byte* from, std::size_t bytes) override {
    if (calls != nullptr) {
      const std::string_view sent(reinterpret_cast<const char*>(from), bytes);
      calls->push_back(text("upload of ", bytes, " bytes, hash ", std::hash<std::string_view>()(sent)));
    }
    std::memcpy(other_address(to), from, bytes);
  }
  void download(std::byte* to, const std::byte* from, std::size_t bytes) override {
    ++reads;
    std::memcpy(to, other_address(from), bytes);
  }
  void fill(Tensor& out, double value) override { cpu_.fill(Here("fill", value).out(out), value); }
  void cast(const Tensor& x, Tensor& out) override {
    Here h("cast");
    cpu_.cast(h.in(x), h.out(out));
  }

  void unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) override {
    Here h("unary", static_cast<int>(op), a, b);
    cpu_.unary(op, h.in(x), a, b, h.out(out));
  }
  void binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) override {
    Here h("binary", static_cast<int>(op));
    cpu_.binary(op, h.in(x), h.in(z), h.out(out));
  }
  void where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) override {
    Here h("where");
    cpu_.where(h.in(condition), h.in(x), h.in(z), h.out(out));
  }
  void reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) override {
    Here h("reduce", static_cast<int>(op));
    cpu_.reduce(op, h.in(x), axes, h.out(out));
  }
  void argmax(const Tensor& x, int axis, Tensor& out) override {
    Here h("argmax", axis);
    cpu_.argmax(h.in(x), axis, h.out(out));
  }
  void permute(const Tensor& x, const Axes& perm, Tensor& out) override {
    Here h("permute");
    cpu_.permute(h.in(x), perm, h.out(out));
  }
  void copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                  const Shape& extent) override {
    Here h("copy_block");
    cpu_.copy_block(h.in(x), from, h.out(out), to, extent);
  }
  void gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) override {
    Here h("gather", axis);
    cpu_.gather(h.in(x), h.in(index), axis, h.out(out));
  }
  void scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) override {
    Here h("scatter_add", axis);
    cpu_.scatter_add(h.in(x), h.in(index), axis, h.out(out));
  }
  void gather_last(const Tensor& x, const Tensor& index, Tensor& out) override {
    Here h("gather_last");
    cpu_.gather_last(h.in(x), h.in(index), h.out(out));
  }
  void scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) override {
    Here h("scatter_add_last");
    cpu_.scatter_add_last(h.in(x), h.in(index), h.out(out));
  }
  void matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) override {
    Here h("matmul");
    cpu_.matmul(g, h.factor(a, b), h.factor(b, a), h.out(out));
  }

  // In bf16 what goes along with a convolution is rounded between its parts.
  void conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) override {
    if (x.dtype() == Dtype::bf16 && !call.plain()) return conv2d_in_parts(call, x, w, y);
    Here h("conv2d");
    std::optional<BatchNormForward> norm;
    std::optional<Moments> moments;
    if (call.norm != nullptr) norm.emplace(h.forward(*call.norm));
    if (call.moments != nullptr) moments = {h.out(call.moments->mean), h.out(call.moments->var)};
    cpu_.conv2d({call.geometry, norm ? &*norm : nullptr, moments ? &*moments : nullptr},
                norm ? norm->x : h.in(x), h.factor(w, x), h.out(y));
  }
  void conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) override {
    Here h("conv2d_input_grad");
    cpu_.conv2d_input_grad(g, h.in(dy), h.factor(w, dy), h.out(dx));
  }
  void conv2d_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& dy, Tensor& dw) override {
    if (x.dtype() == Dtype::bf16 && !call.plain()) return conv2d_weight_grad_in_parts(call, dy, dw);
    Here h("conv2d_weight_grad");
    std::optional<BatchNormForward> norm;
    if (call.norm != nullptr) norm.emplace(h.forward(*call.norm));
    cpu_.conv2d_weight_grad({.geometry = call.geometry, .norm = norm ? &*norm : nullptr},
                            norm ? norm->x : h.in(x), h.in(dy), h.out(dw));
  }
  void conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                        const ConvGradients& out) override {
    if (x.dtype() == Dtype::bf16) return Backend::conv2d_gradients(g, x, w, dy, out);
    Here h("conv2d_gradients");
    Tensor& dx = h.out(out.dx);
    std::optional<BatchNormBackward> norm;
    if (out.norm != nullptr) {
      const BatchNormBackward& n = *out.norm;
      norm.emplace(BatchNormBackward{h.in(n.x), h.in(n.gamma), h.in(n.beta), h.in(n.mean), h.in(n.inv_std),
                                     dx, n.relu, h.in(n.y), n.batch_statistics});
    }
    cpu_.conv2d_gradients(g, norm ? norm->x : h.in(x), h.in(w), h.in(dy),
                          {dx, h.out(out.dw), norm ? &*norm : nullptr, h.out(out.dgamma), h.out(out.dbeta)});
  }

  void max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) override {
    Here h("max_pool");
    cpu_.max_pool(g, h.in(x), h.out(y), h.out(index));
  }
  void pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) override {
    Here h("pool_scatter");
    cpu_.pool_scatter(g, h.in(x), h.in(index), h.out(out));
  }
  void pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) override {
    Here h("pool_gather");
    cpu_.pool_gather(g, h.in(x), h.in(index), h.out(out));
  }
  void avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) override {
    Here h("avg_pool", count_pad);
    cpu_.avg_pool(g, h.in(x), count_pad, h.out(y));
  }
  void avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) override {
    Here h("avg_pool_grad", count_pad);
    cpu_.avg_pool_grad(g, h.in(dy), count_pad, h.out(dx));
  }

  void moments(const Tensor& x, Tensor& mean, Tensor& var) override {
    Here h("moments");
    cpu_.moments(h.in(x), h.out(mean), h.out(var));
  }
  void batch_norm(const BatchNormForward& f, Tensor& y) override {
    Here h("batch_norm");
    cpu_.batch_norm(h.forward(f), h.out(y));
  }
  void batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                       Tensor* dresidual) override {
    Here h("batch_norm_grad");
    cpu_.batch_norm_grad(h.backward(f), h.out(dx), h.out(dgamma), h.out(dbeta), h.out(dresidual));
  }
  void layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) override {
    Here h("layer_norm", f.eps);
    cpu_.layer_norm({h.in(f.x), h.in(f.gamma), h.in(f.beta), f.eps}, h.out(y), h.out(mean), h.out(inv_std));
  }
  void layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) override {
    Here h("layer_norm_grad");
    cpu_.layer_norm_grad({h.in(f.x), h.in(f.gamma), h.in(f.mean), h.in(f.inv_std), h.in(f.dy)}, h.out(dx),
                         h.out(dgamma), h.out(dbeta));
  }
  void log_softmax(const Tensor& x, Tensor& y) override {
    Here h("log_softmax");
    cpu_.log_softmax(h.in(x), h.out(y));
  }
  void log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) override {
    Here h("log_softmax_grad");
    cpu_.log_softmax_grad(h.in(y), h.in(dy), h.out(dx));
  }

  void image_batch(const ImageBatch& b, Tensor& out) override {
    Here h("image_batch", b.reflect, b.lambda);
    cpu_.image_batch({.pixels = h.in(b.pixels),
                      .table = h.in(b.table),
                      .draws = h.in(b.draws),
                      .reflect = b.reflect,
                      .covered = h.in(b.covered),
                      .partners = h.in(b.partners),
                      .exchanged = h.in(b.exchanged),
                      .lambda = h.number(b.lambda)},
                     h.out(out));
  }
  void draw(const LayerDraws& d, Tensor& out) override {
    Here h("draw", d.formula.index(), d.at.step);
    cpu_.draw({d.formula, d.stream, {d.at.seed, h.number(d.at.step), d.at.layer}}, h.out(out));
  }

  Scalar dot(const Tensor& x, const Tensor& y) override {
    Here h("dot");
    return there(cpu_.dot(h.in(x), h.in(y)));
  }
  void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) override {
    Here h("axpby", a, b);
    const double scale = h.number(a), share = h.number(b);
    const Tensor& from = h.in(x);
    Tensor& here = h.out(y);
    if (a.known() || scale != 0)
      cpu_.axpby(scale, from, share, here);
    else if (share != 1)
      cpu_.axpby(0, Tensor::zeros(y.shape(), y.dtype()), share, here);
  }
  Scalar all_finite(const Tensor& x) override { return there(cpu_.all_finite(Here("all_finite").in(x))); }

  void update(const UpdateStep& step, const UpdateNumbers& now, const UpdateTensors& t) override {
    Here h("update", static_cast<int>(step.index()), now.lr, now.made);
    std::vector<Tensor*> state;
    for (Tensor* s : t.state) state.push_back(h.out(s));
    cpu_.update(step, {h.number(now.lr), h.number(now.made)},
                {h.in(t.direction), h.in(t.decay_mask), h.out(t.w), state});
  }

 private:
  Backend& cpu_ = cpu_backend();
};

}  // namespace

Device test_device() {
  static Backend& backend = *recording_backend(*new TestBackend).release();
  static const bool once = (install_backend(kDevice, backend), true);
  return once ? kDevice : Device{};
}

std::int64_t host_reads() { return reads; }

Calls::Calls(std::vector<std::string>& list) : before_(std::exchange(calls, &list)) {}
Calls::~Calls() { calls = before_; }

}  // namespace basin::testing
