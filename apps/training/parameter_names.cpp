#include "apps/training/parameter_names.h"

#include <algorithm>

#include "apps/options/suggest.h"
#include "apps/training/axes.h"
#include "core/error.h"
#include "core/io/glob.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

/// The first parts of the parameters' names, each with a star: what can be frozen, in a few words.
std::string layers_in_words(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> layers;
  for (const std::string& name : names) {
    const std::string layer = name.substr(0, name.find('.')) + (name.find('.') < name.size() ? ".*" : "");
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  }
  const bool all = layers.size() <= kShown;
  if (!all) layers.resize(kShown);
  std::string words;
  for (const std::string& layer : layers) words += (words.empty() ? "" : ", ") + layer;
  return words + (all ? "" : ", ...");
}

}  // namespace

void expect_parameters(const std::string& flag, const std::vector<std::string>& patterns,
                       const std::vector<std::string>& names) {
  for (const std::string& pattern : patterns)
    if (std::none_of(names.begin(), names.end(),
                     [&](const std::string& name) { return glob_matches(pattern, name); }))
      throw UsageError("--", flag, ": no parameter is called ", quote(pattern), did_you_mean(pattern, names),
                       "; this model has ", layers_in_words(names));
}

bool normalises(const optim::ParameterVector& w) {
  return std::any_of(w.segments().begin(), w.segments().end(), [](const optim::Segment& s) {
    return s.role == ParameterRole::norm_weight || s.role == ParameterRole::norm_bias;
  });
}

void expect_perturbed(const SharpnessConfig& config, const optim::ParameterVector& w) {
  if (config.kind == Sharpness::none) return;
  if (config.perturb == optim::Perturbed::norms && !normalises(w))
    throw UsageError("--perturb norms: this model has no normalisation layer that trains");
  if (config.perturb != optim::Perturbed::named) return;
  std::vector<std::string> names;
  for (const optim::Segment& s : w.segments()) names.push_back(s.name);
  expect_parameters("perturb-names", patterns(config.perturb_names), names);
}

}  // namespace basin::apps
