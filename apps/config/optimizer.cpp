#include "apps/config/optimizer.h"

#include "apps/cli/conditional.h"

namespace basin::apps {

const NamesOf<Optimizer>& optimizer_names() {
  static const NamesOf<Optimizer> names = {{"sgd", Optimizer::sgd},
                                           {"adam", Optimizer::adam},
                                           {"adamw", Optimizer::adamw},
                                           {"rmsprop", Optimizer::rmsprop},
                                           {"lion", Optimizer::lion}};
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
  }
  return c;
}

void add(OptionTable& t, OptimizerConfig& c) {
  t.group("optimizer", "Update rule");
  t.add("optimizer", "name", choice(c.kind, optimizer_names()), "how the direction is applied to the weights")
      .aliases = {"opt"};
  t.add("lr", "lr", real(c.lr, at_least(0)), "learning rate at its peak").aliases = {"learning-rate"};

  Conditional of_sgd(t, "optimizer", {"sgd"}), of_moments(t, "optimizer", {"adam", "adamw", "lion"});
  Conditional of_roots(t, "optimizer", {"adam", "adamw", "rmsprop"}), of_rms(t, "optimizer", {"rmsprop"});
  Conditional(t, "optimizer", {"sgd", "rmsprop"})("momentum", "momentum", real(c.momentum, below_one()),
                                                  "v <- momentum v + (1 - dampening) g");
  of_sgd("dampening", "dampening", real(c.dampening, unit_interval()), "see momentum");
  of_sgd("nesterov", "nesterov", toggle(c.nesterov), "step along g + momentum v");
  of_moments("beta1", "beta1", real(c.beta1, below_one()), "decay of the first moment");
  of_moments("beta2", "beta2", real(c.beta2, below_one()),
             "decay of the second moment (lion: of the momentum)");
  of_rms("rms-alpha", "alpha", real(c.rms_alpha, below_one()), "decay of the mean of squares");
  of_roots("adam-eps", "eps", real(c.adam_eps, above(0)), "added to the root of the second moment");
  of_rms("eps-inside-root", "eps_inside_root", toggle(c.eps_inside_root),
         "add eps inside the root, as EfficientNet's recipe does and PyTorch does not");

  t.add("weight-decay", "weight_decay", real(c.weight_decay, at_least(0)),
        "sgd, adam, rmsprop: added to the gradient as weight-decay w; adamw, lion: decoupled")
      .aliases = {"wd"};
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
  standards_of(t, "optimizer", c, optimizer_names(), usual);
}

}  // namespace basin::apps
