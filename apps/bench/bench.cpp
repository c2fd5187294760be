#include "apps/bench/bench.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "apps/options/period.h"
#include "apps/training/experiment.h"
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

TrainingBench::TrainingBench(const Contender& contender, const BenchConfig& bench, std::int64_t batch_size)
    : name_(contender.name),
      config_(contender.config),
      places_(bench.device.device, bench.device.activations(), 10) {
  config_.schedule.batch_size = batch_size;
  config_.sharpness.micro_size = std::min(config_.sharpness.micro_size, batch_size);
  model_ = build_model(bench.model, {bench.image_size, bench.image_size, 3}, 10, 1, Dtype::f32,
                       /*blank=*/false, bench.device.device);
  entries_ = entries_of(*model_);
  w_ = std::make_unique<optim::ParameterVector>(entries_.parameters);
  rule_ = make_gradient_rule(config_, run_length(config_.schedule, 1));
  update_ = make_update_rule(config_.optimizer, *w_);
  graph_ = make_step_graph(bench.device);
}

TrainingBench::Time TrainingBench::steps(std::int64_t count,
                                         const std::function<const data::Batch&()>& next) {
  const Clock clock = steady_clock();
  const double begin = clock();
  Time time;
  std::deque<optim::StepReport> under_way;
  const auto settle = [&] {  // a card has made the step when its report is here
    under_way.front().bring_here();
    if (!under_way.front().finite) throw NumericalError("[bench] ", name_, ": a step was not finite");
    time.pass_count += under_way.front().passes;
    under_way.pop_front();
  };
  for (std::int64_t i = 0; i < count; ++i, ++step_) {
    const data::Batch& batch = next();
    const StepBatch here = places_.put(batch);
    const optim::StepInfo now{
        .step = step_, .lr = kRate, .rows = batch.size(), .momentum = update_->momentum()};
    optim::StepReport report =
        graph_->run(sequence_of(*rule_, here, now), now, [&](const optim::StepInfo& info) {
          BatchObjective loss(*model_, entries_, *w_, here.made(), {}, 1, info.number(optim::step_of));
          const optim::Objective objective = [&](const optim::Request& request) {
            const double entered = clock();
            optim::Evaluation e = loss(request);
            time.passes += clock() - entered;
            return e;
          };
          optim::Direction d = rule_->direction(objective, *w_, info);
          if (possibly(d.report.finite))
            d.report.finite = update_->apply(*w_, d.vector, info, d.report.direction_norm, d.report.finite);
          return d.report;
        });
    report.send_here();
    under_way.push_back(report);
    if (std::ssize(under_way) > steps_ahead(batch, w_->values().device())) settle();
  }
  while (!under_way.empty()) settle();
  time.all = clock() - begin;
  return time;
}

data::Dataset bench_images(const BenchConfig& bench, std::int64_t count) {
  return data::synthetic({.size = bench.image_size, .train = count}, 0, /*train=*/true);
}

data::Batch bench_batch(const BenchConfig& bench, std::int64_t rows) {
  data::Loader loader(bench_images(bench, rows), {}, data::one_pass(rows));
  data::Batch batch;
  loader.next(batch);
  return batch.to(bench.device.device);
}

void set_device(Json& document, const DeviceConfig& config) {
  if (config.device.is_host()) return;
  document.set("device", text(config.device)).set("precision", word_of(config.precision));
  document.set("deterministic", config.deterministic).set("graph", config.graph);
}

std::string where_text(const DeviceConfig& config) {
  return config.device.is_host() ? text(thread_count(), " threads")
                                 : text(config.device, " in ", word_of(config.precision));
}

Json turns_document(const BenchConfig& config) {
  Json document;
  document.set("model", config.model.name).set("batch_size", config.batch_size);
  document.set("threads", thread_count()).set("rounds", config.rounds).set("steps", config.steps);
  set_device(document, config.device);
  return document;
}

std::string turns_line(const BenchConfig& config, const std::string& relation) {
  return text("\n", config.model.name, ", batch ", config.batch_size, ", ", where_text(config.device),
              ", medians of ", config.rounds, " rounds of ", config.steps, " steps in turns; ", relation,
              "\n");
}

}  // namespace basin::apps
