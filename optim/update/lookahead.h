// Lookahead: slow weights that follow the fast ones of another update rule.
#pragma once

#include <memory>

#include "optim/update/update_rule.h"

namespace basin::optim {

struct LookaheadOptions {
  std::int64_t every = 5;  // k >= 1: steps of the fast weights between two of the slow ones
  double alpha = 0.5;      // in (0, 1]: how far the slow ones follow
};

/// Zhang et al. 2019, "Lookahead Optimizer: k steps forward, 1 step back", algorithm 1: another rule steps as
/// it does alone, and after every k-th step
///
///     slow <- slow + alpha (w - slow),   w <- slow,   slow = w at first
///
/// The state of the inner rule stays as it is (the paper's "maintain"). alpha = 1 is the inner rule, but for
/// rounding. Evaluated are the weights as they stand, fast ones between two such steps. A step with lr = 0
/// leaves both. State: "slow" {d}, then the inner rule's.
class Lookahead : public UpdateRule {
 public:
  /// Errors: an option out of its range; no inner rule.
  Lookahead(const ParameterVector& w, std::unique_ptr<UpdateRule> fast, const LookaheadOptions& options = {});
  const char* name() const override { return "lookahead"; }
  void describe(Inventory& it) override;
  const Tensor* momentum() const override { return fast_->momentum(); }
  Tensor evaluated(const ParameterVector& w) const override { return fast_->evaluated(w); }

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  LookaheadOptions options_;
  std::unique_ptr<UpdateRule> fast_;
  Tensor slow_;                   // {d}
  const Tensor* made_ = nullptr;  // i64 {}: the inner rule's count of steps
};

}  // namespace basin::optim
