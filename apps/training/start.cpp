#include "apps/training/start.h"

#include "apps/weights/class_match.h"
#include "apps/weights/weights.h"
#include "nn/models/registry.h"

namespace basin::apps {
namespace {

/// What of the file is unlike this run and may be so in a start.
std::vector<std::string> warnings_of(const std::string& path, const Identity& file, const Identity& own) {
  std::vector<std::string> lines;
  if (!file.model.empty() && file.model != own.model)
    lines.push_back(text(path, " says that it is a ", model_label(file), "; its tensors fit ",
                         model_label(own), " and are taken"));
  Identity normalised = file, here = own;
  normalised.model = here.model = "";
  normalised.image = here.image = {};
  normalised.class_names = here.class_names = {};
  normalised.classes = here.classes = 0;
  if (const std::string other = differences(normalised, here); !other.empty())
    lines.push_back(text(path, ": ", other));
  return lines;
}

}  // namespace

void tell(const Start& start, Terminal& terminal) {
  terminal.note("init   " + start.words);
  for (const std::string& line : start.warnings) terminal.warn(line);
}

Start start_from_file(nn::Module& model, const ModelConfig& config, const ImageSet& set) {
  const std::string& path = config.init;
  const Identity file = identity_in(WeightFile(path).metadata()), own = identity_of(config, set);
  const std::string remedy = "; for a fresh last layer: --ignore-head";
  LoadOptions options{
      .head = nn::head_of(model), .ignore_head = config.ignore_head, .wanted = own, .resize_positions = true};
  ClassMatch match;
  if (!config.ignore_head) {
    match = match_classes(path, file, own, remedy);
    if (!match.in_order && file.classes != own.classes)
      throw CheckpointError("[classes] ", match.words, "; the last layer has one row a class", remedy);
    if (!match.in_order) options.head_rows = match.place;
  }
  const LoadReport loaded = load_weights(path, entries_of(model), options);
  Start start{.words = text(path, "  ", in_words(loaded)), .warnings = warnings_of(path, file, own)};
  if (config.ignore_head)
    start.words += text("; the head ", options.head, " is freshly drawn, ", loaded.left_out,
                        " tensors of the file left out");
  else if (!match.words.empty())
    start.words += "; " + match.words;
  return start;
}

}  // namespace basin::apps
