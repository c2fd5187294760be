#include "apps/config/loss.h"

#include "apps/options/options.h"

namespace basin::apps {

void add(OptionTable& t, LossConfig& c) {
  t.group("loss", "Loss");
  t.add("label-smoothing", "label_smoothing", real(c.label_smoothing, below_one()),
        "share s of each label that is spread over the classes, 0.1 for example; 0: none")
      .aliases = {"smoothing", "ls"};
  t.add("smoothing-form", "smoothing_form",
        choice(c.form, {{"uniform", Smoothing::uniform}, {"others", Smoothing::others}}),
        "uniform: s/K to each class; others: s/(K-1) to each wrong class")
      .only_with("label-smoothing", {"!0.0"});
}

}  // namespace basin::apps
