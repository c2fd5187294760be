#include "apps/config/average.h"

#include "apps/cli/conditional.h"
#include "apps/config/model.h"
#include "apps/config/schedule.h"

namespace basin::apps {

const NamesOf<Average>& average_names() {
  static const NamesOf<Average> names = {
      {"none", Average::none}, {"swa", Average::swa}, {"ema", Average::ema}};
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
        "weights reported beside the last; swa: the mean; ema: the exponential moving average")
      .aliases = {"averaging", "swa", "ema"};
  Conditional both(t, "average", {"swa", "ema"}), swa(t, "average", {"swa"}), ema(t, "average", {"ema"});
  standards(
      both(
          "average-at", "at",
          choice(c.at, {{"epoch", CollectAt::epoch}, {"step", CollectAt::step}, {"cycle", CollectAt::cycle}}),
          "when weights enter: at the end of epochs, of steps, or of the schedule's cycles"),
      "average", {{"ema", "step"}});
  Conditional(t, "average-at", {"epoch", "step"})("average-every", "every", whole(c.every, 1, 1'000'000'000),
                                                  "epochs or steps from one to the next");
  standards(both("average-start", "start", real(c.start, epochs_range()),
                 "the first epoch 1, 2, ... that takes part, or below 1 a fraction of the run"),
            "average", {{"ema", "0.0"}});
  ema("ema-decay", "ema_decay", real(c.ema_decay, unit_interval()),
      "average <- decay average + (1 - decay) w");
  ema("ema-warmup", "ema_warmup",
      choice(c.ema_warmup, {{"none", optim::EmaWarmup::none},
                            {"ratio", optim::EmaWarmup::ratio},
                            {"mean", optim::EmaWarmup::mean}}),
      "a lesser decay at first: (1 + n)/(10 + n), or n/(n + 1), the plain mean");
  swa("swa-lr", "swa_lr", real(c.swa_lr, at_least(0)),
      "learning rate from the first averaged epoch on; 0: the schedule's own");
  Conditional rate(t, "swa-lr", {"!0.0"});
  rate("swa-anneal-epochs", "swa_anneal_epochs", real(c.swa_anneal_epochs, epochs_range()),
       "epochs in which the rate gets there (not with --schedule swa, which does it before)")
      .conditions.push_back({{"schedule", {"!swa"}}, {"swa-cycle-epochs", {"!0.0"}}});
  Conditional(t, "swa-anneal-epochs", {"!0.0"})(
      "swa-anneal", "swa_anneal",
      choice(c.swa_anneal, {{"cosine", optim::Anneal::cosine}, {"linear", optim::Anneal::linear}}), "how");
  rate("swa-cycle-epochs", "swa_cycle_epochs", real(c.swa_cycle_epochs, epochs_range()),
       "then cycles of this length, from --swa-high-lr down to --swa-lr; 0: none");
  Conditional(t, "swa-cycle-epochs", {"!0.0"})("swa-high-lr", "swa_high_lr", real(c.swa_high_lr, at_least(0)),
                                               "where a cycle begins");
  Option& recalibration = both(
      "bn-recalibration", "recalibration", choice(c.recalibration, recalibration_names()),
      "the average's batch-norm statistics over the training images: exact, as the SWA authors, or as torch");
  count_for_batch_norm(recalibration);
  recalibration.aliases = {"update-bn", "recalibration"};
  Option& last = t.add("recalibrate-last", "recalibrate_last", toggle(c.recalibrate_last),
                       "also evaluate the last weights with recalibrated statistics, for a fair comparison");
  count_for_batch_norm(last);
  standards(last, "average", {{"swa", "true"}, {"ema", "true"}});
}

}  // namespace basin::apps
