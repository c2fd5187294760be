#include "apps/training/loaded_run.h"

#include "apps/cli/long_work.h"
#include "apps/training/experiment.h"
#include "apps/weights/weights.h"
#include "core/error.h"
#include "data/loading/folder_source.h"
#include "data/sets/metadata.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

/// {H,W,C} of what the network sees.
Shape image_of(const Identity& said, const DataConfig& config) {
  if (data::is_picture_set(config.name)) return {config.image_size, config.image_size, 3};
  return said.image.rank() == 3 ? said.image : nominal_set(config).image;
}

data::EvaluatedLook look_of(const std::string& path, const Identity& identity, const DataConfig& config) {
  if (identity.image[0] != identity.image[1])
    throw UsageError("predict: ", path, " is of images that are not square, ",
                     data::image_label(identity.image), ": which part of a picture they are, nobody says");
  const bool pictures = data::is_picture_set(config.name);
  const data::PictureTransform evaluated = data::eval_transform(identity.image[0]);
  data::EvaluatedLook look{.size = identity.image[0], .resize = identity.image[0]};
  if (pictures) look.resize = data::FolderSource({}, evaluated, 0).shorter_side();
  look.mean = identity.mean;
  look.deviation = identity.deviation;
  if (look.mean.empty() && pictures) {
    look.mean = evaluated.mean;
    look.deviation = evaluated.deviation;
  }
  if (look.mean.empty())
    throw CheckpointError("[predict] ", path, " does not say what its images are normalised with, and ",
                          config.name,
                          " is no set of pictures whose normalisation all share; weights that "
                          "Basin writes today say it");
  return look;
}

}  // namespace

EvaluationOptions LoadedRun::passes(const std::string& what, Terminal& terminal) const {
  EvaluationOptions options = evaluation_options(config);
  options.watch = LongWork(terminal).part(what, "images");
  return options;
}

std::vector<std::string> LoadedRun::logit_names() const {
  std::vector<std::string> names = apps::logit_names(identity, logits);
  const std::vector<std::string>& known = data.set.class_names;
  if (identity.class_names.empty())
    for (std::size_t k = 0; k < known.size(); ++k) names[static_cast<std::size_t>(match.place[k])] = known[k];
  return names;
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
  run.identity = weights;
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

ArchiveTensor head_in(const WeightFile& file, const ModelConfig& model, const Shape& image) {
  const auto probe = build_model(model, image, 1, 0, Dtype::f32, /*blank=*/true);
  const std::string head = nn::head_of(*probe) + ".weight";
  const ArchiveTensor rows = find_weight(file, entries_of(*probe), head);
  if (rows.shape.rank() != 2 || rows.shape[0] < 1)
    throw CheckpointError("[load] ", file.path(), ": '", head, "' is ", rows.shape, ", not {classes,inputs}");
  return rows;
}

Classifier open_classifier(const TrainConfig& config, const std::vector<std::string>& files,
                           const std::vector<std::string>& class_names, Terminal& terminal) {
  const std::string& path = files.front();
  const Identity said = common_identity(files);
  Classifier all{.files = files, .identity = said};
  Identity& identity = all.identity;
  identity.image = image_of(said, config.data);
  identity.model = config.model.name;
  identity.shortcut = config.model.shortcut == nn::Shortcut::b ? "B" : "";
  if (identity.data.empty()) identity.data = config.data.name;
  for (const std::string& line : expect_same_network(path, said, identity)) terminal.note(line);
  identity.classes = head_in(WeightFile(path), config.model, identity.image).shape[0];
  if (!class_names.empty()) {
    if (static_cast<std::int64_t>(class_names.size()) != identity.classes)
      throw UsageError("--classes has ", class_names.size(), " names, ", path, " is of ", identity.classes,
                       " classes");
    identity.class_names = class_names;
  }
  all.names = logit_names(identity, identity.classes);
  all.look = look_of(path, identity, config.data);
  identity.mean = all.look.mean;
  identity.deviation = all.look.deviation;
  if (static_cast<std::int64_t>(all.look.mean.size()) != identity.image[2])
    throw CheckpointError("[predict] ", path, " is of images with ", all.look.mean.size(),
                          " channels, --data ", config.data.name, " has ", identity.image[2]);
  all.model = build_model(config.model, identity.image, identity.classes, 0, config.device.dtype,
                          /*blank=*/true, config.device.device);
  return all;
}

}  // namespace basin::apps
