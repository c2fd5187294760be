// What the things that `basin data` does share: their configuration. Each has a file of its own.
#pragma once

#include <cstdint>
#include <string>

#include "apps/cli/terminal.h"
#include "apps/config/data.h"
#include "core/error.h"

namespace basin::apps {

/// "verify" decodes every picture, "show" draws examples as a network sees them into a PNG file, "get"
/// fetches the set data.name from its publisher into data.dir.
struct DataToolConfig {
  DataConfig data;
  std::uint64_t seed = 42;
  std::string out = "examples.png";  // of split and subset a folder
  std::int64_t count = 64;
  std::int64_t epoch = 0;
  std::int64_t epochs = 1;
  std::int64_t columns = 8;
  std::int64_t enlarge = 2;
};

/// Reads everything: a picture set is decoded, images in memory are loaded. ExitCode::check_failed if a
/// picture cannot be decoded.
ExitCode verify_data(const DataToolConfig& config, Terminal& terminal);
/// Writes a PNG of training images as a network sees them.
ExitCode show_data(const DataToolConfig& config, Terminal& terminal);
/// Writes into the folder config.out which pictures a run with the same options would take: of `what` "split"
/// train.csv without the --validation pictures, and these as val.csv; of "subset" the --subset pictures as
/// train.csv, and all test pictures as test.csv; and classes.txt. `--data list` reads them. Errors: those of
/// data::load_pictures() and choose_images(); OutputError.
ExitCode list_data(const DataToolConfig& config, const std::string& what, Terminal& terminal);
/// Fetches a data set from its publisher; without that says what to put where. Errors: those of
/// data::fetch().
ExitCode get_data(const DataToolConfig& config, Terminal& terminal);

}  // namespace basin::apps
