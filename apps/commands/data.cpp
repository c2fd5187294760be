// `basin data`: a data set looked at, or fetched, before anything is trained on it.
#include "apps/commands/commands.h"
#include "apps/commands/data_command.h"

namespace basin::apps {

int data_command(const DataToolConfig& config, Terminal& terminal) {
  if (config.what == "verify") return verify_data(config, terminal);
  if (config.what == "show") return show_data(config, terminal);
  return get_data(config, terminal);
}

}  // namespace basin::apps
