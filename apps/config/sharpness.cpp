#include "apps/config/sharpness.h"

#include "apps/config/model.h"
#include "apps/config/schedule.h"
#include "apps/options/conditional.h"
#include "optim/gradient/micro_batches.h"
#include "optim/gradient/sam_family.h"

namespace basin::apps {
namespace {

using Words = std::vector<std::string>;

const Words kSam = {"sam", "asam", "gsam", "gnp", "fsam", "looksam", "msam", "vasso"};
const Words kSharp = {"!none"};

void add_climb(OptionTable& t, SharpnessConfig& c) {
  Conditional sharp(t, "sharpness", kSharp), sam(t, "sharpness", kSam);
  sharp("rho", "rho", real(c.rho, at_least(0)),
        "radius of the neighbourhood of w in which the rule looks uphill");
  sharp("rho-schedule", "rho_schedule",
        choice(c.rho_schedule, {{"constant", optim::RadiusKind::constant},
                                {"linear", optim::RadiusKind::linear},
                                {"lr", optim::RadiusKind::with_lr}}),
        "rho over the run; linear: straight to --rho-end; lr: to --rho-end as the learning rate falls");
  Conditional(t, "rho-schedule", {"linear", "lr"})("rho-end", "rho_end", real(c.rho_end, at_least(0)),
                                                   "rho at the end of the run");
  sharp("rho-warmup-epochs", "rho_warmup_epochs", real(c.rho_warmup_epochs, epochs_range()),
        "epochs in which rho rises linearly to its value");
  sam("p-norm", "p", order(c.p_norm), "norm in which the radius is measured");
  sharp("scaling", "scaling", choice(c.scaling, scaling_names()),
        "shape of the neighbourhood; none: a ball; weights: scaled by |w| + eta, but not on biases (ASAM's "
        "paper); all: by |w| + eta everywhere; outer: e = rho |w| g/|g|; segments: by the norm of each "
        "weight tensor");
  Conditional(t, "scaling", {"weights", "all", "segments"})("eta", "eta", real(c.eta, at_least(0)),
                                                            "small number added to |w|, see --scaling");
  sam("perturb", "perturb",
      choice(c.perturb, {{"all", optim::Perturbed::all},
                         {"norms", optim::Perturbed::norms},
                         {"no-biases", optim::Perturbed::no_biases},
                         {"named", optim::Perturbed::named}}),
      "which parameters move uphill; norms: those of normalisation layers (SAM-ON); named: those of "
      "--perturb-names");
  Conditional(t, "perturb", {"named"})("perturb-names", "perturb_names", name_list(c.perturb_names),
                                       "the parameters that move uphill, such as fc.*,layer3.*");
  sam("normalise", "normalise", toggle(c.normalise), "scale the climb rho g to the length rho");
  sam("inner-steps", "inner_steps", whole(c.inner_steps, 1, 1000), "steps of the climb, each one more pass");
  Conditional(t, "inner-steps", {"!1"})("inner-step", "inner_step", real(c.inner_step, unit_interval()),
                                        "length of one of them as a fraction of rho; 0: 1/inner-steps");
}

/// What a member of the SAM family sets.
SharpnessConfig of_family(Sharpness kind, const optim::SamOptions& o) {
  SharpnessConfig c;
  c.kind = kind;
  c.rho = o.rho;
  c.scaling = o.scaling;
  c.eta = o.eta;
  c.alpha = o.alpha;
  c.sigma = o.sigma;
  c.lambda = o.lambda;
  c.theta = o.theta;
  c.every = o.every;
  return c;
}

SharpnessConfig of_gam(const optim::GamOptions& o) {
  SharpnessConfig c;
  c.kind = Sharpness::gam;
  c.rho = o.rho;
  c.rho_prime = o.rho_prime;
  c.alpha = o.alpha;
  c.gam_beta = o.beta;
  c.gam_gamma = o.gamma;
  return c;
}

/// The member of the family that the configuration names, with its numbers.
optim::SamOptions member_of_family(const SharpnessConfig& s) {
  switch (s.kind) {
    case Sharpness::asam:
      return optim::asam(s.rho, s.eta);
    case Sharpness::gsam:
      return optim::gsam(s.rho, s.alpha);
    case Sharpness::gnp:
      return optim::gnp(s.rho, s.alpha);
    case Sharpness::fsam:
      return optim::fsam(s.rho, s.sigma, s.lambda);
    case Sharpness::looksam:
      return optim::looksam(s.rho, s.alpha, s.every);
    case Sharpness::msam:
      return optim::msam(s.rho);
    case Sharpness::vasso:
      return optim::vasso(s.rho, s.theta);
    case Sharpness::sam:
    case Sharpness::none:
    case Sharpness::gam:
      break;
  }
  return {.rho = s.rho};
}

/// That member, with what can be chosen of each.
optim::SamOptions sam_options(const SharpnessConfig& s, const RuleTimes& times) {
  optim::SamOptions o = member_of_family(s);
  o.p = s.p_norm;
  o.scaling = s.scaling;
  o.eta = s.scaling == optim::Scaling::none ? 0.01 : s.eta;
  o.normalise = s.normalise;
  o.perturbed = s.perturb;
  o.names = patterns(s.perturb_names);
  o.schedule = times.radius;
  o.inner_steps = static_cast<int>(s.inner_steps);
  o.inner_step = s.inner_step;
  o.every = s.every;
  o.start_step = times.start_step;
  o.end_step = times.end_step;
  return o;
}

optim::GamOptions gam_options(const SharpnessConfig& s, const RuleTimes& times) {
  return {.form = s.gam_form,
          .rho = s.rho,
          .rho_prime = s.rho_prime,
          .alpha = s.alpha,
          .beta = s.gam_beta,
          .gamma = s.gam_gamma,
          .with_sam = s.gam_with_sam,
          .schedule = times.radius,
          .scaling = s.scaling,
          .eta = s.eta,
          .every = s.every,
          .start_step = times.start_step,
          .end_step = times.end_step};
}

}  // namespace

const NamesOf<optim::Scaling>& scaling_names() {
  static const NamesOf<optim::Scaling> names = {{"none", optim::Scaling::none},
                                                {"weights", optim::Scaling::weights},
                                                {"all", optim::Scaling::all},
                                                {"outer", optim::Scaling::outer},
                                                {"segments", optim::Scaling::segments}};
  return names;
}

const NamesOf<Sharpness>& sharpness_names() {
  static const NamesOf<Sharpness> names = {{"none", Sharpness::none},       {"sam", Sharpness::sam},
                                           {"asam", Sharpness::asam},       {"gsam", Sharpness::gsam},
                                           {"gnp", Sharpness::gnp},         {"fsam", Sharpness::fsam},
                                           {"looksam", Sharpness::looksam}, {"msam", Sharpness::msam},
                                           {"vasso", Sharpness::vasso},     {"gam", Sharpness::gam}};
  return names;
}

SharpnessConfig usual(Sharpness kind) {
  switch (kind) {
    case Sharpness::asam:
      return of_family(kind, optim::asam());
    case Sharpness::gsam:
      return of_family(kind, optim::gsam());
    case Sharpness::gnp:
      return of_family(kind, optim::gnp());
    case Sharpness::fsam:
      return of_family(kind, optim::fsam());
    case Sharpness::looksam:
      return of_family(kind, optim::looksam());
    case Sharpness::msam:
      return of_family(kind, optim::msam());
    case Sharpness::vasso:
      return of_family(kind, optim::vasso());
    case Sharpness::gam:
      return of_gam({});
    case Sharpness::sam:
    case Sharpness::none:
      break;
  }
  return of_family(kind, {});
}

std::unique_ptr<optim::GradientRule> make_gradient_rule(const SharpnessConfig& s, const RuleTimes& times) {
  const auto one = [&]() -> std::unique_ptr<optim::GradientRule> {
    if (s.kind == Sharpness::none) return std::make_unique<optim::Plain>();
    if (s.kind == Sharpness::gam) return std::make_unique<optim::Gam>(gam_options(s, times));
    return std::make_unique<optim::Sam>(sam_options(s, times));
  };
  if (s.micro != Micro::own) return one();
  return std::make_unique<optim::MicroBatches>(one, s.micro_size, times.batch_size);
}

std::string rule_name(Sharpness sharpness) {
  return sharpness == Sharpness::none ? "plain" : name_of(sharpness_names(), sharpness);
}

bool perturbs(Sharpness sharpness) { return sharpness != Sharpness::none; }

bool differentiates_twice(const SharpnessConfig& sharpness) {
  return sharpness.kind == Sharpness::gam && sharpness.gam_form == optim::GamForm::exact;
}

void add(OptionTable& t, SharpnessConfig& c) {
  t.group("sharpness", "Gradient rule");
  t.add("sharpness", "name", choice(c.kind, sharpness_names()),
        "gradient rule: how the direction of a step is formed; none: the gradient g at w; sam: the gradient "
        "at w + rho g/|g|; the others: docs/optimizers.md")
      .aliases = {"sam", "rule", "gradient-rule"};
  add_climb(t, c);
  Conditional(t, "sharpness", {"gsam", "gnp", "looksam", "gam"})(
      "alpha", "alpha", real(c.alpha, {}),
      "gsam: weight of the orthogonal part; gnp: (1 - alpha) g + alpha g_s; looksam: weight of the part "
      "used again; gam: see --gam-form");
  Conditional fsam(t, "sharpness", {"fsam"}), gam(t, "sharpness", {"gam"});
  fsam("sigma", "sigma", real(c.sigma, {}), "climb along g - sigma m, m the running mean of gradients");
  fsam("lambda", "lambda", real(c.lambda, below_one()), "decay of that mean: m <- lambda m + (1 - lambda) g");
  Conditional(t, "sharpness", {"vasso"})(
      "theta", "theta", real(c.theta, {.low = 0, .high = 1, .low_open = true}),
      "share of this step's gradient in the mean that is climbed along: m <- (1 - theta) m + theta g");
  gam("gam-form", "gam_form",
      choice(c.gam_form, {{"paper", optim::GamForm::paper},
                          {"official", optim::GamForm::official},
                          {"exact", optim::GamForm::exact},
                          {"differences", optim::GamForm::differences}}),
      "paper: Algorithm 2 as printed; official: as the released code computes it; exact: Algorithm 1 with "
      "Hessian-vector products; differences: with differences of gradients in their place");
  Option& inner = gam("rho-prime", "rho_prime", real(c.rho_prime, at_least(0)),
                      "radius of the inner climbs, rho' in docs/optimizers.md");
  inner.conditions = {{{"gam-form", {"paper", "official", "differences"}}, {"gam-with-sam", {"true"}, ""}}};
  Conditional algorithm2(t, "gam-form", {"paper", "official"}), sums(t, "gam-form", {"exact", "differences"});
  algorithm2("gam-beta", "gam_beta", real(c.gam_beta, {}),
             "weight of g0 against g2, beta in docs/optimizers.md");
  algorithm2("gam-gamma", "gam_gamma", real(c.gam_gamma, {}),
             "weight of the orthogonal part, gamma in docs/optimizers.md");
  sums("gam-with-sam", "gam_with_sam", toggle(c.gam_with_sam), "take SAM's gradient in place of g: SAM+GAM");

  Conditional sharp(t, "sharpness", kSharp);
  sharp("every", "every", whole(c.every, 1, 1'000'000),
        "look uphill in every N-th step; those between are plain (looksam: they use the last look again)");
  sharp("sharpness-start", "start", real(c.start, epochs_range()),
        "make plain steps until then: a fraction of the run (below 1) or epochs done");
  sharp("sharpness-end", "end", real(c.end, epochs_range()),
        "make plain steps from then on: a fraction of the run (below 1) or epochs done; 0: never");
  sharp("micro", "micro",
        choice(c.micro, {{"none", Micro::none}, {"own", Micro::own}, {"shared", Micro::shared}}),
        "micro-batches; own: each perturbs on its own and the directions are averaged (m-sharpness); shared: "
        "one "
        "perturbation from the whole batch, the micro-batches only save memory");
  Conditional micro(t, "micro", {"own", "shared"});
  micro("micro-size", "micro_size", whole(c.micro_size, 1, 1'000'000),
        "images in a micro-batch, the m of m-sharpness")
      .aliases = {"m"};
  count_for_batch_norm(micro("micro-norm", "micro_norm",
                             choice(c.micro_norm, {{"own", MicroNorm::own}, {"batch", MicroNorm::batch}}),
                             "what batch normalisation sees; own: the micro-batch; batch: the whole batch, "
                             "at the cost of a pass of it for each micro-batch"));
  standards_of(t, "sharpness", c, sharpness_names(), usual);
}

}  // namespace basin::apps
