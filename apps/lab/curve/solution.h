// Solutions that take turns in one model: loaded from files, and one put in the order of another.
#pragma once

#include <cstdint>
#include <string>

#include "apps/lab/curve/weight_matching.h"
#include "apps/lab/landscape/slice.h"
#include "apps/lab/subject.h"

namespace basin::apps {

/// What is in the subject's model now, copied.
Solution solution_in(const Subject& subject, std::string label);
/// Puts it there; the solution keeps its numbers.
void put(const Solution& solution, Subject& subject);

/// That of another file of weights of the same model; the subject's own stays in the model. Errors:
/// CheckpointError for another model, other classes or another normalisation of images; those of
/// load_weights().
Solution other_solution(Subject& subject, std::string label, const std::string& file);

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
