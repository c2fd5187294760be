// What a training run says as it begins and when it is done.
#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "apps/report/tables.h"
#include "apps/runs/class_match.h"
#include "apps/training/data_identity.h"
#include "apps/training/ensemble.h"
#include "apps/training/training_run.h"
#include "core/io/files.h"
#include "core/parallel.h"

namespace basin::apps {

void TrainingRun::announce() {
  const ImageSet& set = data_.set;
  run_.describe("conv_algorithm", name_of(conv_algorithm()));
  run_.describe("data", set.name);
  run_.describe("identity", to_json(identity_of(config_.model, set)));
  run_.describe("data_hash", data_.hash);
  run_.describe("parameters", experiment_.parameters());
  run_.describe("trained_parameters", experiment_.weights().size());
  terminal_.note(text("data   ", set.name, "  ", grouped(data_.train->size()), " training and ",
                      grouped(data_.test->size()), " test images, ", set.classes(), " classes, sha256 ",
                      data_.hash.substr(0, 12)));
  tell(data_, terminal_);
  record_data(data_, run_.file(kDataFilesName), terminal_);
  if (data_.validation)
    terminal_.note(text("       ", grouped(data_.validation->size()), " images held out for validation"));
  if (!data_.noise.empty()) {
    if (first_step_ == 0)
      write_file_atomically(run_.file("label_noise.csv"), data::label_noise_csv(data_.noise));
    terminal_.note(text("       ", grouped(static_cast<std::int64_t>(data_.noise.size())),
                        " training labels drawn anew, listed in ", run_.file("label_noise.csv")));
  }
  terminal_.note(text("model  ", config_.model.name, "  ", grouped(experiment_.parameters()), " parameters"));
  if (const Frozen& frozen = experiment_.frozen(); frozen.tensors > 0)
    terminal_.note(text("       ", grouped(experiment_.weights().size()), " of them train, ",
                        grouped(frozen.numbers), " in ", frozen.tensors, " tensors are frozen"));
  if (config_.model.norm_statistics == NormStatistics::frozen)
    terminal_.note("       batch normalisation keeps its running statistics and trains with them");
  if (const auto& start = experiment_.start()) tell(*start, terminal_);
  terminal_.note(text("run    ", run_.path(), "  seed ", config_.run.seed, ", ", thread_count(), " threads, ",
                      config_.schedule.epochs, " epochs of ", steps_per_epoch_, " steps",
                      config_.schedule.steps > 0 ? text(", ", grouped(total_steps_), " steps in all") : ""));
  if (const auto& averaging = experiment_.averaging())
    terminal_.note(text("average ", averaging->average.name(), "  ",
                        averaging->times.in_words(total_steps_, steps_per_epoch_)));
  if (members_) terminal_.note("members " + members_->in_words(total_steps_, steps_per_epoch_));
}

void TrainingRun::show(const RunResult& result, const Outcome& outcome) {
  Table table({{.title = "", .left = true},
               {.title = "epoch"},
               {.title = "train loss"},
               {.title = "train %"},
               {.title = "test loss"},
               {.title = "test %"}});
  const auto add = [&](const char* name, const EpochRecord& e) {
    table.add({name, std::to_string(e.epoch), fixed(e.train_loss, 4), percent(e.train_accuracy, 2),
               fixed(e.test_loss, 4), percent(e.test_accuracy, 2)});
  };
  add("last", result.last);
  if (result.best)
    add(data_.validation ? "best (chosen on the validation images)" : "best (chosen on the test images)",
        *result.best);
  terminal_.result("\n" + table.text(terminal_.unicode()));
  if (result.variants.size() > 1) {
    terminal_.result("\n" + table_of(result.variants).text(terminal_.unicode()));
    for (const Variant& v : result.variants)
      if (v.models > 1) terminal_.result(text(v.name, ": ", v.what, "\n"));
  }
  if (!outcome.ensemble.own.empty())
    terminal_.result("\n" + table_of(outcome.ensemble).text(terminal_.unicode()));
  if (skipped_ > 0) terminal_.result(text("\n", skipped_, " steps were skipped: not finite\n"));
  std::string files, sum;
  if (!result.weights.empty()) sum = "; sha256 of " + result.weights + " " + result.weights_sha256;
  for (const Variant& v : result.variants)
    if (!v.weights.empty()) files += v.weights + ", ";
  terminal_.result(text("\n", config_.schedule.epochs, " epochs in ", duration_text(result.seconds), ", ",
                        fixed(result.last.images_per_second, 0), " images/s in the last", sum, "\nfiles in ",
                        run_.path(), ": ", files, "report.html, ",
                        "result.json, metrics.csv, steps.jsonl, config.toml\n"));
  terminal_.result(to_json(result));
}

}  // namespace basin::apps
