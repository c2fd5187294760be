// Numbers on a device: computed there by programs, or as tensors {} of f64, by the ops that tensors have.
#include "core/scalar.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/ops.h"
#include "core/scalar_program.h"

namespace basin {

struct Scalar::There {
  Device device;
  Tensor value;  // {} f64; undefined while the number waits: op(operands)
  ScalarOp op = ScalarOp::add;
  std::vector<Scalar> operands;

  bool waits() const { return !value.defined(); }
};

namespace {

thread_local NumbersWait* current = nullptr;

/// The same by the ops of tensors.
Tensor by_tensors(ScalarOp op, const Tensor& x, const std::vector<Scalar>& all) {
  const auto binary_op = [&](BinaryOp known) { return binary(known, x, all[1].tensor(x.device())); };
  switch (op) {
    case ScalarOp::add:
      return binary_op(BinaryOp::add);
    case ScalarOp::sub:
      return binary_op(BinaryOp::sub);
    case ScalarOp::mul:
      return binary_op(BinaryOp::mul);
    case ScalarOp::div:
      return binary_op(BinaryOp::div);
    case ScalarOp::minimum:
      return binary_op(BinaryOp::minimum);
    case ScalarOp::maximum:
      return binary_op(BinaryOp::maximum);
    case ScalarOp::greater:
      return binary_op(BinaryOp::greater);
    case ScalarOp::greater_equal:
      return binary_op(BinaryOp::greater_equal);
    case ScalarOp::equal:
      return binary_op(BinaryOp::equal);
    case ScalarOp::sqrt:
      return unary(UnaryOp::sqrt, x);
    case ScalarOp::abs:
      return unary(UnaryOp::abs, x);
    case ScalarOp::pow:
      return unary(UnaryOp::pow_scalar, x, all[1].value());
    case ScalarOp::select:
      return where(x, all[1].tensor(x.device()), all[2].tensor(x.device()));
  }
  return {};
}

/// What waiting numbers are made of and wait for too, each behind its operands: the steps of one program.
class Steps {
 public:
  void add(const std::shared_ptr<Scalar::There>& number) {
    if (!number->waits() || place(number) < steps_.size()) return;
    for (const Scalar& x : number->operands)
      if (!x.known()) add(x.there());
    steps_.push_back(number);
  }

  bool fit() const {
    std::size_t inputs = 0;
    for_operands([&](const Scalar& x) { inputs += is_input(x); });
    return steps_.size() <= ScalarProgram::kMostSteps && inputs <= ScalarProgram::kMostInputs;
  }

  void compute() const {
    if (steps_.empty()) return;
    ScalarProgram program;
    for_operands([&](const Scalar& x) {
      if (is_input(x)) program.inputs.push_back(x);
    });
    std::size_t next_input = 0;
    for (const auto& step : steps_) {
      std::array<std::size_t, 3> at{};
      for (std::size_t i = 0; i < step->operands.size(); ++i) {
        const Scalar& x = step->operands[i];
        at[i] = is_input(x) ? next_input++ : program.inputs.size() + place(x.there());
      }
      program.steps.push_back({step->op, static_cast<unsigned char>(at[0]), static_cast<unsigned char>(at[1]),
                               static_cast<unsigned char>(at[2])});
    }
    Tensor results = Tensor::empty({static_cast<Index>(steps_.size())}, Dtype::f64, steps_.front()->device);
    backend_of(results, Work::elementwise)->run(program, results);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      steps_[i]->value = results.view(static_cast<Index>(i), Shape{});
      steps_[i]->operands.clear();
    }
  }

 private:
  static bool is_input(const Scalar& x) { return x.known() || !x.there()->waits(); }
  std::size_t place(const std::shared_ptr<Scalar::There>& number) const {
    return static_cast<std::size_t>(std::find(steps_.begin(), steps_.end(), number) - steps_.begin());
  }
  template <class F>
  void for_operands(const F& f) const {
    for (const auto& step : steps_)
      for (const Scalar& x : step->operands) f(x);
  }

  std::vector<std::shared_ptr<Scalar::There>> steps_;
};

/// Has the numbers computed, in as few programs as they fit into.
void compute(const std::vector<std::shared_ptr<Scalar::There>>& numbers) {
  Steps some;
  for (const auto& number : numbers) {
    Steps more = some;
    more.add(number);
    if (!more.fit()) {
      some.compute();
      more = {};
      more.add(number);
    }
    some = more;
  }
  some.compute();
}

std::vector<std::shared_ptr<Scalar::There>> those_there(const std::vector<Scalar*>& numbers) {
  std::vector<std::shared_ptr<Scalar::There>> all;
  for (const Scalar* x : numbers)
    if (!x->known()) all.push_back(x->there());
  return all;
}

}  // namespace

Scalar::Scalar(const Tensor& x) {
  if (x.elements() != 1 || x.device().is_host())
    number_ = x.item();
  else
    there_ = std::make_shared<There>(There{x.device(), x.to(Dtype::f64).reshape(Shape{}), {}, {}});
}

Scalar Scalar::computed(ScalarOp op, const std::vector<Scalar>& operands) {
  const auto unknown =
      std::find_if(operands.begin(), operands.end(), [](const Scalar& x) { return !x.known(); });
  const Device device = unknown->device();
  if (!backend(device).runs_programs())
    return Scalar(by_tensors(op, operands.front().tensor(device), operands));
  Scalar result(0);
  result.there_ = std::make_shared<There>(There{device, {}, op, operands});
  Steps steps;
  steps.add(result.there_);
  if (!steps.fit()) {
    for (const Scalar& x : operands)
      if (!x.known()) compute({x.there_});
  }
  if (current != nullptr)
    current->waiting_.push_back(result.there_);
  else
    compute({result.there_});
  return result;
}

Device Scalar::device() const { return known() ? Device{} : there_->device; }

Tensor Scalar::tensor(Device device) const {
  if (known()) return Tensor::scalar(number_, Dtype::f64, device);
  compute({there_});
  return there_->value;
}

double Scalar::brought_here() const { return tensor({}).to(Device{}).item(); }

NumbersWait::NumbersWait() : before_(current) { current = this; }
NumbersWait::~NumbersWait() { current = before_; }

void NumbersWait::finish() {
  std::vector<std::shared_ptr<Scalar::There>> held;
  for (const auto& number : waiting_)
    if (auto there = number.lock()) held.push_back(std::move(there));
  waiting_.clear();
  compute(held);
}

Tensor gathered_there(const std::vector<Scalar*>& numbers) {
  const auto away = those_there(numbers);
  if (away.empty()) return {};
  compute(away);
  Tensors parts;
  for (const auto& there : away) parts.push_back(there->value.reshape(Shape{1}));
  return concat(parts, 0);
}

void bring_here(const std::vector<Scalar*>& numbers) {
  const Tensor all = gathered_there(numbers);
  if (!all.defined()) return;
  const std::vector<double> here = all.to(Device{}).to_vector<double>();
  std::size_t next = 0;
  for (Scalar* x : numbers)
    if (!x->known()) *x = here[next++];
}

namespace scalar_detail {

ScalarOp code(const std::plus<>&) { return ScalarOp::add; }
ScalarOp code(const std::minus<>&) { return ScalarOp::sub; }
ScalarOp code(const std::multiplies<>&) { return ScalarOp::mul; }
ScalarOp code(const std::divides<>&) { return ScalarOp::div; }
ScalarOp code(const std::greater<>&) { return ScalarOp::greater; }
ScalarOp code(const std::greater_equal<>&) { return ScalarOp::greater_equal; }
ScalarOp code(const std::equal_to<>&) { return ScalarOp::equal; }

}  // namespace scalar_detail

Scalar sqrt(const Scalar& a) {
  return a.known() ? Scalar(std::sqrt(a.value())) : Scalar::computed(ScalarOp::sqrt, {a});
}
Scalar abs(const Scalar& a) {
  return a.known() ? Scalar(std::abs(a.value())) : Scalar::computed(ScalarOp::abs, {a});
}
Scalar pow(const Scalar& a, double power) {
  return a.known() ? Scalar(std::pow(a.value(), power)) : Scalar::computed(ScalarOp::pow, {a, power});
}

Scalar min(const Scalar& a, const Scalar& b) {
  if (!a.known() || !b.known()) return Scalar::computed(ScalarOp::minimum, {a, b});
  const double x = a.value(), z = b.value();
  return std::isnan(x) || std::isnan(z) ? x + z : std::min(x, z);
}

Scalar max(const Scalar& a, const Scalar& b) {
  if (!a.known() || !b.known()) return Scalar::computed(ScalarOp::maximum, {a, b});
  const double x = a.value(), z = b.value();
  return std::isnan(x) || std::isnan(z) ? x + z : std::max(x, z);
}

Scalar is_finite(const Scalar& a) {
  return a.known() ? Scalar(std::isfinite(a.value())) : a - a == 0;  // NaN where a is infinite or NaN
}

Scalar both(const Scalar& a, const Scalar& b) {
  if (!possibly(a) || !possibly(b)) return 0;
  if (certainly(a)) return b;
  return certainly(b) ? a : Scalar::computed(ScalarOp::minimum, {a, b});
}

Scalar either(const Scalar& a, const Scalar& b) { return opposite(both(opposite(a), opposite(b))); }
Scalar opposite(const Scalar& condition) { return condition == 0; }

Scalar select(const Scalar& condition, const Scalar& a, const Scalar& b) {
  if (condition.known()) return condition.value() != 0 ? a : b;
  return Scalar::computed(ScalarOp::select, {condition, a, b});
}

Tensor select(const Scalar& condition, const Tensor& x, const Tensor& y) {
  if (condition.known()) return condition.value() != 0 ? x : y;
  const Tensor mask = condition.tensor(x.device());
  if (has_derivatives(x.dtype())) return where(mask.to(x.dtype()), x, y);
  return where(mask, x.to(Dtype::f64), y.to(Dtype::f64)).to(x.dtype());  // counters
}

}  // namespace basin
