// A solution whose channels are put in the order of another's.
#pragma once

#include <cstdint>
#include <string>

#include "apps/lab/curve/weight_matching.h"
#include "apps/lab/landscape/solution.h"
#include "apps/lab/subject.h"

namespace basin::apps {

/// `b` with its channels in the order of those of `a` (apps/lab/curve/weight_matching.h): the same function.
struct Aligned {
  Solution solution;
  MatchingReport matching;
  std::size_t classes = 0;
};
/// Errors: those of channel_symmetries() and match_weights().
Aligned aligned(Subject& subject, const Solution& a, const Solution& b, std::uint64_t seed,
                const data::Watch& watch = {});

}  // namespace basin::apps
