#include "tests/optim/problems.h"

#include <stdexcept>

#include "core/random.h"

namespace basin::optim::testing {

SmallNetwork::SmallNetwork(Device where)
    : device(where),
      init(7, Dtype::f32, where),
      first(kInputs, kHidden, init),
      norm(kHidden, init),
      dropout(0.5),
      second(kHidden, kClasses, init) {}

std::pair<Tensor, Tensor> SmallNetwork::batch(std::int64_t t) {
  Random random(11, Stream::user, 0, static_cast<std::uint64_t>(t));
  std::vector<float> x;
  std::vector<std::int64_t> y;
  for (Index i = 0; i < kRows * kInputs; ++i) x.push_back(static_cast<float>(random.normal()));
  for (Index i = 0; i < kRows; ++i) y.push_back(static_cast<std::int64_t>(random.below(kClasses)));
  return {Tensor::from(x, {kRows, kInputs}), Tensor::from(y)};
}

Objective SmallNetwork::objective(const ParameterVector& vector, std::int64_t t) {
  return [this, &vector, t](const Request& request) {
    const auto [x, y] = batch(t);
    return on(x.to(device), y.to(device), vector, t)(request);
  };
}

Objective SmallNetwork::on(const Tensor& x, const Tensor& y, const ParameterVector& vector,
                           const Scalar& step) {
  return [this, x, y, &vector, step](const Request& request) {
    const Index end = request.end < 0 ? kRows : request.end;
    nn::Context ctx{.statistics = request.pass == Pass::first ? nn::Statistics::update : nn::Statistics::hold,
                    .seed = 3,
                    .step = step};
    const Variable hidden = dropout(relu(norm(first(x.slice_rows(request.begin, end), ctx), ctx)), ctx);
    return evaluate(cross_entropy(second(hidden, ctx), y.slice_rows(request.begin, end)), vector,
                    {.norm_gradient = request.norm_gradient});
  };
}

Tensors SmallNetwork::buffers() { return state_of(*this); }

Evaluation Watched::operator()(const Request& request) {
  const std::size_t pass = passes.size();
  passes.push_back(request.pass);
  Evaluation e = inner(request);
  if (fault == Fault::none || pass != fault_pass) return e;
  const auto spoil = [&](double value) { e.gradient.view(e.gradient.elements() / 2, {1}).fill(value); };
  switch (fault) {
    case Fault::infinite_loss:
      e.loss = HUGE_VAL;
      break;
    case Fault::infinite_gradient:
      spoil(HUGE_VAL);
      break;
    case Fault::nan_gradient:
      spoil(std::nan(""));
      break;
    case Fault::exception:
      throw std::runtime_error("the objective gave up");
    case Fault::none:
      break;
  }
  return e;
}

}  // namespace basin::optim::testing
