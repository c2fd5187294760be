#include "apps/config/measure.h"

#include "apps/options/conditional.h"

namespace basin::apps {

void add(OptionTable& t, MeasureConfig& c) {
  t.group("measure", "What is measured on the way");
  Option& every =
      t.add("eval-every", "eval_every", whole(c.eval_every, 1, 1'000'000),
            "evaluate on the test (and validation) images after every so many epochs, and the last. "
            "Training goes on with the same bits");
  every.role = Role::session;
  every.aliases = {"eval-freq", "validation-freq", "check-val-every-n-epoch"};
  t.add("hessian-every", "hessian_every", whole(c.hessian_every, 0, 1'000'000),
        "after every so many epochs, and the last: the largest eigenvalue and the trace of the loss's "
        "Hessian, "
        "in metrics.csv and the report; 0: never. Training goes on with the same bits")
      .aliases = {"hessian-freq", "curvature-every"};
  Conditional(t, "hessian-every", {"!0"})(
      "hessian-images", "hessian_images", whole(c.hessian_images, 1, 1'000'000'000),
      "training images, not augmented, that this loss is the mean over: the same every time");
}

}  // namespace basin::apps
