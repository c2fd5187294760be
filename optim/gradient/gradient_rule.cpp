#include "optim/gradient/gradient_rule.h"

#include <cstring>

#include "core/backend.h"
#include "core/ops.h"
#include "optim/geometry.h"

namespace basin::optim {
namespace {

std::vector<Scalar*> numbers_of(StepReport& r) {
  return {&r.loss, &r.perturbed_loss, &r.gradient_norm, &r.perturbed_norm, &r.direction_norm, &r.cosine,
          &r.rho,  &r.clipped,        &r.correct,       &r.finite,         &r.failed_pass};
}

}  // namespace

bool StepReport::enter(const Evaluation& pass) {
  if (!pass.gradient.defined())
    throw ArgumentError("[objective] the evaluation of pass ", passes, " has no gradient");
  const Scalar size = norm(pass.gradient);  // finite only if every entry is
  if (passes == 0) {
    loss = pass.loss;
    gradient_norm = size;
    correct = pass.correct;
    rows = pass.rows;
  } else {
    perturbed_loss = pass.loss;
    perturbed_norm = size;
  }
  const Scalar products = pass.norm_gradient.defined() ? all_finite(pass.norm_gradient) : Scalar(true);
  const Scalar sound = both(both(is_finite(pass.loss), is_finite(size)), products);
  failed_pass = select(both(finite, opposite(sound)), passes, failed_pass);
  finite = both(finite, sound);
  ++passes;
  return possibly(finite);
}

void StepReport::perturbed_only_if(const Scalar& condition) {
  perturbed_loss = select(condition, perturbed_loss, kNotMeasured);
  perturbed_norm = select(condition, perturbed_norm, kNotMeasured);
}

void StepReport::send_here() {
  if (!gathered.defined()) gather_there();
  if (gathered.defined())
    arriving = backend_of(gathered, Work::shaping)->send_home(gathered.raw(), gathered.bytes());
}

void StepReport::bring_here() {
  if (!arriving && !gathered.defined()) return basin::bring_here(numbers_of(*this));
  if (!arriving) send_here();
  const std::byte* here = arriving->wait();
  for (Scalar* x : numbers_of(*this)) {
    if (x->known()) continue;
    double number = 0;
    std::memcpy(&number, here, sizeof number);
    *x = number;
    here += sizeof number;
  }
  gathered = {};
  arriving = {};
}

void StepReport::gather_there() { gathered = basin::gathered_there(numbers_of(*this)); }

void remember(Tensor& state, const Tensor& now, const Scalar& finite) {
  if (!possibly(finite)) return;
  if (state.defined())
    assign_if(finite, now, state);
  else
    state = select(
        finite, [&] { return now.clone(); },
        [&] { return Tensor::zeros(now.shape(), now.dtype(), now.device()); });
}

Direction GradientRule::direction(const Objective& objective, ParameterVector& w, const StepInfo& now) {
  const auto expect_like_weights = [&w](const char* what, const Tensor& x) {
    if (x.defined() && (x.elements() != w.size() || x.dtype() != w.dtype()))
      throw ArgumentError("[objective] its ", what, " is ", x.dtype(), " ", x.shape(), ", the weights are ",
                          w.dtype(), " ", w.values().shape(),
                          ": evaluate the loss with the same ParameterVector");
  };
  return form(
      [&](const Request& request) {
        Evaluation e = objective(request);
        expect_like_weights("gradient", e.gradient);
        expect_like_weights("norm_gradient", e.norm_gradient);
        return e;
      },
      w, now);
}

Direction along(const Tensor& vector, const Tensor& g, StepReport report) {
  const bool same = vector.raw() == g.raw();
  report.direction_norm = same ? report.gradient_norm : norm(vector);
  report.finite = both(report.finite, is_finite(report.direction_norm));
  if (!possibly(report.finite)) return {{}, report};
  report.cosine = select(
      both(report.gradient_norm > 0, report.direction_norm > 0),
      [&] { return same ? Scalar(1) : cosine(g, report.gradient_norm, vector, report.direction_norm); },
      [] { return Scalar(kNotMeasured); });
  return {vector, report};
}

Direction clipped(Direction direction, double max_norm) {
  if (!(max_norm > 0)) throw ArgumentError("[clip] max_norm must be above 0, got ", max_norm);
  StepReport& report = direction.report;
  const Scalar is_longer = both(report.finite, report.direction_norm > max_norm);
  if (!possibly(is_longer)) return direction;
  report.clipped = select(is_longer, max_norm / report.direction_norm, 1);
  direction.vector = direction.vector * report.clipped;
  report.direction_norm = select(is_longer, max_norm, report.direction_norm);
  return direction;
}

Direction Plain::form(const Objective& objective, ParameterVector&, const StepInfo&) {
  StepReport report;
  const Evaluation here = objective({.pass = Pass::first});
  if (!report.enter(here)) return {{}, report};
  return along(here.gradient, here.gradient, report);
}

}  // namespace basin::optim
