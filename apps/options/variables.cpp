#include "apps/options/variables.h"

#include <unistd.h>

#include <algorithm>

#include "apps/options/suggest.h"
#include "core/error.h"

extern char** environ;

namespace basin::apps {

namespace {

/// Whether `value` would be what the option has already, however it is spelled.
bool says_the_same(const Option& option, const std::string& value) {
  const std::string before = option.binding.print();
  try {
    option.binding.assign(value);
  } catch (const ValueError&) {
    return false;
  }
  const bool same = option.binding.print() == before;
  option.binding.assign(before);
  return same;
}

}  // namespace

Environment process_environment() {
  Environment found;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string setting = *entry;
    const std::size_t equals = setting.find('=');
    if (setting.starts_with("BASIN_") && equals != std::string::npos) {
      found[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
  }
  return found;
}

void apply_environment(OptionTable& table, const Environment& environment) {
  for (Option& option : table.options()) {
    if (option.key.empty()) continue;
    const auto found = environment.find(option.variable());
    if (found != environment.end()) table.assign(option, found->second, Source::environment, found->first);
  }
}

void apply_environment_to_run(OptionTable& table, const Environment& environment,
                              const std::string& directory, std::vector<std::string>& warnings) {
  for (Option& option : table.options()) {
    if (option.key.empty()) continue;
    const auto found = environment.find(option.variable());
    if (found == environment.end()) continue;
    if (option.role != Role::recipe) {
      table.assign(option, found->second, Source::environment, found->first);
    } else if (!table.applies(option)) {
      warnings.push_back(text(found->first, " changes nothing: --", option.flag, " ", table.why_not(option)));
    } else if (!says_the_same(option, found->second)) {
      warnings.push_back(text(found->first, "=", excerpt(found->second), " changes nothing: the run in ",
                              directory, " keeps ", option.path(), " ", quote(option.binding.print())));
    }
  }
}

std::vector<std::string> environment_warnings(const Environment& environment,
                                              const std::vector<OptionTable>& tables) {
  constexpr std::string_view kPrefix = "BASIN_";
  std::vector<std::string> known = {"ARCH", "CUDA_PLUGIN"}, warnings;
  std::map<std::string, std::string> others;  // names that other programs give, and ours
  std::map<std::string, std::string> flags;   // of options without a variable, by what it would be
  for (const OptionTable& table : tables) {
    for (const Option& option : table.options()) {
      if (option.key.empty()) {
        flags[variable_of(option.flag)] = option.flag;
        continue;
      }
      const std::string own = option.variable().substr(kPrefix.size());
      if (std::find(known.begin(), known.end(), own) == known.end()) known.push_back(own);
      for (const std::string& alias : option.aliases) others[variable_of(alias)] = option.variable();
    }
  }
  for (const auto& [name, value] : environment) {
    const std::string own = name.substr(kPrefix.size());
    if (std::find(known.begin(), known.end(), own) != known.end()) continue;
    std::string hint = did_you_mean_one_of(own, known, kPrefix);
    if (const auto found = others.find(name); found != others.end()) hint = "; here it is " + found->second;
    // BASIN_EPOCH is meant for BASIN_EPOCHS, though one command has an --epoch.
    const auto flag = flags.find(name);
    const std::string near = nearest(own, known);
    if (flag != flags.end() && (near.empty() || edit_distance(own, near) > 1))
      hint = "; --" + flag->second + " is given with each call";
    warnings.push_back("the environment variable " + excerpt(name) + " names no option and changes nothing" +
                       hint);
  }
  return warnings;
}

}  // namespace basin::apps
