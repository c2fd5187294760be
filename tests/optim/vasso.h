// VaSSO, a gradient rule in a file of one's own: docs/write-your-own-rule.md goes through it.
#pragma once

#include "core/ops.h"
#include "optim/gradient/ascent.h"
#include "optim/gradient/gradient_rule.h"
#include "optim/gradient/radius.h"
#include "optim/perturbation.h"

namespace mine {

using namespace basin;
using namespace basin::optim;

/// Li and Giannakis 2023, "Enhancing Sharpness-Aware Optimization Through Variance Suppression": climb along
/// the running mean of gradients, d <- (1 - theta) d + theta g (d = g at first), and descend along the
/// gradient found there. theta = 1 is SAM. State: "d" {d}.
class Vasso : public GradientRule {
 public:
  Vasso(double rho, double theta, const RadiusSchedule& schedule = {})
      : radius_("vasso", rho, schedule), theta_(theta) {
    if (!(theta > 0 && theta <= 1)) throw ArgumentError("[vasso] theta must be in (0, 1], got ", theta);
  }
  const char* name() const override { return "vasso"; }
  void describe(Inventory& it) override { it.buffer("d", d_); }

 protected:
  Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) override {
    StepReport report;
    report.rho = radius_(now);
    const Evaluation here = objective({.pass = Pass::first, .true_gradient = true});
    if (!report.enter(here)) return {{}, report};

    const Tensor d = d_.defined() ? combination(1 - theta_, d_, theta_, here.gradient) : here.gradient;
    Tensor g_s = here.gradient;
    if (const Climb e = ascent_(w, d, report.rho)) {
      Perturbation moved(w, e.vector, e.scale);
      const Evaluation there = objective({.pass = Pass::repeat});
      if (!report.enter(there)) return {{}, report};
      g_s = there.gradient;
    }
    Direction result = along(g_s, here.gradient, report);
    remember(d_, d, result.report.finite);
    return result;
  }

 private:
  Radius radius_;
  Ascent ascent_{"vasso", {}};
  double theta_;
  Tensor d_;
};

}  // namespace mine
