// Sharpness of a subject over a range of radii: what `basin sharpness` measures, unit by unit, and how it is
// shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/cli/long_work.h"
#include "apps/lab/answer.h"
#include "apps/lab/sharpness/flatness.h"
#include "apps/lab/subject.h"
#include "apps/report/figure.h"

namespace basin::apps {

/// What is asked of a subject: the options of `basin sharpness`.
struct SharpnessQuestion {
  std::vector<double> rho = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
  optim::AscentOptions ball{};
  std::int64_t steps = 5;                // of each search
  std::int64_t starts = 2;               // searches: one from the gradient, the others from random points
  std::int64_t draws = 10;               // random perturbations; 0: none
  std::vector<double> m = {1, 32, 128};  // sizes of micro-batches; none: {}
  std::int64_t batches = 32;             // micro-batches of each size
  bool first_order = true;               // R1, which takes products with the Hessian
};

Json to_json(const SharpnessQuestion& q);

/// The measurements of all units, by name: "r0/0.05/1" (kind, rho, which start),
/// "r1/0.05/0", "random/0.05/3", "m/0.05/32" (micro-batches of 32). Those that
/// `units` has are taken from there. Errors: what a signal throws; those of the loss.
void measure(const Subject& subject, const SharpnessQuestion& q, UnitResults& units, const LongWork& work);

/// What they come to: for each rho the estimates, and the work they took.
Json summary(const SharpnessQuestion& q, const UnitResults& units);

/// The summary as tables and plots.
std::vector<Figure> figures_of(const SharpnessQuestion& q, const Json& summary);

}  // namespace basin::apps
