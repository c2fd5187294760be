// Which average of the weights a run keeps beside the last: the struct, its words and its options.
#pragma once

#include <cstdint>

#include "apps/options/names.h"
#include "nn/recalibration.h"
#include "optim/averages/average.h"
#include "optim/schedule/schedule.h"

namespace basin::apps {

class OptionTable;

enum class Average { none, swa, ema, lawa };
const NamesOf<Average>& average_names();  // "none", "swa", "ema", "lawa"
enum class CollectAt { epoch, step, cycle };
const NamesOf<nn::RecalibrationMode>& recalibration_names();  // "pooled", "sample-weighted", "equal-batches"

struct AverageConfig {
  Average kind = Average::none;
  CollectAt at = CollectAt::epoch;
  std::int64_t every = 1;
  double start = 0.8;  // first epoch (1, 2, ...) that takes part, or below 1 a fraction of the run
  double ema_decay = 0.999;
  optim::EmaWarmup ema_warmup = optim::EmaWarmup::none;
  std::int64_t lawa_window = 6;
  double swa_lr = 0.05;  // 0: the schedule's own
  double swa_anneal_epochs = 0;
  optim::Anneal swa_anneal = optim::Anneal::cosine;
  double swa_cycle_epochs = 0;
  double swa_high_lr = 0.1;
  bool recalibrate_last = false;
  nn::RecalibrationMode recalibration = nn::RecalibrationMode::pooled;
};

/// Adds the group "Averages of weights".
void add(OptionTable& table, AverageConfig& average);

}  // namespace basin::apps
