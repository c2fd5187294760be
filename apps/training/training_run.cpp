#include "apps/training/training_run.h"

#include <cmath>
#include <optional>

#include "apps/cli/format.h"
#include "apps/cli/signals.h"
#include "apps/evaluation/evaluated_as.h"
#include "apps/report/page/page.h"
#include "apps/runs/members.h"
#include "apps/training/epoch_curvature.h"
#include "apps/training/outcome.h"
#include "apps/training/training_words.h"

namespace basin::apps {

TrainingRun::TrainingRun(const TrainConfig& config, const RunData& data, const RunLength& length,
                         Experiment& experiment, RunDirectory& run, Terminal& terminal)
    : config_(config),
      data_(data),
      length_(length),
      experiment_(experiment),
      run_(run),
      terminal_(terminal),
      work_(terminal),
      clock_(steady_clock()),
      members_(member_times(config, length)),
      checkpoints_(config, data, experiment, run, terminal) {}

void TrainingRun::resume(const LoadedCheckpoint& saved) {
  state_ = checkpoints_.restore(saved);
  earlier_seconds_ = state_.seconds;
  terminal_.note(text("resuming after step ", state_.step, " (epoch ", state_.epoch + 1, ", batch ",
                      state_.batch, " of ", batches(), ") from ", checkpoints_.path()));
}

const RunState& TrainingRun::now() {
  state_.seconds = earlier_seconds_ + clock_() - begin_;
  return state_;
}

EpochColumns TrainingRun::columns() const {
  return {.perturbed = perturbs(config_.sharpness.kind), .validation = data_.validation != nullptr};
}

ExitCode TrainingRun::run() {
  run_.begin(config_);
  return run_.session([&] {
    open();
    return train();
  });
}

void TrainingRun::open() {
  begin_ = clock_();
  if (earlier_seconds_ == 0) earlier_seconds_ = run_.earlier_seconds();
  first_step_ = state_.step;
  if (members_) keep_members(run_.path(), members_->count(state_.step));
  run_.open_records(state_.step, state_.epochs, config_.measure.hessian_every > 0);
  checkpoint_timer_.emplace(config_.run.checkpoint_every, length_.steps_per_epoch);
  progress_.emplace(terminal_, ProgressPlan{.epochs = length_.epochs,
                                            .steps_per_epoch = length_.steps_per_epoch,
                                            .total_steps = length_.steps,
                                            .first_step = state_.step});
  announce(config_, data_, length_, experiment_, members_, /*begins=*/first_step_ == 0, run_, terminal_);
  // Before the first step: a process that is killed can be resumed, and a disk too small shows now.
  if (state_.step == 0 && checkpoints_.path().empty() && !config_.run.checkpoint_every.never())
    checkpoints_.save(now());
}

ExitCode TrainingRun::train() {
  const Table table = epoch_table(columns(), terminal_.unicode());
  if (state_.epoch < length_.epochs)
    terminal_.result(table.titles() + "\n" + table.rule(terminal_.unicode()) + "\n");
  while (state_.epoch < length_.epochs)
    if (const Stop why = run_epoch(); why != Stop::no) return stop(why);
  return finish();
}

TrainingRun::Stop TrainingRun::run_epoch() {
  // A run interrupted during the evaluation resumes right there: all batches are done.
  if (state_.batch < batches()) {
    data::Loader loader(data_.train, training_batches(config_, state_.epoch, state_.batch));
    mark_ = clock_();
    double waited = 0;
    data::Batch batch;
    const auto next = [&] { return or_settle([&] { return loader.next(batch); }); };
    while (state_.batch + experiment_.under_way() < batches() && next()) {
      begin_step(batch, loader.waited_seconds() - waited);
      waited = loader.waited_seconds();
      const std::int64_t made = state_.step + experiment_.under_way();
      const Stop why = must_stop(made);
      const bool due = why == Stop::no && (checkpoint_timer_->due(made) || checkpoints_.postponed());
      if (due || why != Stop::no) settle_all_but(0);
      if (why != Stop::no) return why;
      if (due && state_.batch < batches()) checkpoints_.save_unless_skipping(now());
      if (due && state_.batch == batches()) {
        if (!finish_epoch()) return Stop::interrupted;
        checkpoints_.save_unless_skipping(now());
        return Stop::no;
      }
    }
    settle_all_but(0);
  }
  return finish_epoch() ? Stop::no : Stop::interrupted;
}

void TrainingRun::begin_step(const data::Batch& batch, double data_seconds) {
  const std::int64_t step = state_.step + experiment_.under_way();
  or_settle([&] { experiment_.begin(batch, step); });
  data_seconds_.push_back(data_seconds);
  const bool read_at_once = experiment_.collects_after(step) || (members_ && members_->due(step + 1));
  settle_all_but(read_at_once ? 0 : steps_ahead(batch, config_.device.device));
}

void TrainingRun::settle_all_but(std::int64_t steps) {
  while (experiment_.under_way() > steps) settle_step();
}

void TrainingRun::settle_step() {
  const optim::StepReport report = experiment_.settle();
  if (report.finite) {
    state_.skipped_in_row = 0;
    checkpoints_.proven();
  } else {
    skip(report);
  }
  experiment_.collect(state_.step, report.finite);
  StepRecord record = record_of(report, state_, experiment_.lr(state_.step));
  record.seconds = clock_() - mark_;
  record.data_seconds = data_seconds_.front();
  data_seconds_.pop_front();
  ++state_.step;
  ++state_.batch;
  state_.samples_seen += report.rows;
  state_.sums.add(record);
  run_.write(record);
  progress_->step(record);
  save_member_if_due();
  mark_ = clock_();
}

void TrainingRun::skip(const optim::StepReport& report) {
  const std::string where = text("step ", state_.step + 1, " (epoch ", state_.epoch + 1, ", lr ",
                                 significant(experiment_.lr(state_.step), 3),
                                 "): ", failure_in_words(report, experiment_.failure()));
  progress_->clear();
  if (state_.skipped_in_row + 1 < config_.optimizer.skip_limit) {
    ++state_.skipped_in_row;
    ++state_.skipped;
    terminal_.warn(where + "; the step is skipped");
    return;
  }
  // Nothing of the failed step was applied or counted: this is the state before it.
  checkpoints_.save_if_possible(now(), 1);
  throw NumericalError(where, "; nothing of this step was applied, the state before it is ",
                       checkpoints_.last_good_state(), " (", config_.optimizer.skip_limit,
                       config_.optimizer.skip_limit == 1 ? " step" : " steps in a row",
                       "; see --skip-limit); a lower --lr or a --warmup-epochs may help");
}

void TrainingRun::save_member_if_due() {
  if (members_ && members_->due(state_.step))
    save_member(run_.path(), members_->count(state_.step), experiment_.entries(),
                identity_of(config_.model, data_.set));
}

Tally TrainingRun::evaluate_on(const std::shared_ptr<const data::ExampleSource>& source) {
  EvaluationOptions options = evaluation_options(config_);
  options.watch = work_.part("evaluating", "images");
  return evaluate(experiment_.model(), source, data_.set.classes(), options);
}

bool TrainingRun::finish_epoch() {
  const double begin = clock_();
  const auto due = [&](std::int64_t every) {
    const std::int64_t epoch = state_.epoch + 1;
    return every > 0 && (epoch % every == 0 || epoch == length_.epochs);
  };
  const bool evaluated = due(config_.measure.eval_every), measured = due(config_.measure.hessian_every);
  Tally test, validation;
  std::optional<EpochCurvature> hessian;
  try {
    std::optional<EvaluatedAs> other;
    const Tensor x = experiment_.update_rule().evaluated(experiment_.weights());
    if (x.defined() && (evaluated || measured)) {
      EvaluationOptions options = evaluation_options(config_);
      options.watch = work_.part("statistics", "images");
      other.emplace(config_, data_, experiment_.model(), experiment_.weights(), x, state_.epoch + 1, options);
    }
    if (evaluated) {
      if (data_.validation) validation = evaluate_on(data_.validation);
      test = evaluate_on(data_.test);
    }
    if (measured) {
      EvaluationOptions options = evaluation_options(config_);
      options.watch = work_.part("measuring the Hessian", "images");
      hessian = measure_curvature(experiment_.model(), experiment_.weights(), data_.plain_train,
                                  config_.measure.hessian_images, options);
    }
  } catch (const InterruptedError&) {
    return false;
  }
  EpochRecord record = state_.sums.record(state_.epoch + 1, state_.step);
  if (evaluated) {
    record.test_loss = test.loss();
    record.test_accuracy = test.accuracy();
  }
  if (evaluated && data_.validation) {
    record.validation_loss = validation.loss();
    record.validation_accuracy = validation.accuracy();
  }
  record.hessian = hessian;
  record.seconds += clock_() - begin;
  run_.write(record);
  state_.epochs.push_back(record);
  progress_->clear();
  terminal_.result(epoch_table(columns(), terminal_.unicode()).row(epoch_cells(record, columns())) + "\n");
  if (hessian)
    terminal_.note(text("Hessian: largest eigenvalue ", significant(hessian->largest, 4), ", trace ",
                        significant(hessian->trace, 4), " +- ", significant(hessian->trace_error, 2)));
  state_.sums = {};
  ++state_.epoch;
  state_.batch = 0;
  return true;
}

TrainingRun::Stop TrainingRun::must_stop(std::int64_t made) const {
  if (interruption_requested()) return Stop::interrupted;
  if (config_.run.stop_after_steps > 0 && made - first_step_ >= config_.run.stop_after_steps)
    return Stop::steps;
  if (config_.run.max_seconds > 0 && clock_() - begin_ >= static_cast<double>(config_.run.max_seconds))
    return Stop::time;
  return Stop::no;
}

ExitCode TrainingRun::stop(Stop why) {
  progress_->clear();
  checkpoints_.save(now());
  const std::string reason = why == Stop::interrupted ? "interrupted"
                             : why == Stop::time
                                 ? text("stopped after ", config_.run.max_seconds, " seconds")
                                 : text("stopped after ", config_.run.stop_after_steps, " steps");
  run_.ends_because(reason);
  terminal_.note(text(reason, " at step ", state_.step, ", saved in ", checkpoints_.path(),
                      "; go on with: basin train --resume ", shell_path(run_.path())));
  Json document;
  document.set("run", run_.path()).set("stopped", reason);
  document.set("step", state_.step).set("checkpoint", checkpoints_.path());
  terminal_.result(document);
  return why == Stop::interrupted ? ExitCode{interruption_exit_code()} : ExitCode::success;
}

ExitCode TrainingRun::finish() {
  if (state_.epochs.empty() || state_.epochs.back().epoch != state_.epoch)
    throw CheckpointError(run_.file("metrics.csv"),
                          ": the row of the last epoch is lost, and so are its figures; the weights are in ",
                          checkpoints_.path(), " (basin eval --weights)");
  bool complete = checkpoints_.save_if_possible(now());
  const EpochRecord& last = state_.epochs.back();
  Outcome outcome;
  try {
    outcome = evaluate_outcome(config_, data_, length_, experiment_, last, run_, work_.parts());
  } catch (const InterruptedError&) {
    return stop(Stop::interrupted);
  }
  progress_->clear();
  const RunResult result{.last = last,
                         .best = best_of(state_.epochs),
                         .parameters = experiment_.parameters(),
                         .seconds = now().seconds,
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
  show(data_, length_, state_, result, outcome, run_.path(), terminal_);
  std::string failures;
  for (const Variant& v : outcome.variants)
    if (!v.failure.empty()) failures += text("; ", v.name, ": ", v.failure);
  if (std::isnan(last.train_loss)) failures += "; the last epoch: every step of it was skipped";
  if (!failures.empty())
    throw NumericalError("the run has ended, but not all of it is numbers", failures,
                         "; weights without a finite loss are not written, the last state is ",
                         checkpoints_.last_good_state(), "; a lower --lr or a --warmup-epochs may help");
  run_.ends_because("finished");
  return complete ? ExitCode::success : ExitCode::output;
}

}  // namespace basin::apps
