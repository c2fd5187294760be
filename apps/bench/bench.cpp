// See bench.h; and the choice of the subject.
#include "apps/bench/bench.h"

#include <algorithm>

#include "apps/cli/bindings.h"
#include "apps/cli/cli.h"
#include "apps/cli/long_work.h"
#include "apps/cli/period.h"
#include "apps/cli/suggest.h"
#include "apps/commands/commands.h"
#include "apps/training/experiment.h"
#include "apps/training/parameter_names.h"
#include "core/parallel.h"
#include "data/sets/synthetic.h"

namespace basin::apps {

Spread spread(std::vector<double> values) {
  if (values.empty()) throw ArgumentError("[bench] no rounds to take the median of");
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return {n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2, values.front(),
          values.back()};
}

std::vector<Contender> contenders() {
  return {
      {"plain", {}},
      {"sam", {"--sharpness", "sam"}},
      {"asam", {"--sharpness", "asam"}},
      {"gsam", {"--sharpness", "gsam"}},
      {"gnp", {"--sharpness", "gnp"}},
      {"fsam", {"--sharpness", "fsam"}},
      {"looksam", {"--sharpness", "looksam"}},
      {"sam-interval", {"--sharpness", "sam", "--every", "10"}},
      {"sam-on", {"--sharpness", "sam", "--perturb", "norms"}, /*of_norms=*/true},
      {"m-sam", {"--sharpness", "sam", "--micro", "own"}},
      {"msam", {"--sharpness", "msam"}},
      {"gam", {"--sharpness", "gam"}},
      {"gam-exact", {"--sharpness", "gam", "--gam-form", "exact"}},
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

TrainingBench::TrainingBench(const Contender& contender, const BenchConfig& bench, std::int64_t batch_size)
    : name_(contender.name) {
  config_ = parse_train(contender.options, {}).config;
  config_.schedule.batch_size = batch_size;
  config_.sharpness.micro_size = std::min(config_.sharpness.micro_size, batch_size);
  model_ = build_model(bench.model, {bench.image_size, bench.image_size, 3}, 10, 1, Dtype::f32);
  entries_ = entries_of(*model_);
  w_ = std::make_unique<optim::ParameterVector>(entries_.parameters);
  rule_ = make_gradient_rule(config_, 1);
  update_ = make_update_rule(config_.optimizer, *w_);
}

TrainingBench::Time TrainingBench::steps(std::int64_t count,
                                         const std::function<const data::Batch&()>& next) {
  const Clock clock = steady_clock();
  Time time;
  for (std::int64_t i = 0; i < count; ++i, ++step_) {
    const double begin = clock();
    const data::Batch& batch = next();
    BatchObjective loss(*model_, entries_, *w_, batch, Dtype::f32, {}, 1, step_);
    const optim::Objective objective = [&](const optim::Request& request) {
      const double entered = clock();
      optim::Evaluation e = loss(request);
      time.passes += clock() - entered;
      return e;
    };
    const optim::Direction d = rule_->direction(
        objective, *w_, {.step = step_, .lr = kRate, .rows = batch.size(), .momentum = update_->momentum()});
    if (!d.report.finite) throw NumericalError("[bench] ", name_, ": a step was not finite");
    update_->apply(*w_, d.vector, kRate, d.report.direction_norm);
    time.all += clock() - begin;
    time.pass_count += d.report.passes;
  }
  return time;
}

data::Dataset bench_images(const BenchConfig& bench, std::int64_t count) {
  return data::synthetic({.size = bench.image_size, .train = count}, 0, /*train=*/true);
}

data::Batch bench_batch(const BenchConfig& bench, std::int64_t rows) {
  data::Loader loader(
      std::make_shared<data::DatasetSource>(bench_images(bench, rows), data::Augmentation{}, 1),
      data::one_pass(rows));
  data::Batch batch;
  loader.next(batch);
  return batch;
}

Json turns_document(const BenchConfig& config) {
  Json document;
  document.set("model", config.model.name).set("batch_size", config.batch_size);
  document.set("threads", thread_count()).set("rounds", config.rounds).set("steps", config.steps);
  return document;
}

std::string turns_line(const BenchConfig& config, const std::string& relation) {
  return text("\n", config.model.name, ", batch ", config.batch_size, ", ", thread_count(),
              " threads, medians of ", config.rounds, " rounds of ", config.steps, " steps in turns; ",
              relation, "\n");
}

namespace {

using Subject = int (*)(const BenchConfig&, Terminal&);
const std::vector<std::pair<std::string, Subject>>& subjects() {
  static const std::vector<std::pair<std::string, Subject>> all = {
      {"rules", bench_rules},     {"step", bench_step}, {"memory", bench_memory},
      {"scaling", bench_scaling}, {"conv", bench_conv}, {"ops", bench_ops}};
  return all;
}

}  // namespace

const std::vector<std::string>& bench_subjects() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& [name, subject] : subjects()) list.push_back(name);
    return list;
  }();
  return names;
}

namespace {

/// What a rule cannot do with the model shows before the first is measured.
void check_rules_of(const BenchConfig& config) {
  const auto model = build_model(config.model, {config.image_size, config.image_size, 3}, 10, 1, Dtype::f32,
                                 /*blank=*/true);
  const auto w = optim::ParameterVector::of(*model);
  for (const Contender& rule : contenders(config.rules, ""))
    expect_perturbed(parse_train(rule.options, {}).config.sharpness, w);
}

}  // namespace

int bench_command(const BenchConfig& config, Terminal& terminal) {
  apply(config.device);
  if (!config.rules.empty()) check_rules_of(config);
  for (const auto& [name, subject] : subjects())
    if (name == config.what) return interruptible([&] { return subject(config, terminal); });
  throw InternalError("[bench] the command line let the subject ", quote(config.what), " pass");
}

}  // namespace basin::apps
