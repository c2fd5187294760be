// How long a run is and how its learning rate goes: the struct and its options.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/options/bindings.h"
#include "optim/schedule/schedule.h"

namespace basin::apps {

class OptionTable;

struct ScheduleConfig {
  optim::ScheduleKind kind = optim::ScheduleKind::cosine;
  std::int64_t epochs = 30;
  std::int64_t steps = 0;  // of the run; 0: as many as the epochs have
  std::int64_t batch_size = 128;
  double warmup_epochs = 0;
  std::vector<double> milestones = {0.5, 0.75};  // below 1 fractions of the run
  double gamma = 0.1;
  double min_lr = 0;
  std::int64_t cycles = 5;
  double cycle_epochs = 4;
  bool code_form = false;
  optim::OneCycle one_cycle;
};

/// Adds the group "Length and learning rate over time".
void add(OptionTable& table, ScheduleConfig& schedule);

/// A moment or length in epochs, also a fraction of one.
inline Range epochs_range() { return {.low = 0, .high = 1e6}; }

}  // namespace basin::apps
