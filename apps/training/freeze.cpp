#include "apps/training/freeze.h"

#include <algorithm>

#include "apps/training/parameter_names.h"
#include "core/error.h"
#include "core/io/glob.h"

namespace basin::apps {

Frozen freeze(const std::vector<NamedParameter>& parameters, const std::vector<std::string>& patterns) {
  std::vector<std::string> names;
  for (const NamedParameter& p : parameters) names.push_back(p.name);
  expect_parameters("freeze", patterns, names);
  Frozen frozen;
  std::vector<Variable*> constants;
  for (const NamedParameter& p : parameters) {
    if (std::none_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return glob_matches(pattern, p.name); })) {
      frozen.trained.push_back(p);
      continue;
    }
    constants.push_back(p.parameter);
    ++frozen.tensors;
    frozen.numbers += p.parameter->value().elements();
  }
  if (frozen.trained.empty()) throw UsageError("--freeze leaves no parameter to train");
  for (Variable* constant : constants) *constant = constant->detach();
  return frozen;
}

}  // namespace basin::apps
