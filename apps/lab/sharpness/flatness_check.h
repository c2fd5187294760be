// The searches of flatness.h against a quadratic whose maxima are known.
#pragma once

#include "apps/cli/terminal.h"
#include "core/error.h"

namespace basin::apps {

/// Measures L = sum_i a_i (w_i - c_i)^2 / 2, a = (1, ..., 40), at its minimum c, for three radii: R0 = rho^2
/// max a / 2, R1 = rho^2 max a, both to 1e-6, and the mean rise of random perturbations rho^2 mean a / 2, to
/// five standard errors. Prints the table. Returns check_failed where one of them differs.
ExitCode check_flatness(Terminal& terminal);

}  // namespace basin::apps
