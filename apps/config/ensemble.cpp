#include "apps/config/ensemble.h"

#include "apps/config/schedule.h"
#include "apps/options/conditional.h"

namespace basin::apps {

const NamesOf<EnsembleKind>& ensemble_names() {
  static const NamesOf<EnsembleKind> names = {
      {"none", EnsembleKind::none}, {"snapshot", EnsembleKind::snapshot}, {"fge", EnsembleKind::fge}};
  return names;
}

void add(OptionTable& t, EnsembleConfig& c) {
  t.group("ensemble", "Ensembles");
  t.add("ensemble", "name", choice(c.kind, ensemble_names()),
        "weights that are saved as members of an ensemble; snapshot: at the ends of the schedule's cycles; "
        "fge: at those of a triangle that follows the schedule");
  Conditional fge(t, "ensemble", {"fge"});
  fge("fge-start", "start", real(c.start, epochs_range()),
      "the first epoch 1, 2, ... of the cycles, or below 1 a fraction of the run");
  fge("fge-cycle-epochs", "cycle_epochs", real(c.cycle_epochs, {.low = 0, .high = 1e6, .low_open = true}),
      "epochs in a cycle, rounded to an even number of steps");
  fge("fge-high-lr", "high_lr", real(c.high_lr, at_least(0)), "highest learning rate, between members");
  fge("fge-low-lr", "low_lr", real(c.low_lr, at_least(0)), "lowest learning rate, where a member is saved");
}

}  // namespace basin::apps
