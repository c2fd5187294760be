#include "apps/freeze.h"

#include <algorithm>

#include "apps/options.h"
#include "apps/suggest.h"
#include "core/error.h"
#include "core/glob.h"

namespace basin::apps {
namespace {

/// The first parts of the parameters' names, each with a star: what can be frozen, in a few words.
std::string layers_in_words(const std::vector<NamedParameter>& parameters) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> layers;
  for (const NamedParameter& p : parameters) {
    const std::string layer =
        p.name.substr(0, p.name.find('.')) + (p.name.find('.') < p.name.size() ? ".*" : "");
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  }
  const bool all = layers.size() <= kShown;
  if (!all) layers.resize(kShown);
  std::string words;
  for (const std::string& layer : layers) words += (words.empty() ? "" : ", ") + layer;
  return words + (all ? "" : ", ...");
}

}  // namespace

Frozen freeze(const std::vector<NamedParameter>& parameters, const std::vector<std::string>& patterns) {
  std::vector<std::string> names;
  for (const NamedParameter& p : parameters) names.push_back(p.name);
  for (const std::string& pattern : patterns)
    if (std::none_of(names.begin(), names.end(),
                     [&](const std::string& name) { return glob_matches(pattern, name); }))
      throw UsageError("--freeze: no parameter is called ", quote(pattern), did_you_mean(pattern, names),
                       "; this model has ", layers_in_words(parameters));
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
