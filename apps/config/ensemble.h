// Which members of an ensemble a run saves on its way: the struct, its words and its options.
#pragma once

#include "apps/options/names.h"

namespace basin::apps {

class OptionTable;

enum class EnsembleKind { none, snapshot, fge };
const NamesOf<EnsembleKind>& ensemble_names();  // "none", "snapshot", "fge"

struct EnsembleConfig {
  EnsembleKind kind = EnsembleKind::none;
  double start = 0.8;  // fge: as AverageConfig::start
  double cycle_epochs = 2;
  double high_lr = 0.05, low_lr = 0.0005;
};

/// Adds the group "Ensembles".
void add(OptionTable& table, EnsembleConfig& ensemble);

}  // namespace basin::apps
