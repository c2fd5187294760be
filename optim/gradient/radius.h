// Radius: rho over time, a pure function of the step.
#pragma once

#include <limits>
#include <string>

#include "optim/gradient/gradient_rule.h"

namespace basin::optim {

enum class RadiusKind { constant, linear, with_lr };

struct RadiusSchedule {
  RadiusKind kind = RadiusKind::constant;
  double end = 0;                  // linear, with_lr: rho there
  std::int64_t total_steps = 1;    // linear: of the run
  double lr_peak = 1, lr_end = 0;  // with_lr: the learning rates at which the radius is rho and `end`
  std::int64_t warmup_steps = 0;   // factor (t + 1) / warmup_steps in the first steps, for every kind
};

/// An end_step that no run comes to.
inline constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

/// Whether a rule looks uphill in this step: start_step, start_step + every, ... before end_step.
inline bool looks_uphill(const StepInfo& now, std::int64_t start_step, std::int64_t end_step,
                         std::int64_t every) {
  return now.step >= start_step && now.step < end_step && (now.step - start_step) % every == 0;
}
/// Errors, in the name of `rule`: every below 1, start_step below 0, end_step not above it.
void expect_period(const std::string& rule, std::int64_t start_step, std::int64_t end_step,
                   std::int64_t every);

/// With t the step and T = total_steps, before the warm-up's factor:
///   constant  rho
///   linear    rho + (end - rho) min(t / T, 1)
///   with_lr   end + (rho - end) (lr - lr_end) / (lr_peak - lr_end): proportional to the learning rate, as in
///             GSAM (Zhuang et al. 2022) and in GAM's released code; the fraction kept within [0, 1]
class Radius {
 public:
  /// `rule` names whoever owns it, for errors: rho or end negative or not finite; steps below 1 (warm-up:
  /// 0); lr_peak not above lr_end.
  Radius(const char* rule, double rho, const RadiusSchedule& schedule);
  /// Errors: now.step below 0; with_lr: now.lr not finite.
  double operator()(const StepInfo& now) const;
  /// The radius given, before any schedule.
  double rho() const { return rho_; }

 private:
  double rho_;
  RadiusSchedule schedule_;
};

}  // namespace basin::optim
