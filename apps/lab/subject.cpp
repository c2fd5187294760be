#include "apps/lab/subject.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/cli/format.h"
#include "apps/config/data.h"
#include "apps/config/device.h"
#include "apps/config/model.h"
#include "apps/options/options.h"
#include "apps/runs/run_config.h"
#include "apps/runs/weights_of_run.h"
#include "core/error.h"
#include "core/io/hash.h"
#include "data/loading/chosen.h"

namespace basin::apps {
namespace {

const NamesOf<Split>& split_names() {
  static const NamesOf<Split> names = {
      {"train", Split::train}, {"validation", Split::validation}, {"test", Split::test}};
  return names;
}

void add_measured(OptionTable& t, SubjectConfig& c) {
  t.add_call("split", choice(c.split, split_names()),
             "whose images the loss is of: those of training (as the run chose and labelled them), its "
             "validation images, or the test images");
  t.add_call("images", whole(c.images, 0, 1'000'000'000),
             "take so many images of the split, drawn by --seed, the same for every run; 0: all");
  t.add_call("seed", natural(c.seed), "seed of the images that are drawn, and of random vectors");
  t.add_call(
      "loss", choice(c.loss, {{"plain", LossOf::plain}, {"trained", LossOf::trained}}),
      "the loss; plain: mean cross-entropy; trained: with the label smoothing and the weight decay that "
      "the run minimised");
  count_for_batch_norm(
      t.add_call("batch-norm", choice(c.batch_norm, {{"eval", nn::Mode::eval}, {"train", nn::Mode::train}}),
                 "what batch normalisation divides by; eval: the running statistics, which "
                 "are constants; train: those of each pass of --batch-size images"));
}

const std::shared_ptr<const data::ExampleSource>& source_of(const RunData& data, Split split) {
  return split == Split::train ? data.train : split == Split::test ? data.test : data.validation;
}

/// Whether the weight decay is part of the gradient, as that of |w|^2 / 2 is, and not a step of its own.
bool decay_is_of_the_loss(const OptimizerConfig& config) {
  return config.decay_in == DecayIn::loss || !decouples_decay(config.kind);
}

/// The loss, of a run or, where `trained` is null, of weights alone.
DatasetLoss loss_of(const SubjectConfig& config, const TrainConfig* trained) {
  DatasetLoss loss{.mode = config.batch_norm, .seed = config.seed};
  if (trained == nullptr) return loss;
  loss.frozen_statistics = trained->model.norm_statistics == NormStatistics::frozen;
  if (config.loss == LossOf::plain) return loss;
  loss.cross_entropy = {.label_smoothing = trained->loss.label_smoothing, .form = trained->loss.form};
  if (decay_is_of_the_loss(trained->optimizer)) loss.weight_decay = trained->optimizer.weight_decay;
  return loss;
}

}  // namespace

std::shared_ptr<const data::ExampleSource> examples_of(const RunData& data, Split split, std::int64_t images,
                                                       std::uint64_t seed) {
  const std::string name = name_of(split_names(), split);
  const auto& all = source_of(data, split);
  if (!all) throw UsageError("--split ", name, ": the run was trained without --validation images");
  if (images == 0 || images == all->size()) return all;
  if (images > all->size())
    throw UsageError("--images ", images, ": the ", name, " images are ", all->size(),
                     "; 0 takes all of them");
  return data::drawn(all, images, seed);
}

std::shared_ptr<const data::ExampleSource> examples_at_most(const RunData& data, Split split,
                                                            std::int64_t images, std::uint64_t seed) {
  const auto& all = source_of(data, split);
  return examples_of(data, split, all ? std::min(images, all->size()) : images, seed);
}

void add(OptionTable& t, SubjectConfig& c) {
  t.group("weights", "Whose weights");
  t.add_call(
      "weights", free_text(c.weights, "WHICH", "last, swa, ema, lawa, member:N or a file"),
      "which weights: of RUN last, swa, ema, lawa or member:N (of an ensemble); or a file, which without RUN "
      "needs --model and --data");
  t.group("measured", "What is measured");
  add_measured(t, c);
  t.add("batch-size", "batch_size", whole(c.batch_size, 1, 1'000'000),
        "images in a pass; shows in a result only by rounding, and with --batch-norm train");
  t.group("data", "Data");
  add_source(t, c.data);
  add_workers(t, c.data);
  add_network(t, c.model);
  add(t, c.device);
}

std::string build_on_run(OptionTable& table, SubjectConfig& config, const std::string& run) {
  config.run = run;
  if (!run.empty()) {
    take_from_run(table, run);
    return run;
  }
  if (table.by_flag("weights")->source == Source::standard)
    throw UsageError(
        "nothing to measure: name a RUN's directory, or give --weights FILE with --model and --data");
  for (const char* flag : {"model", "data"}) {
    if (table.by_flag(flag)->source == Source::standard)
      throw UsageError("--weights without a RUN needs --", flag, " NAME too");
  }
  if (config.loss == LossOf::trained)
    throw UsageError("--loss trained is of a RUN: a file of weights does not say how it was trained");
  return "";
}

void check(const OptionTable& table, SubjectConfig& config) {
  config.images_at_most = table.by_flag("images")->source == Source::standard;
}

DatasetObjective Subject::objective(const data::Watch& watch) const {
  EvaluationOptions passes = evaluation_options(run.config);
  passes.watch = watch;
  return {*run.model, *w, examples, passes, loss};
}

Tally Subject::tally(const data::Watch& watch) const {
  EvaluationOptions passes = evaluation_options(run.config);
  passes.watch = watch;
  return evaluate(*run.model, examples, run.logits, passes);
}

Subject open_subject(const SubjectConfig& config, Terminal& terminal) {
  std::optional<TrainConfig> trained;
  if (!config.run.empty()) trained = read_run_config(config.run);
  TrainConfig wanted;
  wanted.data = config.data;
  // Which training images there are, and with which labels, is the run's; where they lie, this call's.
  if (trained) {
    wanted.data = trained->data;
    wanted.data.dir = config.data.dir;
    wanted.data.workers = config.data.workers;
  }
  wanted.model = config.model;
  wanted.device = config.device;
  wanted.schedule.batch_size = config.batch_size;

  Subject subject;
  subject.file = weights_file("lab", config.run, config.weights);
  subject.run = load_run(wanted, subject.file, terminal);
  subject.sha256 = sha256_file(subject.file);
  const bool all_decay = !trained || trained->optimizer.decay == Decay::all;
  subject.w = std::make_unique<optim::ParameterVector>(
      entries_of(*subject.run.model).parameters, all_decay ? optim::Decay::all : optim::Decay::weights_only);
  const std::string split = name_of(split_names(), config.split);
  const auto examples = config.images_at_most ? examples_at_most : examples_of;
  subject.examples = examples(subject.run.data, config.split, config.images, config.seed);
  const auto& all = source_of(subject.run.data, config.split);
  subject.loss = loss_of(config, trained ? &*trained : nullptr);

  const DatasetLoss& loss = subject.loss;
  Json& s = subject.statement;
  s.set("loss", "mean cross-entropy").set("label_smoothing", loss.cross_entropy.label_smoothing);
  s.set("weight_decay", loss.weight_decay).set("data", subject.run.data.set.name).set("split", split);
  s.set("images", subject.examples->size()).set("of", all->size());
  if (subject.examples != all) s.set("drawn_by_seed", config.seed);
  s.set("augment", "none").set("batch_norm", loss.mode == nn::Mode::eval ? "eval" : "train");
  s.set("batch_size", config.batch_size).set("dtype", text(subject.w->dtype()));
  s.set("model", config.model.name).set("weights_sha256", subject.sha256);
  s.set("data_hash", subject.run.data.hash);
  return subject;
}

std::string in_words(const Json& s) {
  const auto number = [&](const char* key) { return s.at(key).number(); };
  std::string line = s.at("loss").string();
  if (number("label_smoothing") > 0) line += text(", label smoothing ", number("label_smoothing"));
  if (number("weight_decay") > 0) line += text(", + ", number("weight_decay"), " |w|^2 / 2");
  line += " over " + grouped(s.at("images").integer());
  if (s.at("images").integer() != s.at("of").integer()) line += " of " + grouped(s.at("of").integer());
  line += " " + s.at("data").string() + " " + s.at("split").string() + " images, not augmented; batch norm ";
  line += s.at("batch_norm").string() == "eval"
              ? "by running statistics"
              : text("by each pass of ", s.at("batch_size").integer(), " images");
  return line + "; " + s.at("dtype").string();
}

}  // namespace basin::apps
