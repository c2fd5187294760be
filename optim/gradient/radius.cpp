#include "optim/gradient/radius.h"

#include <algorithm>
#include <cmath>

namespace basin::optim {

void expect_period(const std::string& rule, std::int64_t start_step, std::int64_t end_step,
                   std::int64_t every) {
  if (every < 1 || start_step < 0)
    throw ArgumentError("[", rule, "] every must be at least 1 and start_step at least 0, got ", every,
                        " and ", start_step);
  if (end_step <= start_step)
    throw ArgumentError("[", rule, "] end_step must be above start_step, got ", end_step, " and ",
                        start_step);
}

Radius::Radius(const char* rule, double rho, const RadiusSchedule& schedule)
    : rho_(rho), schedule_(schedule) {
  const RadiusSchedule& s = schedule;
  if (!(rho >= 0) || !std::isfinite(rho))
    throw ArgumentError("[", rule, "] rho is a radius, finite and at least 0, got ", rho);
  if (!(s.end >= 0) || !std::isfinite(s.end))
    throw ArgumentError("[", rule, "] the end of rho's schedule is a radius, finite and at least 0, got ",
                        s.end);
  if (s.total_steps < 1 || s.warmup_steps < 0)
    throw ArgumentError("[", rule, "] rho's schedule needs total_steps >= 1 and warmup_steps >= 0, got ",
                        s.total_steps, " and ", s.warmup_steps);
  if (s.kind == RadiusKind::with_lr && (!std::isfinite(s.lr_peak) || !std::isfinite(s.lr_end)))
    throw ArgumentError("[", rule, "] lr_peak and lr_end must be finite, got ", s.lr_peak, " and ", s.lr_end);
  if (s.kind == RadiusKind::with_lr && !(s.lr_peak > s.lr_end))
    throw ArgumentError("[", rule,
                        "] a radius that follows the learning rate needs one that changes: lr_peak ",
                        s.lr_peak, " is not above lr_end ", s.lr_end);
}

double Radius::operator()(const StepInfo& now) const {
  const RadiusSchedule& s = schedule_;
  if (now.step < 0) throw ArgumentError("[radius] steps count from 0, got ", now.step);
  if (s.kind == RadiusKind::with_lr && !std::isfinite(now.lr))
    throw ArgumentError("[radius] the step's lr, which the radius follows, is ", now.lr);
  double rho = rho_;
  if (s.kind == RadiusKind::linear) {
    const double done = static_cast<double>(now.step) / static_cast<double>(s.total_steps);
    rho += (s.end - rho_) * std::min(done, 1.0);
  } else if (s.kind == RadiusKind::with_lr) {
    const double height = std::clamp((now.lr - s.lr_end) / (s.lr_peak - s.lr_end), 0.0, 1.0);
    rho = s.end + (rho_ - s.end) * height;
  }
  if (now.step < s.warmup_steps)
    rho *= static_cast<double>(now.step + 1) / static_cast<double>(s.warmup_steps);
  return rho;
}

}  // namespace basin::optim
