// The linear assignment problem.
#pragma once

#include <cstdint>
#include <vector>

namespace basin::apps {

/// The permutation p of 0..n-1 that makes sum_i gain[i n + p(i)] largest, of a square matrix in rows: exact,
/// by shortest augmenting paths (Jonker and Volgenant 1987, in the form of Crouse 2016, without their initial
/// reductions), n^3 steps. Of several the same one is found every time: ties go to the lower column. Errors:
/// ArgumentError for a size that is not n^2, or a gain that is not finite.
std::vector<std::int64_t> best_assignment(const std::vector<double>& gain, std::int64_t n);

}  // namespace basin::apps
