// Schedule-Free: steps and averaging in one rule, in place of a schedule that falls.
#pragma once

#include "optim/update/update_rule.h"

namespace basin::optim {

enum class FreeStep { sgd, adamw };

struct ScheduleFreeOptions {
  FreeStep step = FreeStep::sgd;
  double beta = 0.9;                 // in (0, 1): y = (1 - beta) z + beta x; AdamW's beta1
  double beta2 = 0.999, eps = 1e-8;  // adamw
  double weight_decay = 0.0;         // at y
};

/// Defazio et al. 2024, "The Road Less Scheduled", as the authors' SGDScheduleFree and AdamWScheduleFree
/// compute it. Three points: z takes the steps, x is the mean of the z, and y between them is where gradients
/// are taken. The model holds y. With d the direction at y, t = 1, 2, ...:
///
///     u = d + weight_decay y                                  sgd
///     v <- beta2 v + (1 - beta2) d^2,  u = d / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay y     adamw
///     c = lr_max^2 / (sum of lr_max^2 up to now), lr_max the largest lr so far
///     y <- (1 - c) y + c z + lr (beta (1 - c) - 1) u
///     z <- z - lr u
///
/// evaluated() is x = (y - (1 - beta) z) / beta. The learning rate stays constant after a warm-up; a step
/// with lr = 0 moves v alone, and counts. State: "z" {d}, "v" {d} (adamw), "weight_sum" and "lr_max" f64 {},
/// "step".
class ScheduleFree : public UpdateRule {
 public:
  /// Errors: an option out of its range; an eps that is 0 in the dtype of w.
  explicit ScheduleFree(const ParameterVector& w, const ScheduleFreeOptions& options = {});
  const char* name() const override {
    return options_.step == FreeStep::sgd ? "schedule-free-sgd" : "schedule-free-adamw";
  }
  void describe(Inventory& it) override;
  Tensor evaluated(const ParameterVector& w) const override;

 protected:
  void step(ParameterVector& w, const Tensor& direction, const StepInfo& now) override;
  std::vector<Tensor*> state() override;
  Bounds after(const Bounds& before, double direction, double lr) const override;

 private:
  Tensor update_of(const ParameterVector& w, const Tensor& direction, const StepInfo& now);

  ScheduleFreeOptions options_;
  Tensor z_, v_;                // {d}; v undefined but for adamw
  Tensor weight_sum_, lr_max_;  // f64 {}, where the weights are
  Tensor step_;                 // i64 {}
};

}  // namespace basin::optim
