#include "apps/bench/contenders.h"

#include <algorithm>

#include "apps/options/bindings.h"
#include "apps/options/suggest.h"
#include "core/error.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

/// The rule as it is usual, then changed.
Contender contender(const std::string& name, Sharpness kind, void (*change)(SharpnessConfig&) = nullptr,
                    bool of_norms = false) {
  Contender one{name, {}, of_norms};
  one.config.sharpness = usual(kind);
  if (change) change(one.config.sharpness);
  return one;
}

/// The plain gradient under that update rule.
Contender stepping(const std::string& name, Optimizer kind, void (*change)(OptimizerConfig&) = nullptr) {
  Contender one{name, {}};
  one.config.optimizer = usual(kind);
  if (averages_itself(kind)) one.config.schedule.kind = optim::ScheduleKind::constant;
  if (change) change(one.config.optimizer);
  return one;
}

}  // namespace

bool computes_in(const Contender& contender, Precision precision) {
  return precision != Precision::bf16 || !differentiates_twice(contender.config.sharpness);
}

std::vector<Contender> contenders() {
  return {
      contender("plain", Sharpness::none),
      contender("sam", Sharpness::sam),
      contender("asam", Sharpness::asam),
      contender("gsam", Sharpness::gsam),
      contender("gnp", Sharpness::gnp),
      contender("fsam", Sharpness::fsam),
      contender("looksam", Sharpness::looksam),
      contender("sam-interval", Sharpness::sam, [](SharpnessConfig& s) { s.every = 10; }),
      contender(
          "sam-on", Sharpness::sam, [](SharpnessConfig& s) { s.perturb = optim::Perturbed::norms; },
          /*of_norms=*/true),
      contender("m-sam", Sharpness::sam, [](SharpnessConfig& s) { s.micro = Micro::own; }),
      contender("msam", Sharpness::msam),
      contender("vasso", Sharpness::vasso),
      contender("gam", Sharpness::gam),
      contender("gam-exact", Sharpness::gam, [](SharpnessConfig& s) { s.gam_form = optim::GamForm::exact; }),
      stepping("lookahead", Optimizer::sgd, [](OptimizerConfig& o) { o.lookahead = 5; }),
      stepping("muon", Optimizer::muon),
      stepping("schedule-free-sgd", Optimizer::schedule_free_sgd),
      stepping("schedule-free-adamw", Optimizer::schedule_free_adamw),
  };
}

std::vector<Contender> contenders(const std::string& list, const std::string& first) {
  const std::vector<Contender> all = contenders();
  std::vector<std::string> names;
  for (const Contender& c : all) names.push_back(c.name);
  std::vector<Contender> chosen;
  const auto take = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw UsageError("--rules: unknown rule ", quote(name), "; there are ", one_of(names),
                       did_you_mean(name, names));
    const Contender& contender = all[static_cast<std::size_t>(found - names.begin())];
    const auto same = [&](const Contender& c) { return c.name == contender.name; };
    if (std::none_of(chosen.begin(), chosen.end(), same)) return chosen.push_back(contender);
    if (name != first) throw UsageError("--rules: ", quote(name), " is there twice");
  };
  if (!first.empty()) take(first);
  for (const std::string_view name : split(list, ',')) take(std::string(name));
  return chosen;
}

}  // namespace basin::apps
