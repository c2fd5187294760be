// The slice that a call of `basin landscape` asks for.
#pragma once

#include <string>
#include <vector>

#include "apps/lab/landscape/eigen_axes.h"
#include "apps/lab/landscape/landscape_config.h"
#include "apps/lab/landscape/slice.h"
#include "apps/lab/subject.h"

namespace basin::apps {

/// A file of weights and what a picture calls it.
struct NamedWeights {
  std::string label{}, file{};
};

/// The solutions of a plane: of each of `runs` its --weights, named by its directory; or of one run the words
/// of --solutions. Errors: UsageError for neither; those of weights_file().
std::vector<NamedWeights> plane_solutions(const std::vector<std::string>& runs, const std::string& weights,
                                          const std::string& words);

/// The weights of a run along its training, in order: the members of its ensemble, or the checkpoints that
/// --keep left; the end of the training is not among them. Errors: CheckpointError for none of both.
std::vector<NamedWeights> trajectory_of(const std::string& run);

/// `weights`: those of plane_solutions() for Directions::plane, of trajectory_of() for Directions::pca, else
/// none; `axes` is for Directions::eigen. Errors: UsageError for a slice that there is not; those of
/// slice_along_eigenvectors().
Slice choose_slice(Subject& subject, const LandscapeConfig& config, std::uint64_t seed,
                   const std::vector<NamedWeights>& weights, const AxesWork& axes);

}  // namespace basin::apps
