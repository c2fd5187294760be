#include "apps/bench/bench_config.h"

#include "apps/config/data.h"
#include "apps/options/options.h"

namespace basin::apps {

void add(OptionTable& t, BenchConfig& c) {
  t.group("what", "What is measured");
  t.add_call("rules", free_text(c.rules, "NAMES", "names"),
             "gradient rules to measure, such as plain,sam,gam; without it `rules` takes all, `step` and "
             "`memory` plain,sam, `scaling` plain");
  t.add_call("model", model_name(c.model.name), "the network, one of `basin info --models`");
  t.add_call("image-size", whole(c.image_size, 8, 512), "height and width of the images");
  t.add_call("batch-size", whole(c.batch_size, 1, 2048),
             "images in a step; `memory` and `scaling` also take its half, quarter and eighth");
  t.add_call("augment", augmentation(c.augment),
             "for `step`: random changes that loader threads make beside the training; none: one batch made "
             "beforehand");
  t.add_call("workers", whole(c.workers, 0, 256), "for `step`: threads that make those changes")
      .only_with("augment", {"!none"});
  t.add_call("rounds", whole(c.rounds, 1, 1000),
             "how often each thing is measured; they take turns (sam, gam, sam, gam, ...), and medians are "
             "reported");
  t.add_call("steps", whole(c.steps, 1, 1000), "training steps in a turn; `memory` makes two");
  t.add_call("threads", whole(c.device.threads, 0, 1024),
             "threads that compute; 0: every CPU this process may use");
  add_device(t, c.device);
  Option& algorithm = t.add_call("conv-algo", choice(c.device.conv_algorithm, conv_algorithm_names()),
                                 "arithmetic of 3x3 convolutions");
  count_for_convolutions(algorithm);
  algorithm.only_with("device", {"cpu"});
  add_card_of_call(t, c.device);
}

}  // namespace basin::apps
