// Rank correlation: do two numbers rise together, whatever the curve of their relation?
#pragma once

#include <cstdint>
#include <vector>

namespace basin::apps {

/// Kendall's tau-b (Kendall 1945) of the pairs (a[i], b[i]): (C - D) / sqrt((P - T_a) (P - T_b)). Of all P
/// pairs i < j, C are ordered alike by a and by b, D contrarily, T_a are tied in a and T_b in b. 1: the same
/// order; -1: the reverse one. With `groups` (one number for each i) only pairs of one group count, so that
/// what differs between the groups has no part in it. NaN where a or b orders no pair. Errors: ArgumentError
/// for samples of different lengths.
double kendall_tau(const std::vector<double>& a, const std::vector<double>& b,
                   const std::vector<std::int64_t>& groups = {});

/// Random orders that a p of tau is counted over, beside the order that was found.
constexpr std::int64_t kShuffles = 9999;

/// Two-sided p of "b has nothing to do with a": the part of kShuffles random re-orderings of b, and of the
/// order that was found, whose |tau| is as large or larger; 1 / (kShuffles + 1) at the least. With `groups`
/// b is re-ordered within each group. The k-th re-ordering has the address (0, Stream::user, k), so that
/// equal samples have equal p. NaN where tau is. Errors: as kendall_tau().
double kendall_p(const std::vector<double>& a, const std::vector<double>& b,
                 const std::vector<std::int64_t>& groups = {});

}  // namespace basin::apps
