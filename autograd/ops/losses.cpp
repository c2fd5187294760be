// Differentiable losses: cross-entropy, mean squared error.
#include <optional>

#include "autograd/fused.h"
#include "autograd/ops/op_support.h"

namespace basin {
namespace {

/// A smoothed label is q_k = onto_all + onto_label [k is the label], k = 1..K. It sums to 1.
struct Target {
  double onto_label, onto_all;
};

Target target(const CrossEntropyOptions& o, Index classes) {
  const double s = o.label_smoothing, k = static_cast<double>(classes);
  if (!(s >= 0 && s <= 1)) throw ArgumentError("[cross_entropy] label smoothing is in [0, 1], got ", s);
  if (s == 0) return {1, 0};
  if (o.form == Smoothing::uniform) return {1 - s, s / k};
  if (classes < 2)
    throw ArgumentError("[cross_entropy] this smoothing spreads over the other classes, there is 1 class");
  return {1 - s - s / (k - 1), s / (k - 1)};
}

void expect_labels(const Variable& logits, const Tensor& labels) {
  if (logits.rank() != 2 || labels.shape() != Shape{logits.size(0)} || labels.dtype() != Dtype::i64)
    throw ArgumentError("[cross_entropy] expects logits {N,K} and i64 labels {N}, got logits ",
                        logits.shape(), " and labels ", labels.dtype(), " ", labels.shape());
  if (logits.value().elements() == 0)
    throw ArgumentError("[cross_entropy] no rows or no classes, logits are ", logits.shape());
  if (!labels.device().is_host()) return;  // its kernels check them
  const Index* label = labels.data<Index>();
  for (Index i = 0; i < labels.elements(); ++i)
    if (label[i] < 0 || label[i] >= logits.size(1))
      throw ArgumentError("[cross_entropy] label ", label[i], " at position ", i, " is outside [0, ",
                          logits.size(1), "), the classes of logits ", logits.shape());
}

/// -1/rows sum over rows of q . y, y the rows' log probabilities, column the labels {N,1}.
Variable loss_of(const Variable& y, const Tensor& column, Target q, double rows) {
  Variable score = q.onto_label * sum(gather_last(y, column));
  if (q.onto_all != 0) score = score + q.onto_all * sum(y);
  return -score / rows;
}

/// What a loss gives: y = log_softmax(logits), the loss itself, and what is counted.
struct Entropy {
  Tensor y, loss;
  Scalar correct = 0;
};

/// By one call of a device that has one; else nothing.
std::optional<Entropy> entropy_at_once(const Variable& logits, const Tensor& labels, const Tensor* counted,
                                       Target q) {
  const Tensor& x = logits.value();
  if (x.device().is_host() || !has_derivatives(x.dtype())) return {};
  const auto room = [&](const Shape& shape, Dtype dtype) { return Tensor::empty(shape, dtype, x.device()); };
  const Dtype dtype = compute_dtype(x.dtype());
  Entropy e{room(x.shape(), dtype), room({}, dtype)};
  Tensor correct = counted != nullptr ? room({}, Dtype::f64) : Tensor();
  if (!backend_of(x, Work::norm)
           ->cross_entropy(x, {labels, q.onto_label, q.onto_all},
                           {e.y, e.loss, counted, counted != nullptr ? &correct : nullptr}))
    return {};
  if (counted != nullptr) e.correct = Scalar(correct);
  return e;
}

// The loss is -mean over rows of sum_k q_k y_k, y = log_softmax(logits), and its gradient
// (softmax(logits) - q) / N.
CountedLoss cross_entropy_of(const Variable& logits, const Tensor& labels, const Tensor* counted,
                             const CrossEntropyOptions& options) {
  expect_labels(logits, labels);
  const Target q = target(options, logits.size(1));
  const double rows = static_cast<double>(logits.size(0));
  const Tensor column = labels.reshape(Shape{labels.elements(), 1});
  std::optional<Entropy> e = entropy_at_once(logits, labels, counted, q);
  if (!e && logits.dtype() == Dtype::bf16)
    return cross_entropy_of(to(logits, Dtype::f32), labels, counted, options);
  if (!e) {
    const Tensor y = log_softmax(logits.detach()).value();
    e = Entropy{y, loss_of(y, column, q, rows).value()};
    if (counted != nullptr) e->correct = count_correct(logits.value(), *counted);
  }

  const auto backward = [q, rows, y = e->y, labels,
                         dtype = logits.dtype()](const KernelBackward& k) -> Tensors {
    if (!y.device().is_host()) {
      Tensor at_once = Tensor::empty(y.shape(), dtype, y.device());
      if (backend_of(y, Work::norm)
              ->cross_entropy_grad(y, {labels, q.onto_label, q.onto_all}, k.grad, at_once))
        return {at_once, Tensor()};
    }
    Tensor d = unary(UnaryOp::exp, y);
    if (q.onto_all != 0) d = unary(UnaryOp::add_scalar, d, -q.onto_all);
    axpby(-q.onto_label, one_hot(labels, y.size(1), y.dtype()), 1, d);
    return {unary(UnaryOp::mul_scalar, d * k.grad, 1 / rows), Tensor()};
  };
  return {fused("cross_entropy", {logits, column},
                [q, rows](const Variables& in) {
                  return loss_of(log_softmax(to(in[0], compute_dtype(in[0].dtype()))), in[1].value(), q,
                                 rows);
                },
                {.value = e->loss, .backward = backward}),
          e->correct};
}

}  // namespace

Variable cross_entropy(const Variable& logits, const Tensor& labels, const CrossEntropyOptions& options) {
  return cross_entropy_of(logits, labels, nullptr, options).loss;
}

CountedLoss counted_cross_entropy(const Variable& logits, const Tensor& labels, const Tensor& counted,
                                  const CrossEntropyOptions& options) {
  if (counted.shape() != labels.shape() || counted.dtype() != labels.dtype())
    throw ArgumentError("[counted_cross_entropy] labels are ", labels.dtype(), " ", labels.shape(),
                        ", those that count as right ", counted.dtype(), " ", counted.shape());
  return cross_entropy_of(logits, labels, &counted, options);
}

Variable mean_squared_error(const Variable& x, const Variable& y) {
  if (x.shape() != y.shape())
    throw ArgumentError("[mean_squared_error] shapes ", x.shape(), " and ", y.shape(), " differ");
  return mean(square(to(x, compute_dtype(x.dtype())) - to(y, compute_dtype(y.dtype()))));
}

}  // namespace basin
