#include "apps/bench/bench_config.h"

#include "apps/cli/options.h"
#include "apps/config/data.h"

namespace basin::apps {

void add(OptionTable& t, BenchConfig& c) {
  t.group("what", "What is measured");
  t.add_call(
      "rules", free_text(c.rules, "NAMES", "names"),
      "gradient rules between commas; without it rules has all, step and memory plain,sam, scaling plain");
  t.add_call("model", model_name(c.model.name), "the network, one of `basin info --models`");
  t.add_call("image-size", whole(c.image_size, 8, 512), "height and width of the images");
  t.add_call("batch-size", whole(c.batch_size, 1, 2048),
             "images a step; memory and scaling: its half, quarter and eighth too");
  t.add_call("augment", augmentation(c.augment),
             "step: random changes that loader threads make beside the training; none: one batch, at hand");
  t.add_call("workers", whole(c.workers, 0, 256), "step: threads of that loader")
      .only_with("augment", {"!none"});
  t.add_call("rounds", whole(c.rounds, 1, 1000), "in each, everything that is compared has its turn");
  t.add_call("steps", whole(c.steps, 1, 1000), "of a turn; memory: two");
  t.add_call("threads", whole(c.device.threads, 0, 1024),
             "threads of computation; 0: every CPU this process may use");
  count_for_convolutions(t.add_call("conv-algo", choice(c.device.conv_algorithm, conv_algorithm_names()),
                                    "arithmetic of 3x3 convolutions"));
}

}  // namespace basin::apps
