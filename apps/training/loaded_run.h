// LoadedRun: trained weights in their model, with the data that they are asked about. Classifier: without.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/config/train_config.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/run_data.h"
#include "apps/weights/class_match.h"
#include "apps/weights/identity.h"
#include "apps/weights/weight_file.h"
#include "data/loading/given_pictures.h"
#include "nn/module.h"

namespace basin::apps {

/// What is asked of which weights: by `basin eval`, and by every command that looks at trained weights.
struct LoadedRun {
  TrainConfig config{};                 // data, model and device of the request; no augmentation
  std::vector<std::string> files{};     // of weights: one, or the members of an ensemble
  std::unique_ptr<nn::Module> model{};  // as wide as the weights; with those of the file, or still blank
  RunData data{};                       // normalised as in the weights' training, labels as they count
  ClassMatch match{};                   // where each class of the data stands among the logits
  std::int64_t logits = 0;
  Identity identity{};  // of the weights, as far as the files say it

  /// Of each logit: what the weights call its class, else the data's name there, else "class 3".
  std::vector<std::string> logit_names() const;

  /// A pass over examples of it, watched as `what`.
  EvaluationOptions passes(const std::string& what, Terminal& terminal) const;
};

/// Opens the weights of one file, then the data with the normalisation that these were trained with, and
/// builds the model that holds them. Says what differs and may: classes in another order, images of another
/// size, weights of another dtype. Of `config` data, model, device and schedule.batch_size count. Errors:
/// CheckpointError for weights of another model or other classes; those of load_run_data() and
/// load_weights(); InterruptedError.
LoadedRun load_run(const TrainConfig& config, const std::string& weights, Terminal& terminal);

/// The same for the members of an ensemble, which agree on what they are. The model stays blank: members take
/// their turns in it (evaluate_ensemble()).
LoadedRun load_ensemble(const TrainConfig& config, const std::vector<std::string>& members,
                        Terminal& terminal);

/// One file of weights, or several that vote, and what their network wants to see.
struct Classifier {
  std::vector<std::string> files{};
  Identity identity{};                  // model, image, classes, mean and deviation are known
  std::vector<std::string> names{};     // of each logit: its class, or "class 3"
  data::EvaluatedLook look{};           // as the run evaluated its test images
  std::unique_ptr<nn::Module> model{};  // blank; files take their turns in it
};

/// Reads what the files say of themselves and builds their network. Of `config` model, data.name,
/// data.image_size and device count. A picture is seen as in the evaluation of the run: a network of a
/// picture set resizes the shorter side to image_size 256 / 224 and cuts out the middle, one of a set in
/// memory resizes it to the image's own size; both are normalised as the file says, or, of a picture set, as
/// ImageNet is. `class_names`, if there are any, take the place of the file's. Errors: CheckpointError for a
/// file that does not fit, or says neither itself nor by `config` what it is normalised with; for files that
/// differ; UsageError for another number of class_names, or images that are not square.
Classifier open_classifier(const TrainConfig& config, const std::vector<std::string>& files,
                           const std::vector<std::string>& class_names, Terminal& terminal);

/// The head of the network in the file: a row a class. Errors: CheckpointError where there is none that fits
/// the model.
ArchiveTensor head_in(const WeightFile& file, const ModelConfig& model, const Shape& image);

}  // namespace basin::apps
