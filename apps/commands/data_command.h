// The subcommands of `basin data`, a file each.
#pragma once

#include "apps/cli/terminal.h"
#include "apps/config/config.h"

namespace basin::apps {

/// Reads everything: a picture set is decoded, images in memory are loaded. 7 if a picture cannot be decoded.
int verify_data(const DataToolConfig& config, Terminal& terminal);
/// Writes a PNG of training images as a network sees them.
int show_data(const DataToolConfig& config, Terminal& terminal);
/// Fetches a data set from its publisher; without that says what to put where. Errors: those of
/// data::fetch().
int get_data(const DataToolConfig& config, Terminal& terminal);

}  // namespace basin::apps
