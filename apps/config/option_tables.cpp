// One line an option. Defaults are the initial values in apps/config/config.h.
#include "apps/config/option_tables.h"

#include "apps/cli/presets.h"
#include "apps/config/names.h"
#include "apps/runs/export_format.h"
#include "data/sets/load.h"
#include "data/sets/pictures.h"
#include "nn/models/registry.h"

namespace basin::apps {

namespace {

constexpr std::int64_t kMany = 1'000'000'000;

const std::string kModels = "`basin info --models`";

void count_for_pictures(Option& option) {
  std::vector<std::string> names;
  for (const data::PictureSetInfo& set : data::known_picture_sets()) names.push_back(set.name);
  option.only_with("data", names);
}

/// Only models whose 3x3 convolutions could be computed in more than one way.
void count_for_convolutions(Option& option) {
  std::vector<std::string> names;
  for (const nn::ModelInfo& model : nn::models())
    if (model.convolves_3x3) names.push_back(model.name);
  option.only_with("model", names, "with 3x3 convolutions");
}

void count_for_free_crops(Option& option) {
  std::vector<std::string> names;
  for (const data::DataSetInfo& set : data::known_data_sets()) names.push_back(set.name);
  option.only_with("augment", {"basic", "cutout", "crop=*"}, "with a crop");
  option.only_with("data", names, "of images in memory (pictures have a resized crop)");
}

void add_data_source(OptionTable& t, DataConfig& c) {
  t.add("data", "name", named(c.name, data_names(), "data sets"), "the data set").aliases = {"dataset"};
  t.add("data-dir", "dir", free_text(c.dir, "DIR", "a directory"),
        "folder with its files, see docs/data.md; fashion-mnist (as Debian installs it) needs none")
      .only_with("data", {"!synthetic"})
      .role = Role::session;
  const auto of_folder = [&](const std::string& flag, const std::string& key, Binding binding,
                             const std::string& help) {
    Option& option = t.add(flag, key, std::move(binding), help);
    count_for_pictures(option);
  };
  of_folder("image-size", "image_size", whole(c.image_size, 8, 2048),
            "height and width of the crop that a network sees");
  of_folder(
      "bad-image", "bad_image",
      choice(c.bad_images, {{"fail", data::BadImages::fail}, {"skip", data::BadImages::skip}}),
      "a picture that cannot be decoded ends the run when it is met, or all are decoded first and such are "
      "left out");
  const auto of_shards = [&](const std::string& flag, const std::string& key, std::string& field,
                             const std::string& help) {
    t.add(flag, key, free_text(field, "PATTERN", "a pattern", /*needed=*/flag == "train-shards"), help)
        .only_with("data", {"webdataset"});
  };
  of_shards("train-shards", "train_shards", c.train_shards,
            "tar files to train on, below --data-dir: * for any characters, {000..146} for numbers");
  of_shards("test-shards", "test_shards", c.test_shards,
            "tar files to evaluate on (empty: test-*.tar, else val-*.tar, else validation-*.tar)");
}

void add_workers(OptionTable& t, DataConfig& c) {
  Option& workers = t.add("workers", "workers", whole(c.workers, 0, 256),
                          "threads that prepare batches; 0: the training thread does it");
  workers.role = Role::session;
  workers.aliases = {"num-workers"};
}

void add_label_noise(OptionTable& t, DataConfig& c) {
  t.add("label-noise", "label_noise", real(c.label_noise, unit_interval()),
        "share of the training labels made wrong; which ones is written to RUN/label_noise.csv")
      .aliases = {"noise"};
  Option& target =
      t.add("noise-target", "noise_target",
            choice(c.noise_target,
                   {{"others", data::NoiseTarget::other_classes}, {"all", data::NoiseTarget::all_classes}}),
            "a drawn label is uniform over the other classes, or over all (then some stay right)");
  target.only_with("label-noise", {"!0.0"});
}

/// Without `labels`, what only pictures depend on.
void add_data(OptionTable& t, DataConfig& c, bool labels = true) {
  t.group("data", "Data");
  add_data_source(t, c);
  t.add("limit", "limit", whole(c.limit, 0, kMany), "train on the first N images only; 0: all");
  t.add("subset", "subset", whole(c.subset, 0, kMany),
        "of those, train on N drawn by --data-seed, equally many of each class; 0: all");
  t.add("validation", "validation", whole(c.validation, 0, kMany),
        "of those, hold N out for validation, which then chooses the best epoch; 0: none");
  Option& from = t.add("validation-from", "validation_from",
                       choice(c.validation_from, {{"drawn", HeldOutFrom::drawn}, {"end", HeldOutFrom::end}}),
                       "which are held out: drawn by --data-seed, or the last N");
  from.only_with("validation", {"!0"});
  if (labels) add_label_noise(t, c);
  Option& seed =
      t.add("data-seed", "seed", natural(c.seed),
            text("of subset", labels ? ", validation split and label noise" : " and validation split",
                 ": runs with other --seed share their data"));
  seed.conditions = {{{"subset", {"!0"}}, {"validation-from", {"drawn"}, "drawn (with --validation)"}}};
  if (labels) seed.conditions[0].push_back({"label-noise", {"!0.0"}});
  t.add("augment", "augment", augmentation(c.augment),
        "random changes: none, or a list of basic (crop and flip), cutout (basic and a blanked 16x16 "
        "square), crop=P, "
        "flip, reflect, cutout=S, autoaugment[=imagenet], randaugment[=N:M], jitter=B:C:S:H, and of batches "
        "mixup=ALPHA, cutmix=ALPHA, batch-cutout=S; a picture set's crop is a resized one")
      .aliases = {"aug", "augmentation"};
  Option& padding =
      t.add("crop-padding", "crop_padding",
            choice(c.crop_padding, {{"zero", CropPadding::zero}, {"reflect", CropPadding::reflect}}),
            "what a random crop sees beyond the border");
  count_for_free_crops(padding);
}

void add_data_check(OptionTable& t, DataConfig& c) {
  Option& check = t.add(
      "data-check", "check", choice(c.check, {{"fast", DataCheck::fast}, {"full", DataCheck::full}}),
      "how a resumed run knows its pictures again; fast: by the SHA-256 of their content up to 1 GiB in "
      "all, read once and again where inode, size or time changed, else by size; full: every byte is "
      "read at each start");
  check.role = Role::session;
  count_for_pictures(check);
}

void add_model(OptionTable& t, ModelConfig& c) {
  t.add("model", "name", named(c.name, nn::model_names(), "models", kModels),
        "the network, one of `basin info --models`")
      .aliases = {"arch", "net", "network"};
  Option& shortcut =
      t.add("shortcut", "shortcut", choice(c.shortcut, {{"A", nn::Shortcut::a}, {"B", nn::Shortcut::b}}),
            "shortcuts between sizes of the CIFAR ResNets; A: pad with zeros, B: 1x1 convolution");
  std::vector<std::string> names;
  for (const nn::ModelInfo& model : nn::models())
    if (model.takes_shortcut) names.push_back(model.name);
  shortcut.only_with("model", names);
}

/// Options of training alone: what the network starts from, and what of it stays.
void add_start(OptionTable& t, ModelConfig& c) {
  t.add("init", "init", free_text(c.init, "FILE", "a file"),
        "start from the weights in this safetensors or npz file; docs/weights.md: whose names are read")
      .aliases = {"pretrained", "finetune", "weights"};
  Option& head = t.add("ignore-head", "ignore_head", toggle(c.ignore_head),
                       "of the last layer take the fresh weights, not the file's: for other classes");
  head.only_with("init", {"!"});
  t.add("freeze", "freeze", name_list(c.freeze),
        "parameters that do not train, names between commas, * for any text: conv1.*,layer1.* (empty: none)")
      .aliases = {"frozen"};
  Option& statistics =
      t.add("norm-statistics", "norm_statistics",
            choice(c.norm_statistics, {{"batch", NormStatistics::batch}, {"frozen", NormStatistics::frozen}}),
            "what batch normalisation trains with: the statistics of the batch, or its running ones, which "
            "then stay as they are (fine-tuning as in SAM's paper)");
  count_for_batch_norm(statistics);
  statistics.aliases = {"freeze-bn", "frozen-bn"};
}

void add_loss(OptionTable& t, LossConfig& c) {
  t.group("loss", "Loss");
  t.add("label-smoothing", "label_smoothing", real(c.label_smoothing, below_one()), "s in [0, 1); 0: none")
      .aliases = {"smoothing", "ls"};
  t.add("smoothing-form", "smoothing_form",
        choice(c.form, {{"uniform", Smoothing::uniform}, {"others", Smoothing::others}}),
        "uniform: s/K to each class; others: s/(K-1) to each wrong class")
      .only_with("label-smoothing", {"!0.0"});
}

void add_run(OptionTable& t, RunConfig& c, std::string& resume) {
  t.group("run", "The run and its files");
  t.add_call("run", free_text(c.dir, "DIR", "a directory"),
             "where the run's files go (without it: runs/NAME-NNN, numbered)")
      .aliases = {"out", "output", "output-dir", "run-dir"};
  t.add("name", "name", free_text(c.name, "NAME", "a name"),
        "name of the run (empty: DATA-MODEL, DATA-MODEL-sam)")
      .role = Role::session;
  t.add("seed", "seed", natural(c.seed), "of weights, order, augmentation: equal seeds, equal bits");
  t.add_call("force", toggle(c.force), "replace the run that is in --run DIR")
      .only_with("run", {"!"})
      .aliases = {"overwrite"};
  t.add_call("resume", free_text(resume, "DIR", "a directory"),
             "go on with the run in DIR from its newest checkpoint; the result is bit for bit that of a "
             "straight run");
  Option& every = t.add("checkpoint-every", "checkpoint_every", period(c.checkpoint_every),
                        "between checkpoints: 5steps, 1epochs, 10m or never; there is always one at the end");
  every.role = Role::session;
  every.aliases = {"ckpt-every", "save-every"};
  t.add("keep", "keep", whole(c.keep, 1, 1'000'000), "newest checkpoints that stay").role = Role::session;
  t.add_call("stop-after-steps", whole(c.stop_after_steps, 0, kMany),
             "save and stop after N steps of this call; 0: go on to the end");
  Option& time = t.add("max-time", "max_time", duration(c.max_seconds),
                       "save and stop after this time in one call: 90s, 10m, 1.5h or none");
  time.role = Role::session;
  t.add_call("dry-run", toggle(c.dry_run), "check everything, try one step, write nothing");
}

void add_frame(OptionTable& t, FrameConfig& frame) {
  t.group("configuration", "Configuration");
  t.add_call("config", free_text(frame.config, "FILE", "a file"),
             "TOML file with options as group.name, see --print-config");
  t.add_call("preset", named(frame.preset, preset_names(), "presets", "`basin train --help`"),
             "options under a name, listed below")
      .aliases = {"recipe"};
  t.add_call("print-config", toggle(frame.print_config), "print the resolved configuration as TOML and stop");
}

void add_device(OptionTable& t, DeviceConfig& c) {
  t.group("device", "Device");
  t.add("device", "name", choice(c.device, {{"cpu", Device{}}}), "where the numbers are computed");
  Option& threads =
      t.add("threads", "threads", whole(c.threads, 0, 1024),
            "threads of computation; 0: every CPU this process may use (never changes a result)");
  threads.role = Role::session;
  threads.aliases = {"num-threads", "jobs"};
  Option& algorithm = t.add("conv-algo", "conv_algo", choice(c.conv_algorithm, conv_algorithm_names()),
                            "arithmetic of 3x3 convolutions in f32: Winograd's on tiles of 4x4 or 2x2 is "
                            "faster, direct rounds less");
  algorithm.only_with("dtype", {"f32"});
  count_for_convolutions(algorithm);
  if (t.by_flag("gam-form")) {
    // Its Hessian-vector products are differentiated twice.
    algorithm.standard_by = "gam-form";
    algorithm.standards = {{"exact", "direct"}};
  }
  t.add("dtype", "dtype", choice(c.dtype, {{"f32", Dtype::f32}, {"f64", Dtype::f64}}),
        "type of weights and activations")
      .aliases = {"precision"};
}

void begin_output(OptionTable& t, OutputConfig& c) {
  t.group("output", "Output");
  t.add_call("json", toggle(c.json), "print the result as one JSON document on stdout");
  t.add_call("quiet", toggle(c.quiet), "no progress, no log on stderr").letter = "q";
  t.add_call("verbose", toggle(c.verbose), "more of the log: where each option's value is from").letter = "v";
}

void add_progress(OptionTable& t, OutputConfig& c) {
  t.add("progress", "progress", toggle(c.progress), "show progress on stderr").role = Role::session;
  t.add("log-every", "log_every", period(c.log_every), "between progress lines where stderr is no terminal")
      .role = Role::session;
}

void add_help(OptionTable& t, FrameConfig& frame) {
  t.add_call("help", toggle(frame.help), "print this help").letter = "h";
}

}  // namespace

std::vector<std::string> data_names() {
  std::vector<std::string> names;
  for (const data::DataSetInfo& info : data::known_data_sets()) names.push_back(info.name);
  for (const data::PictureSetInfo& info : data::known_picture_sets()) names.push_back(info.name);
  return names;
}

void count_for_batch_norm(Option& option) {
  std::vector<std::string> names;
  for (const nn::ModelInfo& model : nn::models())
    if (model.batch_norm) names.push_back(model.name);
  option.only_with("model", names, "with batch normalisation");
}

OptionTable train_options(TrainConfig& c, FrameConfig& frame) {
  OptionTable t;
  add_data(t, c.data);
  add_data_check(t, c.data);
  add_workers(t, c.data);
  t.group("model", "Model");
  add_model(t, c.model);
  add_start(t, c.model);
  add_rules(t, c);
  add_loss(t, c.loss);
  add_run(t, c.run, frame.resume);
  add_frame(t, frame);
  add_device(t, c.device);
  begin_output(t, c.output);
  add_progress(t, c.output);
  add_help(t, frame);
  return t;
}

OptionTable eval_options(EvalConfig& c, FrameConfig& frame) {
  OptionTable t;
  t.group("weights", "What is evaluated (one of the three)");
  t.add_call("run", free_text(c.run, "DIR", "a directory"),
             "the final weights of this run, its data, model and device")
      .aliases = {"run-dir"};
  t.add_call("weights", free_text(c.weights, "FILE", "a file"),
             "a safetensors or npz file; needs --model and --data")
      .aliases = {"checkpoint", "init"};
  t.add_call("ensemble", free_text(c.ensemble, "DIR", "a directory"),
             "the members of this run (RUN/members), together and one by one");
  t.group("data", "Data");
  add_data_source(t, c.data);
  add_workers(t, c.data);
  t.group("model", "Model");
  add_model(t, c.model);
  t.group("schedule", "Work");
  t.add("batch-size", "batch_size", whole(c.batch_size, 1, 1'000'000),
        "images a pass (never changes a result)");
  add_device(t, c.device);
  begin_output(t, c.output);
  t.add("progress", "progress", toggle(c.output.progress), "show progress on stderr").role = Role::session;
  add_help(t, frame);
  return t;
}

OptionTable export_options(ExportConfig& c, FrameConfig& frame) {
  OptionTable t;
  t.group("weights", "What is written");
  t.add_call("run", free_text(c.run, "DIR", "a directory"), "weights of this run, its model and image shape")
      .aliases = {"run-dir"};
  t.add_call("weights", free_text(c.weights, "WHICH", "last, swa, ema, member:N or a file"),
             "of the run: last, swa, ema or member:N (of an ensemble); or a file, a checkpoint "
             "too, which without --run needs --model")
      .aliases = {"checkpoint", "init"};
  t.group("file", "The file");
  Option& out = t.add_call("out", free_text(c.out, "FILE", "a file"), "where to; replaced if it is there");
  out.letter = "o";
  out.aliases = {"output"};
  std::vector<std::string> formats = {"auto"};
  for (const ExportFormat& format : export_formats()) formats.push_back(format.name);
  t.add_call("format", named(c.format, formats, "formats"), "of the file; auto: by its ending");
  t.group("data", "Shape of an image");
  t.add("data", "name", named(c.data.name, data_names(), "data sets"),
        "as the images of this data set have it");
  Option& size = t.add("image-size", "image_size", whole(c.data.image_size, 8, 2048), "height and width");
  count_for_pictures(size);
  t.group("model", "Model");
  add_model(t, c.model);
  begin_output(t, c.output);
  add_help(t, frame);
  return t;
}

OptionTable info_options(InfoConfig& c, FrameConfig& frame) {
  OptionTable t;
  t.group("what", "What");
  t.add_call("models", toggle(c.models), "list the models");
  t.add_call("data", named(c.data.name, data_names(), "data sets"),
             "whose image shape and classes a model's summary assumes");
  t.add_call("shortcut", choice(c.model.shortcut, {{"A", nn::Shortcut::a}, {"B", nn::Shortcut::b}}),
             "ResNet shortcuts between sizes; A: pad with zeros, B: 1x1 convolution");
  begin_output(t, c.output);
  add_help(t, frame);
  return t;
}

OptionTable bench_options(BenchConfig& c, FrameConfig& frame) {
  OptionTable t;
  t.group("what", "What is measured");
  t.add_call(
      "rules", free_text(c.rules, "NAMES", "names"),
      "gradient rules between commas; without it rules has all, step and memory plain,sam, scaling plain");
  t.add_call("model", named(c.model.name, nn::model_names(), "models", kModels),
             "the network, one of `basin info --models`");
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
  begin_output(t, c.output);
  t.add_call("progress", toggle(c.output.progress), "show progress on stderr");
  add_help(t, frame);
  return t;
}

OptionTable data_options(DataToolConfig& c, FrameConfig& frame) {
  OptionTable t;
  add_data(t, c.data, /*labels=*/false);  // a sheet shows none
  t.group("show", "The sheet of `basin data show`");
  t.add_call("seed", natural(c.seed), "of the augmentation's draws").only_with("augment", {"!none"});
  t.add_call("out", free_text(c.out, "FILE", "a file"), "the PNG file");
  t.add_call("count", whole(c.count, 1, 4096), "training images, the first so many");
  t.add_call("epoch", whole(c.epoch, 0, kMany), "as they look in this epoch, from 0")
      .only_with("augment", {"!none"});
  t.add_call("epochs", whole(c.epochs, 1, 4096), "and in so many, each below the one before");
  t.add_call("columns", whole(c.columns, 1, 256), "images side by side");
  t.add_call("enlarge", whole(c.enlarge, 1, 32), "each pixel becomes a square of this side");
  begin_output(t, c.output);
  add_help(t, frame);
  return t;
}

OptionTable gradcheck_options(GradcheckConfig& c, FrameConfig& frame) {
  OptionTable t;
  t.group("what", "What is checked");
  t.add_call("op", free_text(c.op, "NAME", "a name"), "this operation only, not all");
  t.add_call("order", whole(c.order, 1, 2), "1: gradients; 2: also gradients of gradients");
  begin_output(t, c.output);
  add_help(t, frame);
  return t;
}

}  // namespace basin::apps
