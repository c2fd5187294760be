// `basin bench step`: images a second, and which kind of work a training step spends its time on.
#include <optional>

#include "apps/bench.h"
#include "apps/format.h"
#include "apps/signals.h"
#include "apps/table.h"
#include "apps/timed_backend.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

/// Kinds of work as columns; the last two are no kernels.
struct Part {
  std::string title;
  std::vector<Work> kinds;
};
const std::vector<Part>& parts() {
  static const std::vector<Part> all = {
      {"conv fwd", {Work::conv_forward}},
      {"conv bwd", {Work::conv_input_grad, Work::conv_weight_grad}},
      {"matmul", {Work::matmul}},
      {"norm", {Work::norm}},
      {"elementwise", {Work::elementwise, Work::reduction, Work::shaping, Work::pooling}},
      {"optimizer", {Work::optimizer}},
      {"loader", {}},
      {"other", {}}};
  return all;
}

struct Row {
  std::string name;
  double passes = 0;
  std::vector<double> seconds{};              // a step, of each round
  std::vector<std::vector<double>> shares{};  // [part][round]
};

/// Batches for every step: one and the same, or fresh ones from a loader at work beside the training.
class Batches {
 public:
  explicit Batches(const BenchConfig& config) {
    if (config.augment == "none") {
      batch_ = bench_batch(config, config.batch_size);
      return;
    }
    loader_.emplace(
        std::make_shared<data::DatasetSource>(bench_images(config), data::parse_augmentation(config.augment),
                                              1),
        data::LoaderOptions{.batch_size = config.batch_size, .workers = static_cast<int>(config.workers)});
  }
  const data::Batch& next() {
    if (loader_) loader_->next(batch_);
    return batch_;
  }
  double waited() const { return loader_ ? loader_->waited_seconds() : 0; }

 private:
  data::Batch batch_;
  std::optional<data::Loader> loader_;
};

void show(const std::vector<Row>& rows, const BenchConfig& config, Terminal& terminal) {
  std::vector<Table::Column> columns{
      {.title = "rule", .left = true}, {.title = "images/s"}, {.title = "range"}, {.title = "ms/step"}};
  for (const Part& part : parts()) columns.push_back({.title = part.title + " %"});
  Table table(std::move(columns));
  Json list = Json::Array{};
  const auto images = static_cast<double>(config.batch_size);
  for (const Row& row : rows) {
    const Spread s = spread(row.seconds);
    std::vector<std::string> cells{row.name, fixed(images / s.median, 0),
                                   fixed(images / s.high, 0) + " to " + fixed(images / s.low, 0),
                                   fixed(1e3 * s.median, 1)};
    Json entry, shares;
    entry.set("rule", row.name).set("passes", row.passes).set("seconds", s.median);
    entry.set("images_per_second", images / s.median).set("images_per_second_low", images / s.high);
    entry.set("images_per_second_high", images / s.low);
    for (std::size_t i = 0; i < parts().size(); ++i) {
      const double share = spread(row.shares[i]).median;
      cells.push_back(percent(share, 1));
      shares.set(parts()[i].title, share);
    }
    table.add(std::move(cells));
    entry.set("shares", shares);
    list.append(entry);
  }
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", config.model.name, ", batch ", config.batch_size, ", ", thread_count(),
                       " threads, medians of ", config.rounds, " rounds of ", config.steps,
                       " steps in turns; shares of a step's time\n"));
  Json document;
  document.set("model", config.model.name).set("batch_size", config.batch_size);
  document.set("threads", thread_count()).set("rounds", config.rounds).set("steps", config.steps);
  document.set("augment", config.augment).set("rules", list);
  terminal.result(document);
}

}  // namespace

int bench_step(const BenchConfig& config, Terminal& terminal) {
  Batches batches(config);
  std::vector<std::unique_ptr<TrainingBench>> benches;
  std::vector<Row> rows;
  for (const Contender& c : contenders(config.rules.empty() ? "plain,sam" : config.rules, "")) {
    benches.push_back(std::make_unique<TrainingBench>(c, config, config.batch_size));
    rows.push_back({.name = c.name, .shares = std::vector<std::vector<double>>(parts().size())});
  }
  WithTimedBackend with;
  for (std::int64_t round = 0; round <= config.rounds; ++round) {  // round 0 warms up
    for (std::size_t i = 0; i < benches.size(); ++i) {
      if (interruption_requested()) return interruption_exit_code();
      terminal.repaint(text("round ", round, " of ", config.rounds, ": ", benches[i]->name()));
      with.timed.reset();
      const double waited = batches.waited();
      const TrainingBench::Time time =
          benches[i]->steps(config.steps, [&]() -> const data::Batch& { return batches.next(); });
      if (round == 0) continue;
      Row& row = rows[i];
      const auto steps = static_cast<double>(config.steps);
      row.passes = static_cast<double>(time.pass_count) / steps;
      row.seconds.push_back(time.all / steps);
      double rest = time.all;
      for (std::size_t k = 0; k < parts().size(); ++k) {
        double part = 0;
        for (const Work work : parts()[k].kinds) part += with.timed.seconds(work);
        if (parts()[k].title == "loader") part = batches.waited() - waited;
        if (parts()[k].title == "other") part = rest;
        rest -= part;
        row.shares[k].push_back(part / time.all);
      }
    }
  }
  terminal.repaint("");
  show(rows, config, terminal);
  return static_cast<int>(ExitCode::success);
}

}  // namespace basin::apps
