#include "apps/training/training_words.h"

#include <cmath>

#include "apps/cli/format.h"
#include "apps/evaluation/data_identity.h"
#include "apps/report/tables.h"
#include "core/io/files.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

/// "nan", "inf" or the loss.
std::string loss_text(double loss) { return std::isfinite(loss) ? significant(loss, 4) : fixed(loss, 0); }

}  // namespace

void announce(const TrainConfig& config, const RunData& data, const RunLength& length, Experiment& experiment,
              const std::optional<optim::CollectionTimes>& members, bool begins, RunDirectory& run,
              Terminal& terminal) {
  const ImageSet& set = data.set;
  run.describe("conv_algorithm", name_of(conv_algorithm()));
  run.describe("data", set.name);
  run.describe("identity", to_json(identity_of(config.model, set)));
  run.describe("datahash", data.hash);
  run.describe("parameters", experiment.parameters());
  run.describe("trained_parameters", experiment.weights().size());
  terminal.note(text("data   ", set.name, "  ", grouped(data.train->size()), " training and ",
                     grouped(data.test->size()), " test images, ", set.classes(), " classes, sha256 ",
                     data.hash.substr(0, 12)));
  tell(data, terminal);
  record_data(data, run.file(kDataFilesName), terminal);
  if (data.validation)
    terminal.note(text("       ", grouped(data.validation->size()), " images held out for validation"));
  if (!data.noise.empty()) {
    if (begins) write_file_atomically(run.file("label_noise.csv"), data::label_noise_csv(data.noise));
    terminal.note(text("       ", grouped(static_cast<std::int64_t>(data.noise.size())),
                       " training labels drawn anew, listed in ", run.file("label_noise.csv")));
  }
  terminal.note(text("model  ", config.model.name, "  ", grouped(experiment.parameters()), " parameters"));
  if (const Frozen& frozen = experiment.frozen(); frozen.tensors > 0)
    terminal.note(text("       ", grouped(experiment.weights().size()), " of them train, ",
                       grouped(frozen.numbers), " in ", frozen.tensors, " tensors are frozen"));
  if (config.model.norm_statistics == NormStatistics::frozen)
    terminal.note("       batch normalisation keeps its running statistics and trains with them");
  if (const auto& start = experiment.start()) tell(*start, terminal);
  terminal.note(text("run    ", run.path(), "  seed ", config.run.seed, ", ", thread_count(), " threads, ",
                     length.epochs, " epochs of ", length.steps_per_epoch, " steps",
                     length.by_steps ? text(", ", grouped(length.steps), " steps in all") : ""));
  if (const auto& averaging = experiment.averaging())
    terminal.note(text("average ", averaging->average.name(), "  ",
                       averaging->times.in_words(length.steps, length.steps_per_epoch)));
  if (members) terminal.note("members " + members->in_words(length.steps, length.steps_per_epoch));
}

StepRecord record_of(const optim::StepReport& report, const RunState& before, double lr) {
  StepRecord record{.step = before.step + 1,
                    .epoch = before.epoch + 1,
                    .images = report.rows,
                    .correct = static_cast<std::int64_t>(report.correct.value()),
                    .loss = report.loss,
                    .gradient_norm = report.gradient_norm,
                    .cosine = report.cosine,
                    .passes = report.passes,
                    .skipped = !report.finite,
                    .lr = lr};
  if (!std::isnan(report.perturbed_loss)) record.loss_perturbed = report.perturbed_loss;
  if (!std::isnan(report.perturbed_norm)) record.perturbed_norm = report.perturbed_norm;
  if (!std::isnan(report.rho)) record.rho = report.rho;
  if (report.clipped != 1) record.clipped = report.clipped;
  return record;
}

std::string failure_in_words(const optim::StepReport& report, const NonFinite& what) {
  const bool perturbed = report.failed_pass > 0;
  if (!what.refused.empty()) return what.refused;
  if (what.loss)
    return text("the loss", perturbed ? " at w + e" : "", " is ",
                loss_text(perturbed ? report.perturbed_loss : report.loss));
  if (what.parameter.empty()) return "the direction is not finite";
  return text("the gradient ", perturbed ? "at w + e " : "", "is not finite, first in '", what.parameter,
              "'");
}

void show(const RunData& data, const RunLength& length, const RunState& state, const RunResult& result,
          const Outcome& outcome, const std::string& run, Terminal& terminal) {
  Table table({{.title = "", .left = true},
               {.title = "epoch"},
               {.title = "train loss"},
               {.title = "train %"},
               {.title = "test loss"},
               {.title = "test %"}});
  const auto add = [&](const char* name, const EpochRecord& e) {
    table.add({name, std::to_string(e.epoch), fixed(e.train_loss, 4), percent(e.train_accuracy, 2),
               fixed(e.test_loss.value(), 4), percent(e.test_accuracy.value(), 2)});
  };
  add("last", result.last);
  if (result.best)
    add(data.validation ? "best (chosen on the validation images)" : "best (chosen on the test images)",
        *result.best);
  terminal.result("\n" + table.text(terminal.unicode()));
  if (result.variants.size() > 1) {
    terminal.result("\n" + table_of(result.variants).text(terminal.unicode()));
    for (const Variant& v : result.variants)
      if (v.models > 1) terminal.result(text(v.name, ": ", v.what, "\n"));
  }
  if (!outcome.ensemble.own.empty())
    terminal.result("\n" + table_of(outcome.ensemble).text(terminal.unicode()));
  if (state.skipped > 0) terminal.result(text("\n", state.skipped, " steps were skipped: not finite\n"));
  std::string files, sum;
  if (!result.weights.empty()) sum = "; sha256 of " + result.weights + " " + result.weights_sha256;
  for (const Variant& v : result.variants)
    if (!v.weights.empty()) files += v.weights + ", ";
  terminal.result(text("\n", length.epochs, " epochs in ", duration_text(result.seconds), ", ",
                       fixed(result.last.images_per_second, 0), " images/s in the last", sum, "\nfiles in ",
                       run, ": ", files, "report.html, ",
                       "result.json, metrics.csv, steps.jsonl, config.toml\n"));
  terminal.result(to_json(result));
}

}  // namespace basin::apps
