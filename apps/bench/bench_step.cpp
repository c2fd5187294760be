// `basin bench step`: images a second, and which kind of work a training step spends its time on.
#include <optional>

#include "apps/bench/bench.h"
#include "apps/bench/work_timer.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"

namespace basin::apps {
namespace {

/// The columns: kernels by kind, then what is none.
struct Part {
  std::string title;
  std::vector<Work> kinds;
};
const std::vector<Part>& kernels() {
  static const std::vector<Part> all = {
      {"conv fwd", {Work::conv_forward}},
      {"conv bwd", {Work::conv_input_grad, Work::conv_weight_grad, Work::conv_gradients}},
      {"matmul", {Work::matmul}},
      {"norm", {Work::norm}},
      {"elementwise", {Work::elementwise, Work::reduction, Work::shaping, Work::pooling}},
      {"optimizer", {Work::optimizer}}};
  return all;
}

/// Titles of the columns, in the order of Row::shares. Of a card's step the host only sees the wait for a
/// batch: it asks for one record, or for kernels that are done later.
std::vector<std::string> titles(const BenchConfig& config) {
  if (!config.device.device.is_host()) return {"loader"};
  std::vector<std::string> list;
  for (const Part& part : kernels()) list.push_back(part.title);
  list.insert(list.end(), {"loader", "other"});
  return list;
}

struct Row {
  std::string name;
  double passes = 0;
  std::vector<double> seconds{};              // a step, of each round
  std::vector<std::vector<double>> shares{};  // [column][round]
};

/// Batches for every step: one and the same, or fresh ones from a loader at work beside the training.
class Batches {
 public:
  explicit Batches(const BenchConfig& config) {
    if (config.augment == "none") {
      batch_ = bench_batch(config, config.batch_size);
      return;
    }
    loader_.emplace(std::make_shared<data::DatasetSource>(bench_images(config, 2 * config.batch_size),
                                                          data::parse_augmentation(config.augment), 1),
                    data::LoaderOptions{.batch_size = config.batch_size,
                                        .workers = static_cast<int>(config.workers),
                                        .device = config.device.device,
                                        .drawn_only = true});
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
  const std::vector<std::string> parts = titles(config);
  for (const std::string& title : parts) columns.push_back({.title = title + " %"});
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
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const double share = spread(row.shares[i]).median;
      cells.push_back(percent(share, 1));
      shares.set(parts[i], share);
    }
    table.add(std::move(cells));
    entry.set("shares", shares);
    list.append(entry);
  }
  terminal.result(table.text(terminal.unicode()));
  terminal.result(turns_line(config, "shares of a step's time"));
  Json document = turns_document(config);
  document.set("augment", config.augment).set("rules", list);
  terminal.result(document);
}

}  // namespace

ExitCode bench_step(const BenchConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  Batches batches(config);
  std::vector<std::unique_ptr<TrainingBench>> benches;
  std::vector<Row> rows;
  for (const Contender& c : contenders(config.rules.empty() ? "plain,sam" : config.rules, "")) {
    benches.push_back(std::make_unique<TrainingBench>(c, config, config.batch_size));
    rows.push_back({.name = c.name, .shares = std::vector<std::vector<double>>(titles(config).size())});
  }
  const bool on_host = config.device.device.is_host();
  WorkTimer timer;
  std::optional<WithWorkObserver> watched;
  if (on_host) watched.emplace(timer);
  for (std::int64_t round = 0; round <= config.rounds; ++round) {  // round 0 warms up
    for (std::size_t i = 0; i < benches.size(); ++i) {
      work.begin(text("round ", round, " of ", config.rounds, ": ", benches[i]->name()));
      timer.reset();
      const double waited = batches.waited();
      const TrainingBench::Time time =
          benches[i]->steps(config.steps, [&]() -> const data::Batch& { return batches.next(); });
      if (round == 0) continue;
      Row& row = rows[i];
      const auto steps = static_cast<double>(config.steps);
      row.passes = static_cast<double>(time.pass_count) / steps;
      row.seconds.push_back(time.all / steps);
      std::size_t column = 0;
      double rest = time.all;
      const auto take = [&](double seconds) {
        row.shares[column++].push_back(seconds / time.all);
        rest -= seconds;
      };
      for (const Part& part : on_host ? kernels() : std::vector<Part>{}) {
        double seconds = 0;
        for (const Work kind : part.kinds) seconds += timer.seconds(kind);
        take(seconds);
      }
      take(batches.waited() - waited);
      if (on_host) take(rest);
    }
  }
  work.done();
  show(rows, config, terminal);
  return ExitCode::success;
}

}  // namespace basin::apps
