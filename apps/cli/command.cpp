#include "apps/cli/command.h"

#include <algorithm>

namespace basin::apps {

OptionTable Call::table() {
  OptionTable table;
  options(table);
  table.add_call("help", toggle(help_), "print this help").letter = "h";
  return table;
}

std::vector<std::string> Program::command_names() const {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  return names;
}

void expect_in_scope(const std::string& command, const Scopes& scopes, const OptionTable& table,
                     const std::string& subject) {
  for (const auto& [flag, scope] : scopes)
    if (table.by_flag(flag)->source == Source::flag &&
        std::find(scope.begin(), scope.end(), subject) == scope.end())
      throw UsageError("--", flag, " counts only for ", command, " ", one_of(scope), ", not for ", subject);
}

}  // namespace basin::apps
