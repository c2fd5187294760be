// BASIN_* variables as values of options: each acts, or a warning says why it does not.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/options/options.h"

namespace basin::apps {

/// BASIN_* variables by name.
using Environment = std::map<std::string, std::string>;
/// Those of this process.
Environment process_environment();

/// Gives every option that has a variable its value. Errors: those of assign().
void apply_environment(OptionTable& table, const Environment& environment);

/// The same for a command about the run in `directory`, whose recipe is in the table already: only how it is
/// run may change. A variable that says other numbers than the run's changes nothing, and `warnings` say so.
void apply_environment_to_run(OptionTable& table, const Environment& environment,
                              const std::string& directory, std::vector<std::string>& warnings);

/// One warning for each variable that is no option's of these tables, with the names near to it. BASIN_ARCH
/// is core/cpu/simd/instruction_set.h's, BASIN_CUDA_PLUGIN apps/config/cuda_plugin.h's.
std::vector<std::string> environment_warnings(const Environment& environment,
                                              const std::vector<OptionTable>& tables);

}  // namespace basin::apps
