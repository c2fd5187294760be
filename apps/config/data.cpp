#include "apps/config/data.h"

#include "apps/options/options.h"
#include "data/augment/augment.h"
#include "data/sets/load.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

constexpr std::int64_t kMany = 1'000'000'000;

void count_for_free_crops(Option& option) {
  std::vector<std::string> names;
  for (const data::DataSetInfo& set : data::known_data_sets()) names.push_back(set.name);
  option.only_with("augment", {"basic", "cutout", "crop=*"}, "with a crop");
  option.only_with("data", names, "of images in memory (pictures have a resized crop)");
}

void add_label_noise(OptionTable& t, DataConfig& c) {
  t.add("label-noise", "label_noise", real(c.label_noise, unit_interval()),
        "make this share of the training labels wrong: 0.2 is one in five; RUN/label_noise.csv lists them")
      .aliases = {"noise"};
  Option& target = t.add("noise-target", "noise_target",
                         choice(c.noise_target, {{"others", data::NoiseTarget::other_classes},
                                                 {"all", data::NoiseTarget::all_classes}}),
                         "what a noisy label is drawn from; others: the other classes; all: all classes, so "
                         "that some stay right");
  target.only_with("label-noise", {"!0.0"});
}

void add_check(OptionTable& t, DataConfig& c) {
  Option& check =
      t.add("data-check", "check", choice(c.check, {{"fast", DataCheck::fast}, {"full", DataCheck::full}}),
            "how a resumed run makes sure that its pictures are the same; fast: by their SHA-256 up to 1 GiB "
            "in all (a picture is read again only where its inode, size or time changed), above that by "
            "size; full: by the SHA-256 of every byte, at each start");
  check.role = Role::session;
  count_for_pictures(check);
}

}  // namespace

Binding data_name(std::string& field) {
  std::vector<std::string> names;
  for (const data::DataSetInfo& info : data::known_data_sets()) names.push_back(info.name);
  for (const data::PictureSetInfo& info : data::known_picture_sets()) names.push_back(info.name);
  return named(field, names, "data sets");
}

Binding augmentation(std::string& field) {
  Binding binding =
      free_text(field, "LIST", "a list of random changes such as basic or crop=4,flip,autoaugment");
  binding.assign = [&field](const std::string& given) {
    try {
      data::parse_augmentation(given);
    } catch (const UsageError& error) {
      throw ValueError("is no list of random changes: ", error.what());
    }
    field = given;
  };
  return binding;
}

void count_for_pictures(Option& option) {
  std::vector<std::string> names;
  for (const data::PictureSetInfo& set : data::known_picture_sets()) names.push_back(set.name);
  option.only_with("data", names);
}

void add_source(OptionTable& t, DataConfig& c) {
  t.add("data", "name", data_name(c.name), "the data set to work on, see docs/data.md").aliases = {"dataset"};
  t.add("data-dir", "dir", free_text(c.dir, "DIR", "a directory"),
        "folder that holds its files, laid out as docs/data.md says; fashion-mnist, as Debian installs it, "
        "needs none")
      .only_with("data", {"!synthetic"})
      .role = Role::session;
  const auto of_folder = [&](const std::string& flag, const std::string& key, Binding binding,
                             const std::string& help) {
    Option& option = t.add(flag, key, std::move(binding), help);
    count_for_pictures(option);
  };
  of_folder("image-size", "image_size", whole(c.image_size, 8, 2048),
            "height and width, in pixels, of what the network sees of a picture");
  of_folder("bad-image", "bad_image",
            choice(c.bad_images, {{"fail", data::BadImages::fail}, {"skip", data::BadImages::skip}}),
            "what to do about a picture that cannot be decoded; fail: end the run when it is met; skip: "
            "decode all pictures before the run and leave such out");
  const auto of_shards = [&](const std::string& flag, const std::string& key, std::string& field,
                             const std::string& help) {
    t.add(flag, key, free_text(field, "PATTERN", "a pattern", /*needed=*/flag == "train-shards"), help)
        .only_with("data", {"webdataset"});
  };
  of_shards(
      "train-shards", "train_shards", c.train_shards,
      "tar files to train on, below --data-dir; * stands for any characters, {000..146} for those numbers");
  of_shards("test-shards", "test_shards", c.test_shards,
            "tar files to evaluate on; empty: test-*.tar, else val-*.tar, else validation-*.tar");
}

void add_workers(OptionTable& t, DataConfig& c) {
  Option& workers = t.add("workers", "workers", whole(c.workers, 0, 256),
                          "threads that prepare batches; 0: the training thread does it");
  workers.role = Role::session;
  workers.aliases = {"num-workers"};
}

void add_examples(OptionTable& t, DataConfig& c, bool labels) {
  t.add("limit", "limit", whole(c.limit, 0, kMany), "use the first N training images only; 0: all");
  t.add("subset", "subset", whole(c.subset, 0, kMany),
        "use N of those only, drawn at random with equally many of each class; 0: all");
  t.add("validation", "validation", whole(c.validation, 0, kMany),
        "hold N of those out for validation: not trained on, they choose the best epoch; 0: none");
  Option& from = t.add("validation-from", "validation_from",
                       choice(c.validation_from, {{"drawn", HeldOutFrom::drawn}, {"end", HeldOutFrom::end}}),
                       "which are held out; drawn: N at random; end: the last N");
  from.only_with("validation", {"!0"});
  if (labels) add_label_noise(t, c);
  Option& seed = t.add(
      "data-seed", "seed", natural(c.seed),
      text("seed of what is drawn once for the data: --subset, --validation", labels ? ", --label-noise" : "",
           "; apart from --seed, so that runs with --seed 1, 2, 3 see the same images"));
  seed.conditions = {{{"subset", {"!0"}}, {"validation-from", {"drawn"}, "drawn (with --validation)"}}};
  if (labels) seed.conditions[0].push_back({"label-noise", {"!0.0"}});
  t.add("augment", "augment", augmentation(c.augment),
        "random changes to training images: none, or a list between commas of basic (crop=4,flip), cutout "
        "(basic and cutout=16), crop=P (shift by up to P pixels), flip (left and right swapped), reflect (a "
        "crop's border mirrors the image), cutout=S (blank a square of side S), autoaugment[=imagenet], "
        "randaugment[=N:M], jitter=B:C:S:H (brightness, contrast, saturation, hue), and of whole batches "
        "mixup=ALPHA, cutmix=ALPHA, batch-cutout=S; a picture set's crop is a resized one")
      .aliases = {"aug", "augmentation"};
  Option& padding = t.add(
      "crop-padding", "crop_padding",
      choice(c.crop_padding, {{"zero", CropPadding::zero}, {"reflect", CropPadding::reflect}}),
      "what a crop that reaches beyond the border sees there; zero: black; reflect: the image mirrored");
  count_for_free_crops(padding);
}

void add(OptionTable& t, DataConfig& c) {
  t.group("data", "Data");
  add_source(t, c);
  add_examples(t, c, /*labels=*/true);
  add_check(t, c);
  add_workers(t, c);
}

}  // namespace basin::apps
