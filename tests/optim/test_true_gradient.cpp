// Which passes ask for the true gradient of a model that trains along another one on purpose: those whose
// gradient is climbed along or compared.
#include <doctest/doctest.h>

#include "optim/gradient/gam.h"
#include "optim/gradient/micro_batches.h"
#include "optim/gradient/sam_family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// Request::true_gradient of each pass of one step, 't' or '-'.
std::string asked(GradientRule& rule, std::int64_t step = 0) {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Tensor momentum = Tensor::from(Numbers{1, 1});
  std::string seen;
  const Objective objective = [&](const Request& request) {
    seen += request.true_gradient ? 't' : '-';
    return q.objective(w)(request);
  };
  CHECK(rule.direction(objective, w, {.step = step, .lr = 0.1, .rows = 4, .momentum = &momentum})
            .report.finite);
  return seen;
}

std::string asked(GradientRule&& rule, std::int64_t step = 0) { return asked(rule, step); }

}  // namespace

TEST_CASE("true gradients: SAM climbs along one and descends along the usual") {
  CHECK(asked(Plain()) == "-");
  CHECK(asked(Sam({.rho = 0.05})) == "t-");
  CHECK(asked(Sam({.rho = 0})) == "-");
  CHECK(asked(Sam(k_step_sam(0.05, 3))) == "ttt-");
  CHECK(asked(Sam({.rho = 0.05, .every = 2}), 0) == "t-");
  CHECK(asked(Sam({.rho = 0.05, .every = 2}), 1) == "-");
  CHECK(asked(Sam(msam(0.05))) == "-");  // climbs along the momentum
  MicroBatches parts([] { return std::make_unique<Sam>(SamOptions{.rho = 0.05}); }, 2, 4);
  CHECK(asked(parts) == "t-t-");
}

TEST_CASE("true gradients: GAM takes differences and Hessian products of them") {
  CHECK(asked(Gam({.form = GamForm::paper})) == "tttt");
  CHECK(asked(Gam({.form = GamForm::differences})) == "tttt");
  CHECK(asked(Gam({.form = GamForm::exact})) == "tt");
  CHECK(asked(Gam({.form = GamForm::exact, .with_sam = true})) == "t-t");
  CHECK(asked(Gam({.rho = 0})) == "-");
}

TEST_CASE("true gradients: an objective in micro-batches asks for each part what it is asked for") {
  std::string seen;
  const Objective parts = accumulated(
      [&](const Request& request) {
        seen += request.true_gradient ? 't' : '-';
        return Evaluation{.gradient = Tensor::zeros({2})};
      },
      4, 2);
  parts({.true_gradient = true});
  parts({});
  CHECK(seen == "tt--");
}

}  // namespace basin::optim::testing
