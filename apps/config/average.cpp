#include "apps/config/average.h"

#include "apps/config/model.h"
#include "apps/config/schedule.h"
#include "apps/options/conditional.h"

namespace basin::apps {

const NamesOf<Average>& average_names() {
  static const NamesOf<Average> names = {
      {"none", Average::none}, {"swa", Average::swa}, {"ema", Average::ema}, {"lawa", Average::lawa}};
  return names;
}

const NamesOf<nn::RecalibrationMode>& recalibration_names() {
  using Mode = nn::RecalibrationMode;
  static const NamesOf<Mode> names = {{"pooled", Mode::pooled},
                                      {"sample-weighted", Mode::sample_weighted},
                                      {"equal-batches", Mode::equal_batches}};
  return names;
}

void add(OptionTable& t, AverageConfig& c) {
  t.group("average", "Averages of weights");
  t.add("average", "name", choice(c.kind, average_names()),
        "average of weights that is kept and reported beside the last weights; swa: the plain mean; ema: the "
        "exponential moving average; lawa: the mean of the latest --lawa-window")
      .aliases = {"averaging", "swa", "ema"};
  Conditional both(t, "average", {"swa", "ema", "lawa"}), swa(t, "average", {"swa"}),
      ema(t, "average", {"ema"});
  standards(
      both(
          "average-at", "at",
          choice(c.at, {{"epoch", CollectAt::epoch}, {"step", CollectAt::step}, {"cycle", CollectAt::cycle}}),
          "when weights enter: at the end of epochs, of steps, or of the schedule's cycles"),
      "average", {{"ema", "step"}});
  Conditional(t, "average-at", {"epoch", "step"})("average-every", "every", whole(c.every, 1, 1'000'000'000),
                                                  "epochs or steps between two weights that enter");
  standards(both("average-start", "start", real(c.start, epochs_range()),
                 "the first epoch 1, 2, ... that takes part, or below 1 a fraction of the run"),
            "average", {{"ema", "0.0"}, {"lawa", "0.0"}});
  Conditional(t, "average", {"lawa"})("lawa-window", "lawa_window", whole(c.lawa_window, 1, 1000),
                                      "how many weights the mean is of; each is kept, in memory and in "
                                      "checkpoints");
  ema("ema-decay", "ema_decay", real(c.ema_decay, unit_interval()),
      "share of the average that each step keeps: average <- decay average + (1 - decay) w");
  ema("ema-warmup", "ema_warmup",
      choice(c.ema_warmup, {{"none", optim::EmaWarmup::none},
                            {"ratio", optim::EmaWarmup::ratio},
                            {"mean", optim::EmaWarmup::mean}}),
      "smaller decay at first, by the number n of averaged weights; ratio: (1 + n)/(10 + n); mean: n/(n + "
      "1), the plain mean");
  swa("swa-lr", "swa_lr", real(c.swa_lr, at_least(0)),
      "learning rate from the first averaged epoch on; 0: the schedule's own");
  Conditional rate(t, "swa-lr", {"!0.0"});
  rate("swa-anneal-epochs", "swa_anneal_epochs", real(c.swa_anneal_epochs, epochs_range()),
       "epochs in which the rate gets there (not with --schedule swa, which does it before)")
      .conditions.push_back({{"schedule", {"!swa"}}, {"swa-cycle-epochs", {"!0.0"}}});
  Conditional(t, "swa-anneal-epochs", {"!0.0"})(
      "swa-anneal", "swa_anneal",
      choice(c.swa_anneal, {{"cosine", optim::Anneal::cosine}, {"linear", optim::Anneal::linear}}),
      "shape of the rate's way there");
  rate("swa-cycle-epochs", "swa_cycle_epochs", real(c.swa_cycle_epochs, epochs_range()),
       "after that, cycles of so many epochs from --swa-high-lr down to --swa-lr; 0: none");
  Conditional(t, "swa-cycle-epochs", {"!0.0"})("swa-high-lr", "swa_high_lr", real(c.swa_high_lr, at_least(0)),
                                               "learning rate at the start of a cycle");
  Option& recalibration =
      both("bn-recalibration", "recalibration", choice(c.recalibration, recalibration_names()),
           "how the average's batch-norm statistics are computed anew over the training images; pooled: "
           "exactly; sample-weighted: as the SWA authors; equal-batches: as torch");
  count_for_batch_norm(recalibration);
  recalibration.aliases = {"update-bn", "recalibration"};
  Option& last = t.add("recalibrate-last", "recalibrate_last", toggle(c.recalibrate_last),
                       "also evaluate the last weights with recalibrated statistics, for a fair comparison");
  count_for_batch_norm(last);
  standards(last, "average", {{"swa", "true"}, {"ema", "true"}, {"lawa", "true"}});
}

}  // namespace basin::apps
