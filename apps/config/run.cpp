#include "apps/config/run.h"

#include "apps/options/options.h"

namespace basin::apps {

void add(OptionTable& t, RunConfig& c) {
  t.group("run", "The run and its files");
  t.add_call("run", free_text(c.dir, "DIR", "a directory"),
             "where the run's files go (without it: runs/NAME-NNN, numbered)")
      .aliases = {"out", "output", "output-dir", "run-dir"};
  t.add("name", "name", free_text(c.name, "NAME", "a name"),
        "name of the run (empty: DATA-MODEL, DATA-MODEL-sam)")
      .role = Role::session;
  t.add("seed", "seed", natural(c.seed),
        "seed of the initial weights, the order of images and the augmentation: equal seeds give equal bits");
  t.add_call("force", toggle(c.force), "replace the run that is in --run DIR")
      .only_with("run", {"!"})
      .aliases = {"overwrite"};
  t.add_call("resume", free_text(c.resumed, "DIR", "a directory"),
             "go on with the run in DIR from its newest checkpoint; the result is bit for bit that of a "
             "straight run");
  Option& every =
      t.add("checkpoint-every", "checkpoint_every", period(c.checkpoint_every),
            "how often a checkpoint is saved: 5steps, 1epochs, 10m or never; there is always one at the end");
  every.role = Role::session;
  every.aliases = {"ckpt-every", "save-every"};
  t.add("keep", "keep", whole(c.keep, 1, 1'000'000), "how many checkpoints stay, the newest ones").role =
      Role::session;
  t.add_call("stop-after-steps", whole(c.stop_after_steps, 0, 1'000'000'000),
             "save and stop after N steps of this call; 0: go on to the end");
  Option& time = t.add("max-time", "max_time", duration(c.max_seconds),
                       "save and stop after this time in one call: 90s, 10m, 1.5h or none");
  time.role = Role::session;
  t.add("tensorboard", "tensorboard", toggle(c.tensorboard),
        "write losses, accuracies, learning rate and gradient norms also as event files of TensorBoard, into "
        "RUN/tensorboard")
      .role = Role::session;
  t.add_call("dry-run", toggle(c.dry_run), "check everything, try one step, write nothing");
}

}  // namespace basin::apps
