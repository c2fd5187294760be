#include "autograd/ops/deferred.h"

#include <optional>

#include "autograd/ops/op_support.h"

namespace basin {
namespace {

thread_local DeferralScope* current = nullptr;

/// Within this scope no result waits, whatever is around it.
class AtOnce {
 public:
  AtOnce() : before_(current) { current = nullptr; }
  ~AtOnce() { current = before_; }
  AtOnce(const AtOnce&) = delete;
  AtOnce& operator=(const AtOnce&) = delete;

 private:
  DeferralScope* before_;
};

}  // namespace

DeferralScope::DeferralScope() : before_(current) { current = this; }
DeferralScope::~DeferralScope() { current = before_; }

void DeferralScope::finish() {
  // The latest first: a reader takes along what it reads, which nobody holds afterwards.
  while (!waiting_.empty()) {
    const std::shared_ptr<Deferred> result = waiting_.back().lock();
    waiting_.pop_back();
    if (result) result->settle();
  }
}

Variable formed(const Variable& x) { return x.deferred() ? Variable(x.value(), x.node()) : x; }

const Variable& Variable::formed() const { return later_->result(); }
const std::shared_ptr<Node>& Variable::formed_node() const { return later_->node(); }
const Shape& Variable::expected_shape() const { return later_->shape(); }
Dtype Variable::expected_dtype() const { return later_->dtype(); }
bool Variable::will_be_tracked() const { return later_->tracked(); }

/// A new result of the scope around.
Variable deferred(std::shared_ptr<Deferred> result) {
  current->waiting_.push_back(result);
  return Variable(std::move(result));
}

Deferred::Deferred(const char* op, const Shape& shape, Dtype dtype,
                   std::initializer_list<const Variable*> inputs)
    : op_(op),
      shape_(shape),
      dtype_(dtype),
      tracked_(false),
      place_(reserve_place()),
      algorithm_(conv_algorithm()) {
  seen_.reserve(inputs.size() + 2);
  for (const Variable* in : inputs) {
    tracked_ = tracked_ || (recording() && in->tracked());
    if (in->defined() && !in->deferred()) will_read(in->value());
  }
}

void Deferred::expect_unchanged() const {
  for (const Seen& s : seen_)
    if (s.value.version() != s.version)
      throw ArgumentError("[", op_, "] an operand ", s.value.shape(),
                          " was written to between the call and the first reading of the result");
}

Variable Deferred::as_called(bool recorded) {
  expect_unchanged();
  const AtOnce at_once;
  const RecordingScope as_recorded(recorded);
  const PlaceScope in_its_place(place_);
  std::optional<WithConvAlgorithm> as_set;
  if (conv_algorithm() != algorithm_) as_set.emplace(algorithm_);
  return form();
}

const Variable& Deferred::result() {
  if (is_formed()) return result_;
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (is_formed()) return result_;
  result_ = formed(as_called(tracked_));
  // What a recorded op was called with is kept by its node in any case.
  if (!tracked_) let_go();
  formed_.store(true, std::memory_order_release);
  return result_;
}

const std::shared_ptr<Node>& Deferred::node() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  result();
  if (!std::exchange(read_, true)) on_read();
  return result_.node();
}

void Deferred::settle() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  result();
  let_go();
}

void Deferred::let_go() {
  released_ = true;
  seen_.clear();
  release();
}

namespace {

// ---- Batch norm, and the ReLU or the sum behind it ----

/// A batch norm and what follows it, as one op.
struct Expression {
  std::shared_ptr<const Normalisation> norm;  // null: none
  bool relu = false;
  Variable residual = {};

  BatchNormOptions options() const {
    BatchNormOptions all = norm->options;
    all.relu = relu;
    all.residual = residual;
    return all;
  }
};

class DeferredNorm : public Deferred {
 public:
  DeferredNorm(const char* op, Normalisation&& norm)
      : Deferred(op, norm.x.shape(), norm.x.dtype(),
                 {&norm.x, &norm.gamma, &norm.beta, &norm.options.residual}),
        relu_(norm.options.relu),
        sum_(norm.options.residual.defined()),
        joins_(norm.options.joins_convolution) {
    will_read(norm.mean);
    will_read(norm.var);
    norm_ = std::make_shared<const Normalisation>(std::move(norm));
  }

  /// relu(source), or source + residual.
  DeferredNorm(const Variable& source, const DeferredNorm& of, const Variable& residual)
      : Deferred(residual.defined() ? "add" : "relu", source.shape(), source.dtype(), {&source, &residual}),
        relu_(!residual.defined()),
        sum_(of.sum_ || residual.defined()),
        joins_(of.joins_),
        source_(source),
        residual_(residual) {}

  bool takes_relu() const { return !relu_; }
  bool takes_sum() const { return !relu_ && !sum_; }
  bool joins_convolution() const { return joins_ && !sum_; }

  /// One more op will read this, if none has read its value: it may do so by taking the normalisation along.
  bool reader() {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    if (is_read() || is_released()) return false;
    ++readers_;
    return true;
  }

  /// The whole expression for the one op that reads it; none if others read it too.
  Expression for_its_reader() {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    if (is_read() || is_released() || readers_ > 1) return {};
    expect_unchanged();
    return expression();
  }

  /// A convolution has taken this along and was recorded, as `y`'s history says.
  void taken_by(const Variable& y, const Variable& weight, const ConvOptions& options) {
    if (!y.tracked()) return;
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    joint_ = Joint{y.node(), weight, weight.value().version(), options};
  }

 private:
  struct Joint {
    std::weak_ptr<Node> node;
    Variable weight;
    std::uint64_t version;
    ConvOptions options;
  };

  Expression expression();
  Variable form() override;
  void on_read() override;
  void release() override {
    norm_.reset();
    joint_.reset();
    source_ = residual_ = Variable();
  }

  bool relu_, sum_, joins_;
  int readers_ = 0;
  std::shared_ptr<const Normalisation> norm_;  // or, behind another one:
  Variable source_, residual_;
  std::optional<Joint> joint_;
};

std::shared_ptr<DeferredNorm> waiting_norm(const Variable& x) {
  return std::dynamic_pointer_cast<DeferredNorm>(x.deferred());
}

Expression taken_along(const Variable& x) {
  const auto norm = waiting_norm(x);
  return norm ? norm->for_its_reader() : Expression();
}

Expression DeferredNorm::expression() {
  if (norm_) return {norm_, norm_->options.relu, norm_->options.residual};
  Expression all = taken_along(source_);
  if (residual_.defined())
    all.residual = residual_;
  else
    all.relu = true;
  return all;
}

Variable DeferredNorm::form() {
  if (const Expression all = expression(); all.norm) {
    const Normalisation& n = *all.norm;
    return n.of_batch ? batch_norm_train(n.x, n.gamma, n.beta, all.options()).y
                      : batch_norm_eval(n.x, n.gamma, n.beta, n.mean, n.var, all.options());
  }
  return residual_.defined() ? source_ + residual_ : relu(source_);
}

/// A convolution that took the normalisation along is now one that read its value, so that the gradient of
/// that is summed before it goes through the normalisation, once.
void DeferredNorm::on_read() {
  if (!joint_) return;
  const auto [node, weight, version, options] = *joint_;
  const std::shared_ptr<Node> joint = node.lock();
  if (!joint || joint->consumed() || weight.value().version() != version) return;
  const RecordingScope on(true);
  const ConvGeometry g = conv_geometry(shape(), weight.shape(), options);
  joint->become(std::move(*recorded_conv2d(Tensor(), result(), weight, g).node()));
}

// ---- Convolution ----

class DeferredConv : public Deferred {
 public:
  DeferredConv(const Variable& x, const Variable& weight, const ConvOptions& options, const Shape& y)
      : Deferred("conv2d", y, x.dtype(), {&x, &weight}),
        x_(x),
        weight_(weight),
        options_(options),
        forms_moments_(backend(weight.value().device()).takes_norms_along()) {}

  bool forms_moments() const { return forms_moments_; }
  /// Those of the result, which is formed with them. None, if an op has read its value before.
  Moments moments() {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    if (!moments_.defined() && !is_read() && !is_released()) {
      moments_wanted_ = true;
      // Somebody looked at the value only: the moments are what they would have been without it.
      if (is_formed()) as_called(/*recorded=*/false);
      result();
    }
    return moments_;
  }

 private:
  Variable form() override {
    const bool with_moments = moments_wanted_ && shape().elements() > 0;
    if (const Expression all = taken_along(x_); all.norm) {
      const Normalisation& n = *all.norm;
      const Variable y = n.of_batch ? batch_norm_conv2d_train(n.x, n.gamma, n.beta, weight_, all.options(),
                                                              options_, with_moments ? &moments_ : nullptr)
                                          .y
                                    : batch_norm_conv2d_eval(n.x, n.gamma, n.beta, n.mean, n.var, weight_,
                                                             all.options(), options_);
      waiting_norm(x_)->taken_by(y, weight_, options_);
      return y;
    }
    if (!with_moments) return conv2d(x_, weight_, options_);
    ConvResult both = conv2d_moments(x_, weight_, options_);
    moments_ = both.moments;
    return both.y;
  }
  void release() override { x_ = weight_ = Variable(); }

  Variable x_, weight_;
  ConvOptions options_;
  bool forms_moments_, moments_wanted_ = false;
  Moments moments_;
};

}  // namespace

Variable deferred_conv2d(const Variable& x, const Variable& weight, const ConvOptions& options) {
  if (!current || !has_derivatives(x.dtype()) || weight.dtype() != compute_dtype(x.dtype())) return {};
  const Shape y = conv_geometry(x.shape(), weight.shape(), options).y_shape();
  const auto norm = waiting_norm(x);
  const bool waits = norm && norm->joins_convolution() &&
                     backend(weight.value().device()).takes_norms_along() && norm->reader();
  return deferred(std::make_shared<DeferredConv>(waits ? x : formed(x), formed(weight), options, y));
}

Variable deferred_batch_norm(const char* op, Normalisation norm) {
  if (!current) return {};
  for (Variable* in : {&norm.x, &norm.gamma, &norm.beta, &norm.options.residual}) *in = formed(*in);
  if (norm.of_batch) norm.options.moments = {norm.mean, norm.var};
  return deferred(std::make_shared<DeferredNorm>(op, std::move(norm)));
}

Variable deferred_relu(const Variable& x) {
  const auto norm = current ? waiting_norm(x) : nullptr;
  if (!norm || !norm->takes_relu() || !norm->reader()) return {};
  return deferred(std::make_shared<DeferredNorm>(x, *norm, Variable()));
}

Variable deferred_sum(const Variable& x, const Variable& y) {
  if (!current || x.shape() != y.shape() || x.dtype() != y.dtype()) return {};
  for (const auto& [norm_side, other] : {std::pair(&x, &y), std::pair(&y, &x)}) {
    const auto norm = waiting_norm(*norm_side);
    if (norm && norm->takes_sum() && norm->reader())
      return deferred(std::make_shared<DeferredNorm>(*norm_side, *norm, formed(*other)));
  }
  return {};
}

Moments moments_beside(const Variable& x) {
  const auto conv = std::dynamic_pointer_cast<DeferredConv>(x.deferred());
  return conv && conv->forms_moments() ? conv->moments() : Moments();
}

}  // namespace basin
