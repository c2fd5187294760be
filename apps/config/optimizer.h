// How a direction is applied to the weights: the struct of the update rule, its words and its options.
#pragma once

#include <cstdint>
#include <memory>

#include "apps/options/names.h"
#include "optim/update/muon.h"
#include "optim/update/update_rule.h"

namespace basin::apps {

class OptionTable;

enum class Optimizer { sgd, adam, adamw, rmsprop, lion, muon, schedule_free_sgd, schedule_free_adamw };
const NamesOf<Optimizer>& optimizer_names();  // "sgd", "adamw"
enum class Decay { all, weights };
enum class DecayIn { update, loss };

struct OptimizerConfig {
  Optimizer kind = Optimizer::sgd;
  double lr = 0.1;
  double momentum = 0.9;
  double dampening = 0;
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999;
  double adam_eps = 1e-8;
  double rms_alpha = 0.9;
  bool eps_inside_root = true;
  std::int64_t muon_iterations = 5;
  optim::MuonScale muon_scale = optim::MuonScale::rms;
  std::int64_t lookahead = 0;  // steps between two of the slow weights; 0: there are none
  double lookahead_alpha = 0.5;
  double weight_decay = 5e-4;
  Decay decay = Decay::all;
  DecayIn decay_in = DecayIn::update;
  double clip = 0;               // longest direction; 0: any
  std::int64_t skip_limit = 10;  // steps in a row that may be skipped
};

/// The options of an update rule as they are usual for it: what `basin train --optimizer NAME` alone comes
/// to.
OptimizerConfig usual(Optimizer kind);

/// Whether the rule's weights are evaluated at an average of its own: Schedule-Free's are.
bool averages_itself(Optimizer kind);

/// Whether weight decay is a step of its own and not part of the gradient.
bool decouples_decay(Optimizer kind);

/// The update rule for w. Errors: UsageError for muon where w has no hidden matrices.
std::unique_ptr<optim::UpdateRule> make_update_rule(const OptimizerConfig& config,
                                                    const optim::ParameterVector& w);

/// Adds the group "Update rule".
void add(OptionTable& table, OptimizerConfig& optimizer);

}  // namespace basin::apps
