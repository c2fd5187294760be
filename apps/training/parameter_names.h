// Options that name parameters of a network, held against those that it has.
#pragma once

#include <string>
#include <vector>

#include "apps/config/train_config.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// Errors: UsageError for the first of `patterns` that is no parameter's name, with those near to it.
void expect_parameters(const std::string& flag, const std::vector<std::string>& patterns,
                       const std::vector<std::string>& names);

/// Whether a normalisation layer is among the parameters.
bool normalises(const optim::ParameterVector& w);

/// Errors: UsageError where --perturb moves none of the parameters that train, or a name in --perturb-names
/// is none of theirs.
void expect_perturbed(const SharpnessConfig& config, const optim::ParameterVector& w);

}  // namespace basin::apps
