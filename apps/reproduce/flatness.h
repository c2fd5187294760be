// Flatness: what the laboratory measures at the weights in which a study's runs ended, and whether the
// flatter of them are the better ones.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"
#include "apps/reproduce/jobs.h"
#include "apps/reproduce/study_runs.h"

namespace basin::apps {

/// The measures, all of the cross-entropy L over the same training images for every run, small where flat:
///
///     lambda_max         the largest eigenvalue of the Hessian of L
///     trace              its trace, by Hutchinson's probes
///     lambda_max / loss  the first in units of L: where L is small, so is lambda_max, whatever the network
///     R0(rho)            the largest rise of L within the radius rho, by ascent
///     R1(rho)            the largest rho |grad L| there: GAM's flatness
const std::vector<std::string>& flatness_measures();

/// The measures at one row's weights of one run.
struct RunFlatness {
  std::string row{};
  std::uint64_t seed = 0;
  double test_accuracy = 0;      // in percent
  double loss = 0;               // L
  std::vector<double> values{};  // in the order of flatness_measures()
};

/// Measures what is missing by `basin hessian` and `basin sharpness`, into OUT/flatness/RUN/, for each row
/// whose weights are one set: of an ensemble's there are none. `runs` have ended. Errors: those of
/// run_jobs(); UsageError where OUT holds answers to another question.
std::vector<RunFlatness> measured_flatness(const Study& study, const StudyFlatness& wanted,
                                           const std::vector<StudyRun>& runs, const std::string& out,
                                           const StudyMaking& making, Terminal& terminal);

/// Each measure's mean and deviation over a row's runs.
FigureTable flatness_table(const Study& study, const StudyFlatness& wanted,
                           const std::vector<RunFlatness>& all);
/// Kendall's tau of each measure with test accuracy, over all runs, and within rows, where the difference
/// between the ways to train has no part in it. Below 0: the flatter runs are the better ones. Holm's
/// correction is over the measures.
FigureTable flatness_ranks(const Study& study, const StudyScale& scale, const std::vector<RunFlatness>& all);
/// Every figure.
FigureTable flatness_of_runs(const Study& study, const std::vector<RunFlatness>& all);

}  // namespace basin::apps
