#include "apps/config/optimizer.h"

#include "apps/options/bindings.h"
#include "apps/options/conditional.h"
#include "optim/update/lookahead.h"
#include "optim/update/schedule_free.h"

namespace basin::apps {

const NamesOf<Optimizer>& optimizer_names() {
  static const NamesOf<Optimizer> names = {{"sgd", Optimizer::sgd},
                                           {"adam", Optimizer::adam},
                                           {"adamw", Optimizer::adamw},
                                           {"rmsprop", Optimizer::rmsprop},
                                           {"lion", Optimizer::lion},
                                           {"muon", Optimizer::muon},
                                           {"schedule-free-sgd", Optimizer::schedule_free_sgd},
                                           {"schedule-free-adamw", Optimizer::schedule_free_adamw}};
  return names;
}

OptimizerConfig usual(Optimizer kind) {
  OptimizerConfig c;
  c.kind = kind;
  switch (kind) {
    case Optimizer::sgd:
      break;
    case Optimizer::adam:
      c.lr = 0.001;
      c.weight_decay = 0;
      break;
    case Optimizer::adamw:
      c.lr = 0.001;
      c.weight_decay = 0.01;
      break;
    case Optimizer::rmsprop:
      c.lr = 0.01;
      c.adam_eps = 0.001;
      c.weight_decay = 1e-5;
      break;
    case Optimizer::lion:
      c.lr = 0.0001;
      c.beta2 = 0.99;
      c.weight_decay = 0.1;
      break;
    case Optimizer::muon:
      c.lr = 0.001;
      c.momentum = 0.95;
      c.nesterov = true;
      c.beta2 = 0.95;
      c.weight_decay = 0.1;
      break;
    case Optimizer::schedule_free_sgd:
      c.lr = 1;
      break;
    case Optimizer::schedule_free_adamw:
      c.lr = 0.0025;
      c.weight_decay = 0;
      break;
  }
  return c;
}

bool averages_itself(Optimizer kind) {
  return kind == Optimizer::schedule_free_sgd || kind == Optimizer::schedule_free_adamw;
}

bool decouples_decay(Optimizer kind) {
  return kind == Optimizer::adamw || kind == Optimizer::lion || kind == Optimizer::muon ||
         kind == Optimizer::schedule_free_adamw;
}

void add(OptionTable& t, OptimizerConfig& c) {
  t.group("optimizer", "Update rule");
  t.add("optimizer", "name", choice(c.kind, optimizer_names()),
        "update rule: how the direction of a step changes the weights")
      .aliases = {"opt"};
  t.add("lr", "lr", real(c.lr, at_least(0)), "learning rate at its peak").aliases = {"learning-rate"};

  const std::vector<std::string> moments = {"adam", "adamw", "lion", "muon", "schedule-free-adamw"};
  Conditional of_sgd(t, "optimizer", {"sgd"}), of_moments(t, "optimizer", moments);
  Conditional of_roots(t, "optimizer", {"adam", "adamw", "rmsprop", "muon", "schedule-free-adamw"});
  Conditional of_rms(t, "optimizer", {"rmsprop"}), of_muon(t, "optimizer", {"muon"});
  Conditional(t, "optimizer", {"sgd", "rmsprop", "muon", "schedule-free-sgd"})(
      "momentum", "momentum", real(c.momentum, below_one()),
      "share of the velocity v that a step keeps: v <- momentum v + (1 - dampening) g (muon: of the running "
      "mean of gradients; schedule-free-sgd: beta in docs/optimizers.md)");
  of_sgd("dampening", "dampening", real(c.dampening, unit_interval()),
         "how much of the gradient does not enter v, see --momentum");
  Conditional(t, "optimizer", {"sgd", "muon"})("nesterov", "nesterov", toggle(c.nesterov),
                                               "step along g + momentum v");
  of_moments("beta1", "beta1", real(c.beta1, below_one()),
             "decay of the running mean of gradients, the first moment (schedule-free-adamw: beta in "
             "docs/optimizers.md)");
  of_moments("beta2", "beta2", real(c.beta2, below_one()),
             "decay of the running mean of squared gradients, the second moment (lion: of the momentum)");
  of_rms("rms-alpha", "alpha", real(c.rms_alpha, below_one()),
         "decay of the running mean of squared gradients");
  of_roots("adam-eps", "eps", real(c.adam_eps, above(0)),
           "small number added to the root of the second moment");
  of_rms("eps-inside-root", "eps_inside_root", toggle(c.eps_inside_root),
         "add eps inside the root (EfficientNet's recipe adds it there, PyTorch outside)");

  of_muon("muon-iterations", "muon_iterations", whole(c.muon_iterations, 1, 100),
          "Newton-Schulz iterations that make a matrix's step orthogonal");
  of_muon("muon-scale", "muon_scale",
          choice(c.muon_scale, {{"rms", optim::MuonScale::rms}, {"shape", optim::MuonScale::shape}}),
          "what that step is multiplied by; rms: 0.2 sqrt(max(rows, columns)), so that --lr suits AdamW's "
          "share too; shape: sqrt(max(1, rows / columns)), as in Muon's first code");
  t.add("lookahead", "lookahead", whole(c.lookahead, 0, 1'000'000),
        "slow weights follow after every N-th step, and the fast ones go on from them (Lookahead); 0: none");
  Conditional(t, "lookahead", {"!0"})("lookahead-alpha", "lookahead_alpha",
                                      real(c.lookahead_alpha, {.low = 0, .high = 1, .low_open = true}),
                                      "how far they follow: slow <- slow + alpha (w - slow)");

  t.add("weight-decay", "weight_decay", real(c.weight_decay, at_least(0)),
        "pull of the weights w towards zero; sgd, adam, rmsprop: weight-decay w is added to the gradient; "
        "adamw, lion, muon: w shrinks by itself, by lr weight-decay w; schedule-free: at y")
      .aliases = {"wd"};
  t.add("decay", "decay", choice(c.decay, {{"all", Decay::all}, {"weights", Decay::weights}}),
        "which parameters decay; all: every one; weights: neither biases nor normalisation layers")
      .only_with("weight-decay", {"!0.0"})
      .aliases = {"decay-all", "no-norm-decay", "no-wd-norm"};
  t.add("decay-in", "decay_in", choice(c.decay_in, {{"update", DecayIn::update}, {"loss", DecayIn::loss}}),
        "where the decay is; update: in the update rule, at w; loss: weight-decay |w|^2/2 in the loss, so "
        "also at w + e (as in SAM's JAX code)")
      .only_with("weight-decay", {"!0.0"});
  t.add("clip", "clip", real(c.clip, at_least(0)), "shorten a longer direction to this norm; 0: never")
      .aliases = {"grad-clip", "clip-norm", "max-grad-norm"};
  t.add("skip-limit", "skip_limit", whole(c.skip_limit, 1, 1'000'000),
        "a step whose loss or gradient is not finite is skipped; the N-th such in a row ends the run with "
        "exit code 5");
  standards_of(t, "optimizer", c, optimizer_names(), usual);
}

namespace {

/// The rule without slow weights around it.
std::unique_ptr<optim::UpdateRule> make_fast_rule(const OptimizerConfig& o, const optim::ParameterVector& w) {
  // In the loss, decay is part of the direction already.
  const double weight_decay = o.decay_in == DecayIn::loss ? 0 : o.weight_decay;
  switch (o.kind) {
    case Optimizer::sgd:
      return std::make_unique<optim::Sgd>(w, optim::SgdOptions{.momentum = o.momentum,
                                                               .dampening = o.dampening,
                                                               .weight_decay = weight_decay,
                                                               .nesterov = o.nesterov});
    case Optimizer::adam:
    case Optimizer::adamw:
      return std::make_unique<optim::Adam>(w, optim::AdamOptions{.beta1 = o.beta1,
                                                                 .beta2 = o.beta2,
                                                                 .eps = o.adam_eps,
                                                                 .weight_decay = weight_decay,
                                                                 .decoupled = o.kind == Optimizer::adamw});
    case Optimizer::rmsprop:
      return std::make_unique<optim::RmsProp>(w, optim::RmsPropOptions{.alpha = o.rms_alpha,
                                                                       .eps = o.adam_eps,
                                                                       .momentum = o.momentum,
                                                                       .weight_decay = weight_decay,
                                                                       .eps_inside_root = o.eps_inside_root});
    case Optimizer::lion:
      return std::make_unique<optim::Lion>(
          w, optim::LionOptions{.beta1 = o.beta1, .beta2 = o.beta2, .weight_decay = weight_decay});
    case Optimizer::muon: {
      auto muon = std::make_unique<optim::Muon>(
          w, optim::MuonOptions{.momentum = o.momentum,
                                .nesterov = o.nesterov,
                                .iterations = static_cast<int>(o.muon_iterations),
                                .scale = o.muon_scale,
                                .beta1 = o.beta1,
                                .beta2 = o.beta2,
                                .eps = o.adam_eps,
                                .weight_decay = weight_decay});
      if (muon->matrices() == 0)
        throw UsageError(
            "--optimizer muon: no convolution and no linear layer but the head trains, so all of it would be "
            "AdamW: --optimizer adamw");
      return muon;
    }
    case Optimizer::schedule_free_sgd:
      return std::make_unique<optim::ScheduleFree>(
          w, optim::ScheduleFreeOptions{.beta = o.momentum, .weight_decay = weight_decay});
    case Optimizer::schedule_free_adamw:
      return std::make_unique<optim::ScheduleFree>(w,
                                                   optim::ScheduleFreeOptions{.step = optim::FreeStep::adamw,
                                                                              .beta = o.beta1,
                                                                              .beta2 = o.beta2,
                                                                              .eps = o.adam_eps,
                                                                              .weight_decay = weight_decay});
  }
  throw InternalError("[rules] an update rule without a name");
}

}  // namespace

std::unique_ptr<optim::UpdateRule> make_update_rule(const OptimizerConfig& o,
                                                    const optim::ParameterVector& w) {
  std::unique_ptr<optim::UpdateRule> rule = make_fast_rule(o, w);
  if (o.lookahead == 0) return rule;
  return std::make_unique<optim::Lookahead>(
      w, std::move(rule), optim::LookaheadOptions{.every = o.lookahead, .alpha = o.lookahead_alpha});
}

}  // namespace basin::apps
