#include "apps/training/training_run.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"
#include "apps/cli/signals.h"
#include "apps/report/page.h"
#include "apps/report/tables.h"
#include "apps/runs/class_match.h"
#include "apps/runs/finite.h"
#include "apps/runs/members.h"
#include "apps/runs/recipe.h"
#include "apps/training/data_identity.h"
#include "apps/training/ensemble.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

/// "nan", "inf" or the loss.
std::string loss_text(double loss) { return std::isfinite(loss) ? significant(loss, 4) : fixed(loss, 0); }

}  // namespace

TrainingRun::TrainingRun(const TrainConfig& config, const RunData& data, Experiment& experiment,
                         RunDirectory& run, Terminal& terminal)
    : config_(config),
      data_(data),
      run_(run),
      terminal_(terminal),
      work_(terminal),
      clock_(steady_clock()),
      steps_per_epoch_(steps_per_epoch(config, data)),
      total_steps_(total_steps(config, steps_per_epoch_)),
      experiment_(experiment),
      members_(member_times(config, steps_per_epoch_)) {}

std::int64_t TrainingRun::batches() const {
  return std::clamp<std::int64_t>(total_steps_ - epoch_ * steps_per_epoch_, 0, steps_per_epoch_);
}

std::vector<StatePart> TrainingRun::state() {
  std::vector<StatePart> parts = {{"model", experiment_.entries()},
                                  {"optimizer", entries_of(experiment_.update_rule())},
                                  {"rule", entries_of(experiment_.gradient_rule())}};
  if (experiment_.averaging()) parts.push_back({"average", entries_of(experiment_.averaging()->average)});
  return parts;
}

TrainingPosition TrainingRun::position() const {
  TrainingPosition p;
  p.step = step_;
  p.epoch = epoch_;
  p.batch = batch_;
  p.samples_seen = samples_seen_;
  p.seed = config_.run.seed;
  p.recipe = recipe_toml(config_);
  p.config_hash = sha256_text(p.recipe);
  p.data_hash = data_.hash;
  if (!data_.hash_by_sizes.empty()) p.extra.set("data_by_sizes", data_.hash_by_sizes);
  p.model = config_.model.name + (config_.model.shortcut == nn::Shortcut::b ? "-B" : "");
  p.optimizer = name_of(optimizer_names(), config_.optimizer.kind);
  p.rule = rule_name(config_.sharpness.kind);
  p.average = name_of(average_names(), config_.average.kind);
  if (const auto best = best_of(epochs_)) {
    p.best_metric = best->validation_accuracy.value_or(best->test_accuracy);
    p.best_epoch = best->epoch;
  }
  p.extra.set("epoch_sums", to_json(sums_));
  p.extra.set("skipped_in_row", skipped_in_row_).set("skipped", skipped_);
  Json epochs = Json::Array{};
  for (const EpochRecord& record : epochs_) epochs.append(to_json(record));
  p.extra.set("epochs", std::move(epochs)).set("seconds", earlier_seconds_ + clock_() - begin_);
  return p;
}

void TrainingRun::resume(const LoadedCheckpoint& saved) {
  const Identity own = identity_of(config_.model, data_.set);
  expect_same_run(saved.archive.path(), identity_in(saved.archive.metadata()), own);
  check_recipe(saved.position, config_, run_.path());
  TrainingPosition known = saved.position;
  know_data_again(known, data_, run_.file(kDataFilesName), terminal_);
  check_compatible(known, position());
  restore_state(saved.archive, state());
  if (const std::string bad = first_not_finite(state_entries(state())); !bad.empty())
    throw NumericalError("[resume] '", bad, "' in ", saved.archive.path(),
                         " is not finite: nothing to go on from");
  step_ = saved_step_ = saved.position.step;
  saved_path_ = saved.archive.path();
  epoch_ = saved_epoch_ = saved.position.epoch;
  batch_ = saved.position.batch;
  samples_seen_ = saved.position.samples_seen;
  sums_ = epoch_sums(saved.position.extra.at("epoch_sums"));
  skipped_in_row_ = saved.position.extra.at("skipped_in_row").integer();
  skipped_ = saved.position.extra.at("skipped").integer();
  take_records(saved.position.extra);
  terminal_.note(text("resuming after step ", step_, " (epoch ", epoch_ + 1, ", batch ", batch_, " of ",
                      batches(), ") from ", saved_path_));
}

void TrainingRun::take_records(const Json& extra) {
  if (const Json* seconds = extra.find("seconds")) earlier_seconds_ = recorded_number(*seconds);
  if (const Json* epochs = extra.find("epochs")) {
    for (const Json& record : epochs->array()) epochs_.push_back(epoch_record(record));
    return;
  }
  // A checkpoint of before it held them.
  const std::string path = run_.file("metrics.csv");
  epochs_ = readable_metrics(path, epoch_);
  if (const std::int64_t lost = epoch_ - std::ssize(epochs_); lost > 0)
    terminal_.warn(
        text(path, " has lost the rows of ", lost, " of ", epoch_, " epochs; the run goes on without them"));
}

int TrainingRun::run() {
  run_.begin(config_);
  return run_.session([&] {
    open();
    return train();
  });
}

void TrainingRun::open() {
  begin_ = clock_();
  if (earlier_seconds_ == 0) earlier_seconds_ = run_.earlier_seconds();
  first_step_ = step_;
  if (members_) keep_members(run_.path(), members_->count(step_));
  run_.open_records(step_, epochs_);
  checkpoint_timer_.emplace(config_.run.checkpoint_every, steps_per_epoch_);
  progress_.emplace(terminal_, ProgressPlan{.epochs = config_.schedule.epochs,
                                            .steps_per_epoch = steps_per_epoch_,
                                            .total_steps = total_steps_,
                                            .first_step = step_});
  announce();
  // Before the first step: a process that is killed can be resumed, and a disk too small shows now.
  if (step_ == 0 && saved_step_ < 0 && !config_.run.checkpoint_every.never()) save();
}

int TrainingRun::train() {
  const Table table = epoch_table(columns(), terminal_.unicode());
  if (epoch_ < config_.schedule.epochs)
    terminal_.result(table.titles() + "\n" + table.rule(terminal_.unicode()) + "\n");
  while (epoch_ < config_.schedule.epochs)
    if (const Stop why = run_epoch(); why != Stop::no) return stop(why);
  return finish();
}

TrainingRun::Stop TrainingRun::run_epoch() {
  // A run interrupted during the evaluation resumes right there: all batches are done.
  if (batch_ < batches()) {
    data::Loader loader(data_.train, training_batches(config_, epoch_, batch_));
    double mark = clock_(), waited = 0;
    for (data::Batch batch; batch_ < batches() && loader.next(batch);) {
      train_step(batch, loader.waited_seconds() - waited, mark);
      waited = loader.waited_seconds();
      mark = clock_();
      if (const Stop why = must_stop(); why != Stop::no) return why;
      const bool due = checkpoint_timer_->due(step_) || postponed_;
      if (due && batch_ < batches()) save_unless_skipping();
      if (due && batch_ == batches()) {
        if (!finish_epoch()) return Stop::interrupted;
        save_unless_skipping();
        return Stop::no;
      }
    }
  }
  return finish_epoch() ? Stop::no : Stop::interrupted;
}

void TrainingRun::train_step(data::Batch& batch, double data_seconds, double begin) {
  const optim::StepReport report = experiment_.step(batch, step_);
  if (report.finite) {
    skipped_in_row_ = 0;
    proven_path_ = saved_path_;
  } else {
    skip(report);
  }
  experiment_.collect(step_, report.finite);
  StepRecord record{.step = step_ + 1,
                    .epoch = epoch_ + 1,
                    .images = report.rows,
                    .correct = report.correct,
                    .loss = report.loss,
                    .gradient_norm = report.gradient_norm,
                    .cosine = report.cosine,
                    .passes = report.passes,
                    .skipped = !report.finite,
                    .lr = experiment_.lr(step_),
                    .seconds = clock_() - begin,
                    .data_seconds = data_seconds};
  if (!std::isnan(report.perturbed_loss)) record.loss_perturbed = report.perturbed_loss;
  if (!std::isnan(report.perturbed_norm)) record.perturbed_norm = report.perturbed_norm;
  if (!std::isnan(report.rho)) record.rho = report.rho;
  if (report.clipped != 1) record.clipped = report.clipped;
  ++step_;
  ++batch_;
  samples_seen_ += report.rows;
  sums_.add(record);
  run_.write(record);
  progress_->step(record);
  save_member_if_due();
}

void TrainingRun::save_member_if_due() {
  if (members_ && members_->due(step_))
    save_member(run_.path(), members_->count(step_), experiment_.entries(),
                identity_of(config_.model, data_.set));
}

void TrainingRun::skip(const optim::StepReport& report) {
  const NonFinite& what = experiment_.failure();
  const double loss = report.failed_pass > 0 ? report.perturbed_loss : report.loss;
  const std::string reason =
      !what.refused.empty() ? what.refused
      : what.loss ? text("the loss", report.failed_pass > 0 ? " at w + e" : "", " is ", loss_text(loss))
      : what.parameter.empty() ? std::string("the direction is not finite")
                               : text("the gradient ", report.failed_pass > 0 ? "at w + e " : "",
                                      "is not finite, first in '", what.parameter, "'");
  const std::string where = text("step ", step_ + 1, " (epoch ", epoch_ + 1, ", lr ",
                                 significant(experiment_.lr(step_), 3), "): ", reason);
  progress_->clear();
  if (skipped_in_row_ + 1 < config_.optimizer.skip_limit) {
    ++skipped_in_row_;
    ++skipped_;
    terminal_.warn(where + "; the step is skipped");
    return;
  }
  // Nothing of the failed step was applied or counted: this is the state before it.
  save_if_possible(1);
  throw NumericalError(where, "; nothing of this step was applied, the state before it is ",
                       last_good_state(), " (", config_.optimizer.skip_limit,
                       config_.optimizer.skip_limit == 1 ? " step" : " steps in a row",
                       "; see --skip-limit); a lower --lr or a --warmup-epochs may help");
}

Tally TrainingRun::evaluate_on(const std::shared_ptr<const data::ExampleSource>& source) {
  EvaluationOptions options = evaluation_options(config_);
  options.watch = work_.part("evaluating", "images");
  return evaluate(experiment_.model(), source, data_.set.classes(), options);
}

EpochColumns TrainingRun::columns() const {
  return {.perturbed = perturbs(config_.sharpness.kind), .validation = data_.validation != nullptr};
}

bool TrainingRun::finish_epoch() {
  const double begin = clock_();
  Tally test, validation;
  try {
    if (data_.validation) validation = evaluate_on(data_.validation);
    test = evaluate_on(data_.test);
  } catch (const InterruptedError&) {
    return false;
  }
  EpochRecord record = sums_.record(epoch_ + 1, step_);
  record.test_loss = test.loss();
  record.test_accuracy = test.accuracy();
  if (data_.validation) {
    record.validation_loss = validation.loss();
    record.validation_accuracy = validation.accuracy();
  }
  record.seconds += clock_() - begin;
  run_.write(record);
  epochs_.push_back(record);
  progress_->clear();
  terminal_.result(epoch_table(columns(), terminal_.unicode()).row(epoch_cells(record, columns())) + "\n");
  sums_ = {};
  ++epoch_;
  batch_ = 0;
  return true;
}

TrainingRun::Stop TrainingRun::must_stop() const {
  if (interruption_requested()) return Stop::interrupted;
  if (config_.run.stop_after_steps > 0 && step_ - first_step_ >= config_.run.stop_after_steps)
    return Stop::steps;
  if (config_.run.max_seconds > 0 && clock_() - begin_ >= static_cast<double>(config_.run.max_seconds))
    return Stop::time;
  return Stop::no;
}

int TrainingRun::stop(Stop why) {
  progress_->clear();
  save();
  const std::string reason = why == Stop::interrupted ? "interrupted"
                             : why == Stop::time
                                 ? text("stopped after ", config_.run.max_seconds, " seconds")
                                 : text("stopped after ", config_.run.stop_after_steps, " steps");
  run_.ends_because(reason);
  terminal_.note(text(reason, " at step ", step_, ", saved in ", saved_path_,
                      "; go on with: basin train --resume ", shell_path(run_.path())));
  Json document;
  document.set("run", run_.path()).set("stopped", reason).set("step", step_).set("checkpoint", saved_path_);
  terminal_.result(document);
  return why == Stop::interrupted ? interruption_exit_code() : static_cast<int>(ExitCode::success);
}

std::string TrainingRun::last_good_state() const {
  if (saved_path_.empty()) return "in no file";
  if (proven_path_.empty() || proven_path_ == saved_path_) return "in " + saved_path_;
  return text("in ", saved_path_, " and the last one that a finite step followed in ", proven_path_);
}

void TrainingRun::save(int more) {
  if (saved_step_ == step_ && saved_epoch_ == epoch_) return;
  const std::vector<ArchiveEntry> tensors = state_entries(state());
  if (const std::string bad = first_not_finite(tensors); !bad.empty())
    throw NumericalError("after step ", step_, " '", bad,
                         "' is not finite: no checkpoint of it is written, the last good state is ",
                         last_good_state());
  run_.sync();
  // A state that steps are skipped at replaces none that they were made from.
  const int keep = static_cast<int>(config_.run.keep) + (skipped_in_row_ > 0 ? 1 : more);
  saved_path_ =
      save_checkpoint(run_.path(), position(), tensors, keep,
                      to_metadata(identity_of(config_.model, data_.set)), [&](const std::string& line) {
                        if (warned_.insert(line).second) terminal_.warn(line);
                      });
  if (keep == 1) proven_path_.clear();
  postponed_ = false;
  saved_step_ = step_;
  saved_epoch_ = epoch_;
}

void TrainingRun::save_unless_skipping() {
  if (skipped_in_row_ > 0)
    postponed_ = true;
  else
    save_if_possible();
}

bool TrainingRun::save_if_possible(int more) {
  try {
    save(more);
    return true;
  } catch (const OutputError& e) {
    terminal_.warn(text("no checkpoint at step ", step_, ": ", e.what(), "; the run goes on"));
    return false;
  }
}

int TrainingRun::finish() {
  if (epochs_.empty() || epochs_.back().epoch != epoch_)
    throw CheckpointError(run_.file("metrics.csv"),
                          ": the row of the last epoch is lost, and so are its figures; the weights are in ",
                          saved_path_, " (basin eval --weights)");
  bool complete = save_if_possible();
  Outcome outcome;
  try {
    outcome = evaluate_outcome(config_, data_, experiment_, epochs_.back(), run_, work_.parts());
  } catch (const InterruptedError&) {
    return stop(Stop::interrupted);
  }
  progress_->clear();
  const RunResult result{.last = epochs_.back(),
                         .best = best_of(epochs_),
                         .parameters = experiment_.parameters(),
                         .seconds = earlier_seconds_ + clock_() - begin_,
                         .weights = outcome.variants[0].weights,
                         .weights_sha256 = outcome.variants[0].weights_sha256,
                         .variants = outcome.variants};
  run_.write(result);
  try {
    write_report(run_.path());
  } catch (const Error& e) {
    complete = false;
    terminal_.warn(text("no report: ", e.what()));
  }
  show(result, outcome);
  std::string failures;
  for (const Variant& v : outcome.variants)
    if (!v.failure.empty()) failures += text("; ", v.name, ": ", v.failure);
  if (std::isnan(result.last.train_loss)) failures += "; the last epoch: every step of it was skipped";
  if (!failures.empty())
    throw NumericalError("the run has ended, but not all of it is numbers", failures,
                         "; weights without a finite loss are not written, the last state is ",
                         last_good_state(), "; a lower --lr or a --warmup-epochs may help");
  run_.ends_because("finished");
  return static_cast<int>(complete ? ExitCode::success : ExitCode::output);
}

}  // namespace basin::apps
