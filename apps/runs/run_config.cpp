#include "apps/runs/run_config.h"

#include "apps/options/sources.h"
#include "apps/runs/recipe.h"
#include "core/error.h"

namespace basin::apps {

TrainConfig read_run_config(const std::string& directory) { return train_config_of(run_entries(directory)); }

void take_from_run(OptionTable& table, const std::string& directory) {
  TrainConfig saved = read_run_config(directory);
  take_values(table, train_options(saved), directory + "/config.toml");
}

void refuse_changes(const OptionTable& table, const std::string& directory) {
  TrainConfig saved = read_run_config(directory);
  const OptionTable before = train_options(saved);
  for (const Option& option : table.options()) {
    if (option.role != Role::recipe || option.source != Source::flag) continue;
    const std::string was = before.by_flag(option.flag)->binding.print(), is = option.binding.print();
    if (was != is) {
      throw UsageError("--", option.flag, " ", quote(is), " is not what the run in ", directory,
                       " was started with (", quote(was),
                       "); a resumed run keeps its numbers, start a new one for others");
    }
  }
}

}  // namespace basin::apps
