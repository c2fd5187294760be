// The options of the axes of training, one line each: update rule, gradient rule, schedule, reported weights.
#include <utility>

#include "apps/config/names.h"
#include "apps/config/option_tables.h"

namespace basin::apps {

namespace {

using Words = std::vector<std::string>;

const Words kSam = {"sam", "asam", "gsam", "gnp", "fsam", "looksam", "msam"};
const Words kSharp = {"!none"};

/// Adds options that count only where `decider` has one of `values`.
class Conditional {
 public:
  Conditional(OptionTable& table, std::string decider, Words values)
      : table_(table), decider_(std::move(decider)), values_(std::move(values)) {}
  Option& operator()(const std::string& flag, const std::string& key, Binding binding,
                     const std::string& help) {
    return table_.add(flag, key, std::move(binding), help).only_with(decider_, values_);
  }

 private:
  OptionTable& table_;
  std::string decider_;
  Words values_;
};

/// Other defaults by the value of another option.
void standards(Option& option, const std::string& by,
               const std::vector<std::pair<std::string, std::string>>& values) {
  option.standard_by = by;
  option.standards = values;
}

Range epochs_range() { return {.low = 0, .high = 1e6}; }

void add_optimizer(OptionTable& t, OptimizerConfig& c) {
  t.group("optimizer", "Update rule");
  t.add("optimizer", "name", choice(c.kind, optimizer_names()), "how the direction is applied to the weights")
      .aliases = {"opt"};
  Option& lr = t.add("lr", "lr", real(c.lr, at_least(0)), "learning rate at its peak");
  standards(lr, "optimizer",
            {{"adam", "0.001"}, {"adamw", "0.001"}, {"rmsprop", "0.01"}, {"lion", "0.0001"}});
  lr.aliases = {"learning-rate"};

  Conditional of_sgd(t, "optimizer", {"sgd"}), of_moments(t, "optimizer", {"adam", "adamw", "lion"});
  Conditional of_roots(t, "optimizer", {"adam", "adamw", "rmsprop"}), of_rms(t, "optimizer", {"rmsprop"});
  Conditional(t, "optimizer", {"sgd", "rmsprop"})("momentum", "momentum", real(c.momentum, below_one()),
                                                  "v <- momentum v + (1 - dampening) g");
  of_sgd("dampening", "dampening", real(c.dampening, unit_interval()), "see momentum");
  of_sgd("nesterov", "nesterov", toggle(c.nesterov), "step along g + momentum v");
  of_moments("beta1", "beta1", real(c.beta1, below_one()), "decay of the first moment");
  standards(of_moments("beta2", "beta2", real(c.beta2, below_one()),
                       "decay of the second moment (lion: of the momentum)"),
            "optimizer", {{"lion", "0.99"}});
  of_rms("rms-alpha", "alpha", real(c.rms_alpha, below_one()), "decay of the mean of squares");
  standards(of_roots("adam-eps", "eps", real(c.adam_eps, above(0)), "added to the root of the second moment"),
            "optimizer", {{"rmsprop", "0.001"}});
  of_rms("eps-inside-root", "eps_inside_root", toggle(c.eps_inside_root),
         "add eps inside the root, as EfficientNet's recipe does and PyTorch does not");

  Option& decay =
      t.add("weight-decay", "weight_decay", real(c.weight_decay, at_least(0)),
            "sgd, adam, rmsprop: added to the gradient as weight-decay w; adamw, lion: decoupled");
  standards(decay, "optimizer", {{"adam", "0.0"}, {"adamw", "0.01"}, {"rmsprop", "1e-05"}, {"lion", "0.1"}});
  decay.aliases = {"wd"};
  t.add("decay", "decay", choice(c.decay, {{"all", Decay::all}, {"weights", Decay::weights}}),
        "which parameters decay; weights: neither biases nor normalisation layers")
      .only_with("weight-decay", {"!0.0"})
      .aliases = {"decay-all", "no-norm-decay", "no-wd-norm"};
  t.add("decay-in", "decay_in", choice(c.decay_in, {{"update", DecayIn::update}, {"loss", DecayIn::loss}}),
        "where: by the update rule, at w; or as weight-decay |w|^2/2 in the loss, so also at w + e (as in "
        "SAM's JAX code)")
      .only_with("weight-decay", {"!0.0"});
  t.add("clip", "clip", real(c.clip, at_least(0)), "shorten the final direction to this norm; 0: never")
      .aliases = {"grad-clip", "clip-norm", "max-grad-norm"};
  t.add("skip-limit", "skip_limit", whole(c.skip_limit, 1, 1'000'000),
        "steps in a row that are skipped for a loss or gradient that is not finite before the run ends with "
        "exit code 5");
}

void add_climb(OptionTable& t, SharpnessConfig& c) {
  Conditional sharp(t, "sharpness", kSharp), sam(t, "sharpness", kSam);
  standards(sharp("rho", "rho", real(c.rho, at_least(0)), "radius of the neighbourhood"), "sharpness",
            {{"asam", "0.5"},
             {"gnp", "0.1"},
             {"fsam", "0.2"},
             {"looksam", "0.1"},
             {"msam", "3.0"},
             {"gam", "0.2"}});
  sharp("rho-schedule", "rho_schedule",
        choice(c.rho_schedule, {{"constant", optim::RadiusKind::constant},
                                {"linear", optim::RadiusKind::linear},
                                {"lr", optim::RadiusKind::with_lr}}),
        "rho over time; linear: to --rho-end over the run; lr: falls to it as the learning rate falls");
  Conditional(t, "rho-schedule", {"linear", "lr"})("rho-end", "rho_end", real(c.rho_end, at_least(0)),
                                                   "the radius at the end");
  sharp("rho-warmup-epochs", "rho_warmup_epochs", real(c.rho_warmup_epochs, epochs_range()),
        "epochs of linear rise to the radius");
  sam("p-norm", "p", order(c.p_norm), "norm of the neighbourhood: 2, inf, or another above 1");
  standards(
      sharp("scaling", "scaling",
            choice(c.scaling, {{"none", optim::Scaling::none},
                               {"weights", optim::Scaling::weights},
                               {"all", optim::Scaling::all},
                               {"outer", optim::Scaling::outer},
                               {"segments", optim::Scaling::segments}}),
            "the ball, scaled by T = |w| + eta; weights: 1 on biases (ASAM's paper); all: everywhere; outer: "
            "e = rho |w| g/|g|; segments: by the norm of each weight tensor"),
      "sharpness", {{"asam", "weights"}});
  Conditional(t, "scaling", {"weights", "all", "segments"})("eta", "eta", real(c.eta, at_least(0)),
                                                            "see scaling");
  sam("perturb", "perturb",
      choice(c.perturb, {{"all", optim::Perturbed::all},
                         {"norms", optim::Perturbed::norms},
                         {"no-biases", optim::Perturbed::no_biases},
                         {"named", optim::Perturbed::named}}),
      "which parameters move; norms: normalisation layers only (SAM-ON)");
  Conditional(t, "perturb", {"named"})("perturb-names", "perturb_names", name_list(c.perturb_names),
                                       "names of parameters between commas, * for any text: fc.*,layer3.*");
  sam("normalise", "normalise", toggle(c.normalise), "scale e to the length rho; without it e = rho g");
  sam("inner-steps", "inner_steps", whole(c.inner_steps, 1, 1000), "steps uphill, each a pass");
  Conditional(t, "inner-steps", {"!1"})("inner-step", "inner_step", real(c.inner_step, unit_interval()),
                                        "length of one as a fraction of rho; 0: 1/inner-steps");
}

void add_sharpness(OptionTable& t, SharpnessConfig& c) {
  t.group("sharpness", "Gradient rule");
  t.add("sharpness", "name", choice(c.kind, sharpness_names()),
        "how the direction is formed; sam: the gradient at w + rho g/|g|; the others: docs/optimizers.md")
      .aliases = {"sam", "rule", "gradient-rule"};
  add_climb(t, c);
  standards(
      Conditional(t, "sharpness", {"gsam", "gnp", "looksam", "gam"})(
          "alpha", "alpha", real(c.alpha, {}),
          "gsam: weight of the orthogonal part; gnp: (1 - alpha) g + alpha g_s; looksam: weight of the part "
          "used again; gam: see --gam-form"),
      "sharpness", {{"gsam", "0.4"}, {"gnp", "0.8"}, {"looksam", "0.7"}, {"gam", "0.6"}});
  Conditional fsam(t, "sharpness", {"fsam"}), gam(t, "sharpness", {"gam"});
  fsam("sigma", "sigma", real(c.sigma, {}), "climb along g - sigma m");
  fsam("lambda", "lambda", real(c.lambda, below_one()), "m <- lambda m + (1 - lambda) g");
  gam("gam-form", "gam_form",
      choice(c.gam_form, {{"paper", optim::GamForm::paper},
                          {"official", optim::GamForm::official},
                          {"exact", optim::GamForm::exact},
                          {"differences", optim::GamForm::differences}}),
      "Algorithm 2 as printed, as the released code computes it, Algorithm 1 with Hessian-vector products, "
      "or "
      "with differences of gradients for them");
  Option& inner = gam("rho-prime", "rho_prime", real(c.rho_prime, at_least(0)), "radius of the inner climbs");
  inner.conditions = {{{"gam-form", {"paper", "official", "differences"}}, {"gam-with-sam", {"true"}, ""}}};
  Conditional algorithm2(t, "gam-form", {"paper", "official"}), sums(t, "gam-form", {"exact", "differences"});
  algorithm2("gam-beta", "gam_beta", real(c.gam_beta, {}), "weight of g0 against g2");
  algorithm2("gam-gamma", "gam_gamma", real(c.gam_gamma, {}), "weight of the orthogonal part");
  sums("gam-with-sam", "gam_with_sam", toggle(c.gam_with_sam), "SAM's gradient in place of g: SAM+GAM");

  Conditional sharp(t, "sharpness", kSharp);
  standards(
      sharp("every", "every", whole(c.every, 1, 1'000'000),
            "look uphill every k-th step; the steps between are plain (looksam: use the last look again)"),
      "sharpness", {{"looksam", "10"}});
  sharp("sharpness-start", "start", real(c.start, epochs_range()),
        "plain before: a fraction of the run (below 1) or epochs done");
  sharp("micro", "micro",
        choice(c.micro, {{"none", Micro::none}, {"own", Micro::own}, {"shared", Micro::shared}}),
        "micro-batches; own: each perturbs on its own and the directions are averaged (m-sharpness); shared: "
        "one "
        "perturbation from the whole batch, the micro-batches only save memory");
  Conditional micro(t, "micro", {"own", "shared"});
  micro("micro-size", "micro_size", whole(c.micro_size, 1, 1'000'000), "m, images in a micro-batch")
      .aliases = {"m"};
  count_for_batch_norm(
      micro("micro-norm", "micro_norm",
            choice(c.micro_norm, {{"own", MicroNorm::own}, {"batch", MicroNorm::batch}}),
            "batch normalisation sees the micro-batch, or the batch (a pass of the whole batch for each)"));
}

void add_schedule(OptionTable& t, ScheduleConfig& c) {
  using Kind = optim::ScheduleKind;
  t.group("schedule", "Length and learning rate over time");
  Option& kind =
      t.add("schedule", "name",
            choice(c.kind, {{"constant", Kind::constant},
                            {"step", Kind::step},
                            {"cosine", Kind::cosine},
                            {"linear", Kind::linear},
                            {"swa", Kind::swa},
                            {"sawtooth", Kind::sawtooth},
                            {"triangle", Kind::triangle},
                            {"snapshot", Kind::snapshot},
                            {"one-cycle", Kind::one_cycle}}),
            "learning rate after the warm-up; swa: the SWA authors', held, then linear, then held");
  kind.aliases = {"sched", "scheduler", "lr-schedule"};
  standards(kind, "ensemble", {{"snapshot", "snapshot"}});
  Conditional(t, "steps", {"0"})("epochs", "epochs", whole(c.epochs, 1, 1'000'000),
                                 "passes over the training images");
  t.add("steps", "steps", whole(c.steps, 0, 1'000'000'000),
        "length of the run in steps, in place of --epochs; the last epoch may then be a short one; 0: by "
        "epochs")
      .aliases = {"max-steps", "iterations", "num-steps"};
  t.add("batch-size", "batch_size", whole(c.batch_size, 1, 1'000'000), "images a step").aliases = {"batch",
                                                                                                   "bs"};
  Conditional(t, "schedule", {"constant", "step", "cosine", "linear", "swa"})(
      "warmup-epochs", "warmup_epochs", real(c.warmup_epochs, epochs_range()),
      "epochs (also a fraction of one) of linear rise to the learning rate")
      .aliases = {"warmup"};
  Conditional of_step(t, "schedule", {"step"});
  of_step("milestones", "milestones", numbers(c.milestones, {.low = 0, .high = 1e6, .low_open = true}),
          "when the rate falls: fractions of the run (below 1) or epochs (1 and above)");
  of_step("gamma", "gamma", real(c.gamma, {.low = 0, .high = 1, .low_open = true}),
          "factor of the rate at each milestone");
  Option& least = t.add("min-lr", "min_lr", real(c.min_lr, at_least(0)),
                        "the least learning rate (swa: without --average swa; with it, --swa-lr)");
  const Words falling = {"cosine", "linear", "sawtooth", "triangle", "snapshot"};
  // The swa schedule falls to --swa-lr where there is one.
  least.conditions = {{{"schedule", {"cosine", "linear", "swa", "sawtooth", "triangle", "snapshot"}}},
                      {{"schedule", falling}, {"average", {"!swa"}}, {"swa-lr", {"0.0"}}}};
  standards(least, "schedule", {{"swa", "0.001"}, {"sawtooth", "0.001"}, {"triangle", "0.0005"}});
  Conditional(t, "schedule", {"snapshot"})("cycles", "cycles", whole(c.cycles, 1, 1'000'000),
                                           "restarts, of equal length to a step");
  Conditional(t, "schedule", {"sawtooth", "triangle"})(
      "cycle-epochs", "cycle_epochs", real(c.cycle_epochs, {.low = 0, .high = 1e6, .low_open = true}),
      "epochs in a cycle");
  Conditional(t, "schedule", {"triangle", "snapshot"})(
      "code-form", "code_form", toggle(c.code_form),
      "the rate as the authors' code has it, one step shifted");
  Conditional once(t, "schedule", {"one-cycle"});
  once("pct-start", "pct_start", real(c.one_cycle.pct_start, inside_unit_interval()),
       "share of the steps that rise");
  once("div-factor", "div_factor", real(c.one_cycle.div_factor, at_least(1)),
       "the first rate is lr / div-factor");
  once("final-div-factor", "final_div_factor", real(c.one_cycle.final_div_factor, at_least(1)),
       "the last rate is that / final-div-factor");
  once("one-cycle-shape", "one_cycle_shape",
       choice(c.one_cycle.anneal, {{"cosine", optim::Anneal::cosine}, {"linear", optim::Anneal::linear}}),
       "of rise and fall");
}

void add_average(OptionTable& t, AverageConfig& c) {
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

void add_ensemble(OptionTable& t, EnsembleConfig& c) {
  t.group("ensemble", "Ensembles");
  t.add(
      "ensemble", "name",
      choice(
          c.kind,
          {{"none", EnsembleKind::none}, {"snapshot", EnsembleKind::snapshot}, {"fge", EnsembleKind::fge}}),
      "members saved at the ends of cycles; snapshot: of the schedule's; fge: of a triangle that follows it");
  Conditional fge(t, "ensemble", {"fge"});
  fge("fge-start", "start", real(c.start, epochs_range()),
      "the first epoch 1, 2, ... of the cycles, or below 1 a fraction of the run");
  fge("fge-cycle-epochs", "cycle_epochs", real(c.cycle_epochs, {.low = 0, .high = 1e6, .low_open = true}),
      "epochs in a cycle, an even number of steps");
  fge("fge-high-lr", "high_lr", real(c.high_lr, at_least(0)), "learning rate between members");
  fge("fge-low-lr", "low_lr", real(c.low_lr, at_least(0)), "learning rate of a member");
}

}  // namespace

void add_rules(OptionTable& table, TrainConfig& config) {
  add_optimizer(table, config.optimizer);
  add_sharpness(table, config.sharpness);
  add_schedule(table, config.schedule);
  add_average(table, config.average);
  add_ensemble(table, config.ensemble);
}

}  // namespace basin::apps
