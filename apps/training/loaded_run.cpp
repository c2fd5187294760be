#include "apps/training/loaded_run.h"

#include "apps/cli/long_work.h"
#include "apps/training/experiment.h"
#include "apps/weights/weights.h"

namespace basin::apps {

EvaluationOptions LoadedRun::passes(const std::string& what, Terminal& terminal) const {
  EvaluationOptions options = evaluation_options(config);
  options.watch = LongWork(terminal).part(what, "images");
  return options;
}

LoadedRun load_ensemble(const TrainConfig& config, const std::vector<std::string>& members,
                        Terminal& terminal) {
  LoadedRun run{.config = config, .files = members};
  run.config.data.augment = "none";
  const std::string& path = members.front();
  const Identity weights = common_identity(members);
  run.data = load_run_data(
      run.config.data, 0,
      {.watch = LongWork(terminal).parts(), .normalisation = {weights.mean, weights.deviation}});
  terminal.repaint("");
  tell(run.data, terminal);
  const ImageSet& set = run.data.set;
  const Identity own = identity_of(config.model, set);
  for (const std::string& line : expect_same_network(path, weights, own)) terminal.note(line);
  if (!set.own_normalisation)
    terminal.note(text("images are normalised as in the training of ", path, ", not as ", set.name, " is"));
  run.match = match_classes(path, weights, own, "");
  if (!run.match.words.empty()) terminal.note(run.match.words);
  run.logits = run.match.in_order ? own.classes : weights.classes;
  if (!run.match.in_order)
    for (auto* source : {&run.data.train, &run.data.validation, &run.data.test})
      if (*source) *source = relabelled(*source, run.match.place);
  run.model = build_model(config.model, set.image, run.logits, 0, config.device.dtype, /*blank=*/true,
                          config.device.device);
  return run;
}

LoadedRun load_run(const TrainConfig& config, const std::string& weights, Terminal& terminal) {
  LoadedRun run = load_ensemble(config, {weights}, terminal);
  const LoadReport loaded =
      load_weights(weights, entries_of(*run.model), {.wanted = identity_of(config.model, run.data.set)});
  if (loaded.converted > 0) terminal.note(text(weights, "  ", in_words(loaded)));
  return run;
}

}  // namespace basin::apps
