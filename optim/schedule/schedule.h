// Learning-rate schedules: pure functions of the global step, so that there is no scheduler state to save.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace basin::optim {

enum class ScheduleKind { constant, step, cosine, linear, swa, sawtooth, triangle, snapshot, one_cycle };

/// How a rate goes from a to b as s goes from 0 to 1: cosine c a + (1 - c) b with c = (1 + cos(pi s)) / 2,
/// linear (1 - s) a + s b.
enum class Anneal { cosine, linear };

/// The numbers of Smith's 1cycle policy, with PyTorch's names and defaults.
struct OneCycle {
  double pct_start = 0.3;         // share of the steps in which the rate rises
  double div_factor = 25;         // >= 1: the first rate is lr / div_factor
  double final_div_factor = 1e4;  // >= 1: the last rate is lr / div_factor / final_div_factor
  Anneal anneal = Anneal::cosine;

  bool operator==(const OneCycle&) const = default;
};

/// What replaces any schedule from start_step on: the averaging phase of SWA. In the first anneal_steps steps
/// the rate goes from the schedule's own at start_step to lr, as torch.optim.swa_utils.SWALR does:
///   step start_step + j has s = j / anneal_steps.
/// Then it stays, or with cycle_steps > 0 it is a sawtooth (or triangle) between high_lr and lr, beginning
/// anew.
struct ScheduleTail {
  std::int64_t start_step = 0;
  double lr = 0;                   // may lie above the schedule's own
  std::int64_t anneal_steps = 0;   // 0: at once
  Anneal anneal = Anneal::cosine;  // has a meaning where anneal_steps > 0
  std::int64_t cycle_steps = 0;    // 0: no cycles
  double high_lr = 0;              // with cycles, >= lr
  bool triangle = false;           // cycles: from high_lr down to lr and up again, FGE's after pretraining
};

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::constant;
  double lr = 0.1;                            // the peak
  double min_lr = 0;                          // the least rate; constant, step and one_cycle have none: 0
  std::int64_t total_steps = 1;               // of the run
  std::int64_t warmup_steps = 0;              // linear from lr/warmup_steps in step 0 up to lr
  std::vector<std::int64_t> milestones = {};  // step: lr *= gamma from each of these steps on
  double gamma = 0.1;                         // step
  std::int64_t steps_per_epoch = 0;           // swa
  std::int64_t span_epochs = 0;               // swa: D below
  std::int64_t cycle_steps = 0;               // sawtooth, triangle: c below
  std::int64_t cycles = 0;                    // snapshot: M below
  bool code_form = false;                     // triangle, snapshot: as the authors' code has them
  OneCycle one_cycle = {};                    // one_cycle
  std::optional<ScheduleTail> tail = {};      // any kind
};

/// With T = total_steps, W = warmup_steps: in the warm-up, t < W, lr (t + 1) / W; then
///   constant   lr
///   step       lr gamma^(number of milestones <= t)
///   linear     (1 - s) lr + s min_lr,  s = (t - W) / (T - W)
///   cosine     c lr + (1 - c) min_lr,  c = (1 + cos(pi s)) / 2   (Loshchilov and Hutter 2017, eq. (5))
/// so that step W has lr exactly, and step T, the first after the run, min_lr exactly; later steps stay
/// there.
///   swa        (1 - s) lr + s min_lr in all of epoch e = floor(t / steps_per_epoch), s = (e / D - 0.5) / 0.4
///              held to [0, 1]: the code of Izmailov et al. 2018. D is SWA's first epoch, min_lr its rate;
///              with D = all epochs and min_lr = 0.01 lr it is their SGD baseline. A warm-up ends in the
///              first half of D and shifts nothing.
/// These have no warm-up. Step t has position i in a cycle of length c, 0 <= i < c:
///   sawtooth   (1 - p) lr + p min_lr,  p = (i + 1) / c   (Izmailov et al. 2018, sec. 3.2)
///   triangle   h lr + (1 - h) min_lr,  h = |1 - 2 p|, p = (i + 1) / c, c even   (Fast Geometric Ensembling,
///              Garipov et al. 2018); code_form: p = i / c, the same one step later
///   snapshot   cosine with s = i / c   (Huang et al. 2017, eq. (2)); code_form: s = (i + 1) / c. Cycle k of
///              the M is steps floor(k T / M) to floor((k + 1) T / M) - 1: lengths differ by one step at most
///              and fill the run, whatever T is. From step T on, the rate of step T - 1.
///   one_cycle  with b = pct_start T - 1: lr / div_factor to lr for t <= b, s = t / b; then to lr /
///   (div_factor
///              final_div_factor), s = (t - b) / (T - 1 - b), and stays there (torch's OneCycleLR)
/// Sawtooth and triangle go on beyond T. A tail replaces all of that from its first step on.
///
/// Cycles end where the rate is lowest: sawtooth after i = c - 1, triangle after i = c / 2 - 1 (in code_form
/// too, as in the authors' code), snapshot after i = c - 1, so the M-th at step T - 1. The weights after that
/// step are what cyclical SWA, FGE and Snapshot Ensembles collect.
class Schedule {
 public:
  /// Errors: an option out of range; milestones missing, not rising, or inside the warm-up; an option given
  /// to a kind that does not use it.
  explicit Schedule(const ScheduleOptions& options);
  /// Learning rate of step t = 0, 1, ... Errors: t negative.
  double lr(std::int64_t t) const;
  /// Whether the schedule has cycles, in its own kind or in its tail.
  bool has_cycles() const;
  /// Whether t is the last step of a cycle. Errors: t negative.
  bool is_cycle_end(std::int64_t t) const;
  /// The number of cycle ends among steps 0, ..., t - 1. Errors: t negative.
  std::int64_t cycle_ends_before(std::int64_t t) const;

 private:
  double base_lr(std::int64_t t) const;
  std::int64_t base_ends_before(std::int64_t t) const;
  /// The first step of the tail's sawtooth.
  std::int64_t tail_cycles_start() const { return options_.tail->start_step + options_.tail->anneal_steps; }

  ScheduleOptions options_;
};

}  // namespace basin::optim
