// `basin bench scaling`: speed over threads and batch sizes. `basin bench memory`: what a step needs at its
// peak.
#include <sys/resource.h>

#include <algorithm>
#include <fstream>

#include "apps/bench/bench.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/config/cuda_plugin.h"
#include "apps/runs/environment.h"
#include "core/cpu/memory/arena.h"
#include "core/io/utf8.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

/// --batch-size and its halves, down to an eighth, smallest first.
std::vector<std::int64_t> batch_sizes(std::int64_t largest) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t size = largest; size >= 1 && 8 * size >= largest; size /= 2) sizes.push_back(size);
  std::reverse(sizes.begin(), sizes.end());
  return sizes;
}

/// 1, 2, 4, ... and `most`.
std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

/// Bytes of physical memory that this process held at most, since it began or since forget_peak().
std::int64_t peak_resident() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

/// Where the system does not allow it, the peak stays that of the whole process: rows are in rising order.
void forget_peak(Device device) {
  if (!device.is_host()) return cuda_plugin().plugin->forget_peak(device.index);
  cpu::arena().trim();
  cpu::arena().forget_peak();
  std::ofstream("/proc/self/clear_refs") << 5;
}

/// Bytes since forget_peak(): of tensors at their peak, and of all the process, or of what it holds of a
/// card.
struct Needed {
  std::int64_t tensors, whole;
};
Needed needed(Device device) {
  if (device.is_host())
    return {static_cast<std::int64_t>(cpu::arena().statistics().peak_in_use), peak_resident()};
  const cuda::MemoryUse use = cuda_plugin().plugin->memory(device.index);
  return {static_cast<std::int64_t>(use.peak), static_cast<std::int64_t>(use.held)};
}

}  // namespace

ExitCode bench_scaling(const BenchConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  const std::vector<int> threads = thread_counts(thread_count());
  const std::vector<std::int64_t> sizes = batch_sizes(config.batch_size);
  const std::vector<Contender> rules = contenders(config.rules.empty() ? "plain" : config.rules, "");
  if (rules.size() > 1)
    throw UsageError("bench scaling measures one rule, --rules ", excerpt(config.rules), " names more");
  const Contender& rule = rules.front();

  struct Cell {
    int threads;
    data::Batch batch;
    TrainingBench bench;
    std::vector<double> rates{};  // images a second, of each round
  };
  std::vector<Cell> cells;
  for (const std::int64_t size : sizes) {
    const data::Batch batch = bench_batch(config, size);
    for (const int count : threads) cells.push_back({count, batch, TrainingBench(rule, config, size)});
  }
  for (std::int64_t round = 0; round <= config.rounds; ++round) {
    for (Cell& cell : cells) {
      work.begin(text("round ", round, " of ", config.rounds, ": batch ", cell.batch.size(), ", ",
                      cell.threads, " threads"));
      const WithThreads with(cell.threads);
      const double seconds = cell.bench.steps(config.steps, cell.batch).all;
      if (round > 0) cell.rates.push_back(static_cast<double>(config.steps * cell.batch.size()) / seconds);
    }
  }
  work.done();

  Table table({{.title = "batch"},
               {.title = "threads"},
               {.title = "images/s"},
               {.title = "range"},
               {.title = "over one thread"}});
  Json list = Json::Array{};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    const Cell& single = cells[i / threads.size() * threads.size()];
    const Spread s = spread(cell.rates);
    std::vector<double> gains;  // in the same round
    for (std::size_t r = 0; r < cell.rates.size(); ++r) gains.push_back(cell.rates[r] / single.rates[r]);
    const double gain = spread(gains).median;
    table.add({std::to_string(cell.batch.size()), std::to_string(cell.threads), fixed(s.median, 0),
               fixed(s.low, 0) + " to " + fixed(s.high, 0), fixed(gain, 2)});
    Json entry;
    entry.set("batch_size", cell.batch.size()).set("threads", cell.threads);
    entry.set("images_per_second", s.median).set("images_per_second_low", s.low);
    entry.set("images_per_second_high", s.high).set("over_one_thread", gain);
    list.append(entry);
  }
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", config.model.name, ", rule ", rule.name, ", medians of ", config.rounds,
                       " rounds of ", config.steps, " steps in turns\n"));
  Json document;
  document.set("model", config.model.name).set("rule", rule.name).set("rounds", config.rounds);
  document.set("steps", config.steps).set("rows", list);
  terminal.result(document);
  return ExitCode::success;
}

ExitCode bench_memory(const BenchConfig& config, Terminal& terminal) {
  const LongWork work(terminal);
  const Device device = config.device.device;
  Table table({{.title = "rule", .left = true},
               {.title = "batch"},
               {.title = "weights"},
               {.title = "tensors at peak"},
               {.title = "an image"},
               {.title = device.is_host() ? "process at peak" : "held of the card"}});
  Json list = Json::Array{};
  for (const Contender& rule : contenders(config.rules.empty() ? "plain,sam" : config.rules, "")) {
    for (const std::int64_t size : batch_sizes(config.batch_size)) {
      work.begin(text(rule.name, ", batch ", size));
      const data::Batch batch = bench_batch(config, size);
      forget_peak(device);  // the images that the batch was taken from do not count
      TrainingBench bench(rule, config, size);
      bench.steps(2, batch);  // a rule's state is there from the second on
      const std::int64_t weights = 4 * bench.weights().size();
      const auto [tensors, whole] = needed(device);
      const std::int64_t per_image = std::max<std::int64_t>(0, tensors - weights) / size;
      table.add({rule.name, std::to_string(size), bytes_text(weights), bytes_text(tensors),
                 bytes_text(per_image), bytes_text(whole)});
      Json entry;
      entry.set("rule", rule.name).set("batch_size", size).set("weights", weights);
      entry.set("tensors_peak", tensors).set(device.is_host() ? "resident_peak" : "held", whole);
      list.append(entry);
    }
  }
  work.done();
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", config.model.name, ", ", where_text(config.device),
                       ", two steps each; an image: tensors without the weights, over the batch\n"));
  Json document;
  document.set("model", config.model.name).set("threads", thread_count());
  set_device(document, config.device);
  document.set("rows", list);
  terminal.result(document);
  return ExitCode::success;
}

}  // namespace basin::apps
