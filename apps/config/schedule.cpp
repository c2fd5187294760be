#include "apps/config/schedule.h"

#include <algorithm>
#include <cmath>

#include "apps/options/conditional.h"
#include "core/error.h"

namespace basin::apps {

void add(OptionTable& t, ScheduleConfig& c) {
  using Kind = optim::ScheduleKind;
  t.group("schedule", "Length and learning rate over time");
  Option& kind = t.add("schedule", "name",
                       choice(c.kind, {{"constant", Kind::constant},
                                       {"step", Kind::step},
                                       {"cosine", Kind::cosine},
                                       {"linear", Kind::linear},
                                       {"swa", Kind::swa},
                                       {"sawtooth", Kind::sawtooth},
                                       {"triangle", Kind::triangle},
                                       {"snapshot", Kind::snapshot},
                                       {"one-cycle", Kind::one_cycle}}),
                       "course of the learning rate after the warm-up; swa: the SWA authors', held, then "
                       "falling linearly, then held");
  kind.aliases = {"sched", "scheduler", "lr-schedule"};
  standards(kind, "ensemble", {{"snapshot", "snapshot"}});
  Conditional(t, "steps", {"0"})("epochs", "epochs", whole(c.epochs, 1, 1'000'000),
                                 "passes over the training images");
  t.add("steps", "steps", whole(c.steps, 0, 1'000'000'000),
        "length of the run in steps, in place of --epochs; the last epoch may then be a short one; 0: by "
        "epochs")
      .aliases = {"max-steps", "iterations", "num-steps"};
  t.add("batch-size", "batch_size", whole(c.batch_size, 1, 1'000'000), "images in a training step")
      .aliases = {"batch", "bs"};
  Conditional(t, "schedule", {"constant", "step", "cosine", "linear", "swa"})(
      "warmup-epochs", "warmup_epochs", real(c.warmup_epochs, epochs_range()),
      "epochs (also a fraction of one) in which the rate rises linearly to --lr")
      .aliases = {"warmup"};
  Conditional of_step(t, "schedule", {"step"});
  of_step("milestones", "milestones", numbers(c.milestones, {.low = 0, .high = 1e6, .low_open = true}),
          "when the rate falls: fractions of the run (below 1) or epochs (1 and above)");
  of_step("gamma", "gamma", real(c.gamma, {.low = 0, .high = 1, .low_open = true}),
          "what the rate is multiplied by at each milestone");
  Option& least = t.add("min-lr", "min_lr", real(c.min_lr, at_least(0)),
                        "lowest learning rate (swa: without --average swa; with it, --swa-lr)");
  const std::vector<std::string> falling = {"cosine", "linear", "sawtooth", "triangle", "snapshot"};
  // The swa schedule falls to --swa-lr where there is one.
  least.conditions = {{{"schedule", {"cosine", "linear", "swa", "sawtooth", "triangle", "snapshot"}}},
                      {{"schedule", falling}, {"average", {"!swa"}}, {"swa-lr", {"0.0"}}}};
  standards(least, "schedule", {{"swa", "0.001"}, {"sawtooth", "0.001"}, {"triangle", "0.0005"}});
  Conditional(t, "schedule", {"snapshot"})(
      "cycles", "cycles", whole(c.cycles, 1, 1'000'000),
      "cycles in the run, equally long to within a step; the rate restarts at --lr in each");
  Conditional(t, "schedule", {"sawtooth", "triangle"})(
      "cycle-epochs", "cycle_epochs", real(c.cycle_epochs, {.low = 0, .high = 1e6, .low_open = true}),
      "epochs in a cycle");
  Conditional(t, "schedule", {"triangle", "snapshot"})(
      "code-form", "code_form", toggle(c.code_form),
      "shift the rate by one step, as the authors' code has it");
  Conditional once(t, "schedule", {"one-cycle"});
  once("pct-start", "pct_start", real(c.one_cycle.pct_start, inside_unit_interval()),
       "share of the steps in which the rate rises");
  once("div-factor", "div_factor", real(c.one_cycle.div_factor, at_least(1)),
       "the first rate is lr / div-factor");
  once("final-div-factor", "final_div_factor", real(c.one_cycle.final_div_factor, at_least(1)),
       "the last rate is that / final-div-factor");
  once("one-cycle-shape", "one_cycle_shape",
       choice(c.one_cycle.anneal, {{"cosine", optim::Anneal::cosine}, {"linear", optim::Anneal::linear}}),
       "shape of rise and fall");
}

}  // namespace basin::apps
