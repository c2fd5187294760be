// `basin bench rules`: what a step of each gradient rule costs, relative to the plain one, in turns.
#include "apps/bench/bench.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/training/parameter_names.h"

namespace basin::apps {
namespace {

struct Row {
  std::string name;
  double passes = 0;                                  // a step
  std::vector<double> seconds{}, relative{}, rest{};  // of each round: a step; over plain's; outside passes
};

void show(const std::vector<Row>& rows, const BenchConfig& config, Terminal& terminal) {
  Table table({{.title = "rule", .left = true},
               {.title = "passes"},
               {.title = "ms/step"},
               {.title = "images/s"},
               {.title = "relative"},
               {.title = "range"},
               {.title = "outside passes %"}});
  Json list = Json::Array{};
  for (const Row& row : rows) {
    const Spread relative = spread(row.relative);
    const double seconds = spread(row.seconds).median, outside = spread(row.rest).median;
    table.add({row.name, fixed(row.passes, 2), fixed(1e3 * seconds, 1),
               fixed(static_cast<double>(config.batch_size) / seconds, 0), fixed(relative.median, 3),
               fixed(relative.low, 3) + " to " + fixed(relative.high, 3),
               config.device.device.is_host() ? percent(outside, 2) : "-"});
    Json entry;
    entry.set("rule", row.name).set("passes", row.passes).set("seconds", seconds);
    entry.set("relative", relative.median).set("relative_low", relative.low);
    entry.set("relative_high", relative.high);
    if (config.device.device.is_host()) entry.set("outside_passes", outside);
    list.append(entry);
  }
  terminal.result(table.text(terminal.unicode()));
  terminal.result(turns_line(config, "relative to the plain rule in the same round"));
  Json document = turns_document(config);
  document.set("rules", list);
  terminal.result(document);
}

}  // namespace

ExitCode bench_rules(const BenchConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  const data::Batch batch = bench_batch(config, config.batch_size);
  std::vector<std::unique_ptr<TrainingBench>> benches;
  std::vector<Row> rows;
  for (const Contender& c : config.rules.empty() ? contenders() : contenders(config.rules, "plain")) {
    if (config.rules.empty() && c.of_norms && !normalises(benches.front()->weights())) {
      terminal.note(text(c.name, " is left out: ", config.model.name, " has no normalisation layers"));
      continue;
    }
    if (!computes_in(c, config.device.precision)) {
      terminal.note(text(c.name, " is left out: it differentiates twice, for which bf16 has too few digits"));
      continue;
    }
    benches.push_back(std::make_unique<TrainingBench>(c, config, config.batch_size));
    rows.push_back({.name = c.name});
  }
  // Round 0 warms up and is not counted. A round is whole periods of the rules that look every tenth step.
  for (std::int64_t round = 0; round <= config.rounds; ++round) {
    double plain = 0;
    for (std::size_t i = 0; i < benches.size(); ++i) {
      work.begin(text("round ", round, " of ", config.rounds, ": ", benches[i]->name()));
      const TrainingBench::Time time = benches[i]->steps(config.steps, batch);
      if (i == 0) plain = time.all;
      if (round == 0) continue;
      const auto steps = static_cast<double>(config.steps);
      rows[i].passes = static_cast<double>(time.pass_count) / steps;
      rows[i].seconds.push_back(time.all / steps);
      rows[i].relative.push_back(time.all / plain);
      rows[i].rest.push_back((time.all - time.passes) / time.all);
    }
  }
  work.done();
  show(rows, config, terminal);
  return ExitCode::success;
}

}  // namespace basin::apps
