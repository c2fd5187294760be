// Short ways to write rows of an option table that depend on another option.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/options/options.h"

namespace basin::apps {

/// Adds options that count only where `decider` has one of `values`:
/// `Conditional of_sgd(table, "optimizer", {"sgd"}); of_sgd("dampening", "dampening", ...)`.
class Conditional {
 public:
  Conditional(OptionTable& table, std::string decider, std::vector<std::string> values)
      : table_(table), decider_(std::move(decider)), values_(std::move(values)) {}
  Option& operator()(const std::string& flag, const std::string& key, Binding binding,
                     const std::string& help) {
    return table_.add(flag, key, std::move(binding), help).only_with(decider_, values_);
  }

 private:
  OptionTable& table_;
  std::string decider_;
  std::vector<std::string> values_;
};

/// Gives an option other defaults by the value of the option `by`: `standards(rho, "sharpness", {{"asam",
/// "0.5"}})`.
inline void standards(Option& option, const std::string& by,
                      const std::vector<std::pair<std::string, std::string>>& values) {
  option.standard_by = by;
  option.standards = values;
}

/// Gives the options of the group `by` the defaults that usual(KIND) has for each kind, where they are
/// others: usual(Sharpness::asam).rho is 0.5, so --rho has it with --sharpness asam. The group's first
/// option, of the same name, is the kind. `c` is what the rows are bound to, and stays as it is.
template <class Config, class Kind>
void standards_of(OptionTable& table, const std::string& by, Config& c, const NamesOf<Kind>& kinds,
                  Config (*usual)(Kind)) {
  const Config before = c;
  for (const auto& [word, kind] : kinds) {
    c = usual(kind);
    for (Option& option : table.options()) {
      if (option.group != by || option.flag == by) continue;
      const std::string standard = option.binding.print();
      if (standard == option.standard) continue;
      option.standard_by = by;
      option.standards.emplace_back(word, standard);
    }
  }
  c = before;
}

}  // namespace basin::apps
