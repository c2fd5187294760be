// How the direction of a step is formed: the struct of the gradient rule, its words and its options.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/options/names.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam.h"

namespace basin::apps {

class OptionTable;

enum class Sharpness { none, sam, asam, gsam, gnp, fsam, looksam, msam, vasso, gam };
const NamesOf<Sharpness>& sharpness_names();     // "none", "sam", "gam"
const NamesOf<optim::Scaling>& scaling_names();  // "none", "weights", "all"
enum class Micro { none, own, shared };
enum class MicroNorm { own, batch };

struct SharpnessConfig {
  Sharpness kind = Sharpness::none;
  double rho = 0.05;
  optim::RadiusKind rho_schedule = optim::RadiusKind::constant;
  double rho_end = 0;
  double rho_warmup_epochs = 0;
  double p_norm = 2;
  optim::Scaling scaling = optim::Scaling::none;
  double eta = 0.01;
  bool normalise = true;
  optim::Perturbed perturb = optim::Perturbed::all;
  std::string perturb_names;  // patterns between commas
  std::int64_t inner_steps = 1;
  double inner_step = 0;
  double alpha = 1;
  double sigma = 1, lambda = 0.9;
  double theta = 0.4;
  optim::GamForm gam_form = optim::GamForm::paper;
  double rho_prime = 0.02;
  double gam_beta = 0.5, gam_gamma = 0.03;
  bool gam_with_sam = false;
  std::int64_t every = 1;
  double start = 0;  // epochs, or below 1 a fraction of the run
  double end = 0;    // the same; 0: with the run
  Micro micro = Micro::none;
  std::int64_t micro_size = 32;
  MicroNorm micro_norm = MicroNorm::own;
};

/// The options of a rule as its authors set them, the same as optim/gradient/sam_family.h has: what `basin
/// train --sharpness NAME` alone comes to.
SharpnessConfig usual(Sharpness kind);

/// What a rule takes from the length of the run.
struct RuleTimes {
  optim::RadiusSchedule radius;
  std::int64_t start_step = 0, end_step = optim::kNoEnd;
  std::int64_t batch_size = 0;
};

/// Errors: ArgumentError (exit code 2) for options that exclude each other.
std::unique_ptr<optim::GradientRule> make_gradient_rule(const SharpnessConfig& config,
                                                        const RuleTimes& times);

/// The gradient rule's name in records: "plain", "sam", "gam".
std::string rule_name(Sharpness sharpness);

/// Whether the rule looks at points other than w, so that its records have a loss at w + e.
bool perturbs(Sharpness sharpness);

/// Whether the rule takes gradients of gradients: exact GAM does. The whole batch must then be one pass, in
/// more digits than bf16 has.
bool differentiates_twice(const SharpnessConfig& sharpness);

/// Adds the group "Gradient rule".
void add(OptionTable& table, SharpnessConfig& sharpness);

}  // namespace basin::apps
