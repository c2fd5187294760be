// The recipe that a run directory holds, and whether its checkpoint was trained by it: config.toml may have
// been edited in between.
#pragma once

#include <string>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/options/toml_file.h"
#include "apps/runs/checkpoint.h"

namespace basin::apps {

/// The entries of the config.toml of the run in `directory`. Errors: CheckpointError when there is no run, or
/// its config.toml is empty, something else, or cannot be looked at; those of read_toml().
std::vector<TomlEntry> run_entries(const std::string& directory);

/// Checks that `config`, of the run in `directory`, is the recipe that `saved` was trained by: the one in the
/// checkpoint, or for one of before that its hash. What may change between the calls of a run (threads,
/// places of files) counts for nothing. Errors: CheckpointError naming each option that differs with both
/// values.
void check_recipe(const TrainingPosition& saved, const TrainConfig& config, const std::string& directory);

/// The lines of a config.toml that the recipe consists of, in their sections: what recipe_toml() gave in the
/// version of Basin that wrote it, which may have known fewer options, or have let more of them count.
std::string recipe_lines(const std::string& toml);

}  // namespace basin::apps
