// Where values come from, weakest first: default, preset, file, environment, flag. This file has those that
// are texts: presets, TOML files, flags. The environment is apps/options/variables.h's.
#pragma once

#include <string>
#include <vector>

#include "apps/options/arguments.h"
#include "apps/options/options.h"
#include "apps/options/toml_file.h"

namespace basin::apps {

/// Where a call takes values from besides environment and flags, and whether it only prints what they come
/// to.
struct SourceConfig {
  std::string config;  // a TOML file
  std::string preset;
  bool print_config = false;
};

/// Adds the group "Configuration": --config, --preset, --print-config.
void add(OptionTable& table, SourceConfig& sources);

/// Takes the values of the preset, then those of the file, where they are given. Errors: those of read_toml()
/// and take_toml().
void take_sources(OptionTable& table, const SourceConfig& sources);

/// Gives options the values of TOML entries. Errors: UsageError "PLACE: ..." for an unknown section or key,
/// with a suggestion, and for a value of another kind or out of range.
void take_toml(OptionTable& table, const std::vector<TomlEntry>& entries, Source source);

/// Gives options the values that the command line has for them. Errors: those of OptionTable::assign().
void take_flags(OptionTable& table, const GivenFlags& given);

/// Gives the options that `other` has too, by TOML key and where they apply there, the values they have
/// there. `where` is the place that messages name: "runs/sam/config.toml".
void take_values(OptionTable& table, const OptionTable& other, const std::string& where);

/// Every value that is no default, with its source: "optimizer.lr = 0.2 (--lr)".
std::vector<std::string> origins_of(const OptionTable& table);

}  // namespace basin::apps
