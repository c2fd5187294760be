// `basin bench`: one of the subjects of apps/bench/, measured.
#include <algorithm>

#include "apps/bench/bench.h"
#include "apps/cli/command.h"
#include "apps/cli/long_work.h"
#include "apps/options/suggest.h"
#include "apps/training/experiment.h"
#include "apps/training/parameter_names.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

struct Subject {
  std::string name;
  ExitCode (*measure)(const BenchConfig&, Terminal&);
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = {{"rules", bench_rules},   {"step", bench_step},
                                           {"memory", bench_memory}, {"scaling", bench_scaling},
                                           {"conv", bench_conv},     {"ops", bench_ops}};
  return all;
}

std::vector<std::string> subject_names() {
  std::vector<std::string> names;
  for (const Subject& subject : subjects()) names.push_back(subject.name);
  return names;
}

const Scopes& scopes() {
  static const Scopes all = {{"rules", {"rules", "step", "memory", "scaling"}},
                             {"model", {"rules", "step", "memory", "scaling", "conv"}},
                             {"image-size", {"rules", "step", "memory", "scaling", "conv"}},
                             {"conv-algo", {"rules", "step", "memory", "scaling"}},
                             {"device", {"rules", "step", "memory"}},
                             {"augment", {"step"}},
                             {"workers", {"step"}},
                             {"rounds", {"rules", "step", "scaling", "conv", "ops"}},
                             {"steps", {"rules", "step", "scaling"}}};
  return all;
}

/// What a rule cannot do with the model shows before the first is measured.
void check_rules_of(const BenchConfig& config) {
  const auto model = build_model(config.model, {config.image_size, config.image_size, 3}, 10, 1, Dtype::f32,
                                 /*blank=*/true);
  const auto w = optim::ParameterVector::of(*model);
  for (const Contender& rule : contenders(config.rules, "")) expect_perturbed(rule.config.sharpness, w);
}

class BenchCall : public Call {
 public:
  void options(OptionTable& t) override {
    add(t, config_);
    add(t, output_);
    t.add_call("progress", toggle(output_.progress), "show progress on stderr");
  }

  void check(const OptionTable& table, const std::vector<std::string>& words) override {
    const std::string& what = words[0];
    const std::vector<std::string> names = subject_names();
    if (what.empty())
      throw UsageError("bench measures something: say ", one_of(names), " (basin bench rules)");
    const auto found = std::find(names.begin(), names.end(), what);
    if (found == names.end())
      throw UsageError("bench: unknown subject ", quote(what), "; there are ", one_of(names),
                       did_you_mean(what, names));
    subject_ = &subjects()[static_cast<std::size_t>(found - names.begin())];
    expect_in_scope("bench", scopes(), table, what);
    if (config_.rules.empty()) return;
    for (const Contender& c : contenders(config_.rules, ""))  // it names those that there are
      if (!computes_in(c, config_.device.precision))
        throw UsageError("--rules ", c.name,
                         " differentiates twice, for which bf16 has too few digits: "
                         "--precision f32 or tf32");
  }

  ExitCode run(Terminal& terminal) override {
    apply(config_.device);
    if (!config_.rules.empty()) check_rules_of(config_);
    return interruptible([&] { return subject_->measure(config_, terminal); });
  }

 private:
  const Subject* subject_ = nullptr;
  BenchConfig config_;
};

}  // namespace

Command bench_command() {
  return {"bench", "rules | step | memory | scaling | conv | ops [options]",
          "cost of gradient rules; speed of training and kernels; memory", 1, make_call<BenchCall>};
}

}  // namespace basin::apps
