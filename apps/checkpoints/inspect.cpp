// What a file of tensors says it is, and what its numbers amount to.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "apps/checkpoints/checkpoint_tools.h"
#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/environment.h"
#include "apps/weights/identity.h"
#include "apps/weights/weight_file.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

/// What numbers amount to; of no numbers the extremes are not there.
struct Sums {
  std::int64_t tensors = 0, numbers = 0, bytes = 0, not_finite = 0;
  double squares = 0;
  double smallest = std::numeric_limits<double>::infinity(), largest = -smallest;

  void add(const ArchiveTensor& header, const Tensor& read) {
    ++tensors;
    bytes += static_cast<std::int64_t>(header.bytes);
    const Tensor values = read.to(Dtype::f64);
    const double* x = values.data<double>();
    for (Index i = 0; i < values.elements(); ++i) {
      ++numbers;
      if (!std::isfinite(x[i])) {
        ++not_finite;
        continue;
      }
      squares += x[i] * x[i];
      smallest = std::min(smallest, x[i]);
      largest = std::max(largest, x[i]);
    }
  }
  bool any() const { return numbers > not_finite; }
};

void show(const std::string& name, const std::string& kind, const Sums& sums, Table& table, Json& rows) {
  const auto number = [&](double x) { return sums.any() ? significant(x, 5) : ""; };
  table.add({name, kind, grouped(sums.numbers), bytes_text(sums.bytes), number(std::sqrt(sums.squares)),
             number(sums.smallest), number(sums.largest),
             sums.not_finite > 0 ? grouped(sums.not_finite) : ""});
  Json row;
  row.set("name", name).set("kind", kind).set("tensors", sums.tensors).set("numbers", sums.numbers);
  row.set("bytes", sums.bytes).set("norm", recorded(std::sqrt(sums.squares)));
  row.set("smallest", sums.any() ? recorded(sums.smallest) : Json());
  row.set("largest", sums.any() ? recorded(sums.largest) : Json());
  rows.append(row.set("not_finite", sums.not_finite));
}

/// "step 120 (epoch 3, batch 8), 7,680 images seen, seed 7" and what it is of.
std::string in_words(const TrainingPosition& p) {
  std::string words =
      text("position  step ", p.step, ": ", p.epoch,
           p.epoch == 1 ? " epoch finished, " : " epochs finished, ", p.batch, " batches of the next; ",
           grouped(p.samples_seen), " images seen; seed ", p.seed, "\nrun       ", p.model, ", ", p.optimizer,
           ", ", p.rule, p.average.empty() || p.average == "none" ? "" : ", average " + p.average, "\n");
  if (!std::isnan(p.best_metric))
    words += text("best      ", percent(p.best_metric, 2), " % after epoch ", p.best_epoch, "\n");
  return words + text("data      ", p.data_hash, "\nrecipe    ", p.config_hash, "\n");
}

}  // namespace

ExitCode inspect_file(const std::string& path, bool tensors, Terminal& terminal) {
  const WeightFile file(path);
  const bool summed = file.verify();
  Json document;
  document.set("file", path).set("checksummed", summed);
  std::string words = path + ": ";
  const bool checkpoint = file.metadata().count(kPositionKey) > 0;
  document.set("checkpoint", checkpoint);
  if (checkpoint) {
    const TrainingPosition position = load_checkpoint(path).position;
    words += "a checkpoint\n" + in_words(position);
    document.set("position", to_json(position));
  } else {
    const Identity identity = identity_in(file.metadata());
    words += identity.model.empty() ? "tensors" : "weights of " + model_label(identity);
    words += summed ? "\n" : ", without checksums (another program's file)\n";
    document.set("network", to_json(identity));
  }
  Table table({{.title = tensors ? "tensor" : "part", .left = true},
               {.title = tensors ? "dtype and shape" : "tensors", .left = tensors},
               {.title = "numbers"},
               {.title = "size"},
               {.title = "norm"},
               {.title = "smallest"},
               {.title = "largest"},
               {.title = "not finite"}});
  Json rows = Json::Array{};
  std::map<std::string, Sums> parts;
  for (const ArchiveTensor& t : file.tensors()) {
    Sums own;
    Sums& sums = tensors ? own : parts[checkpoint ? t.name.substr(0, t.name.find('.')) : "weights"];
    sums.add(t, file.read(t.name));
    if (tensors) show(t.name, text(t.dtype, ' ', t.shape), own, table, rows);
  }
  for (const auto& [name, sums] : parts) show(name, std::to_string(sums.tensors), sums, table, rows);
  terminal.result(words + "\n" + table.text(terminal.unicode()));
  terminal.result(document.set(tensors ? "tensors" : "parts", std::move(rows)));
  return ExitCode::success;
}

}  // namespace basin::apps
