// Do two samples differ? Student's, Welch's and exact tests, Holm's correction, sizes of effects.
#pragma once

#include <cstdint>
#include <vector>

namespace basin::apps {

/// A test of "the means are equal" against "they are not": the difference of the means with its 95 %
/// interval, and p, the probability of a |t| that is as large or larger where they are equal (two-sided).
struct MeanTest {
  double difference = 0, low = 0, high = 0;
  double t = 0, freedom = 0, p = 0;
};

/// Of mean(a) - mean(b), for samples that have nothing to do with each other and may differ in variance
/// (Welch 1947): t = difference / sqrt(u + v), u = s_a^2 / n_a, v = s_b^2 / n_b, and the degrees of freedom
/// (u + v)^2 / (u^2 / (n_a - 1) + v^2 / (n_b - 1)). NaN throughout, but for the difference, where a sample
/// has fewer than two numbers. Two samples without spread: p is 1 where they are equal, otherwise 0.
MeanTest welch_test(const std::vector<double>& a, const std::vector<double>& b);

/// Of the mean of a[i] - b[i], for pairs that share something (here: the seed, and so the first weights and
/// the order of the images): Student's t of the differences with n - 1 degrees. Otherwise as welch_test().
/// Errors: ArgumentError for samples of different lengths.
MeanTest paired_test(const std::vector<double>& a, const std::vector<double>& b);

/// The largest samples whose rearrangements are counted one by one.
constexpr std::int64_t kMostFlipped = 16, kMostPermuted = 20;

/// The exact two-sided p of the mean of `differences` (Fisher 1935): where neither of a pair is better, each
/// difference is as likely with the other sign; the part of all 2^n choices of signs whose |sum| is that of
/// the differences or larger. It needs no normal distribution, and is never below 2 / 2^n (0.0625 for five
/// pairs). NaN for none, and for more than kMostFlipped.
double sign_flip_p(const std::vector<double>& differences);

/// The exact two-sided p of mean(a) - mean(b): the part of all ways to deal the numbers out to two samples of
/// these lengths whose |difference of means| is as large or larger. NaN where a sample is empty, and for more
/// than kMostPermuted numbers in all.
double permutation_p(const std::vector<double>& a, const std::vector<double>& b);

/// Holm's correction (1979) of p values of several tests, in the order given: the chance that any of the true
/// null hypotheses is called false stays below the bound that the corrected values are held against. The k-th
/// smallest of m, from 0, becomes the largest so far of min(1, (m - k) p). NaN is no test: it stays NaN and
/// isn't counted.
std::vector<double> holm(const std::vector<double>& p);

/// Hedges' g (1981): mean(a) - mean(b) in units of the pooled deviation, times 1 - 3 / (4 (n_a + n_b) - 9),
/// which takes away the bias of few numbers. 0.2 is called small, 0.8 large. NaN for fewer than two numbers.
double hedges_g(const std::vector<double>& a, const std::vector<double>& b);

/// Cohen's d of pairs: the mean of the differences in units of their deviation. NaN for fewer than two.
double cohen_dz(const std::vector<double>& differences);

/// a[i] - b[i]. Errors: ArgumentError for samples of different lengths.
std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace basin::apps
