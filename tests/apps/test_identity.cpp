// Whose weights, on which data: classes by name wherever the two meet.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "apps/runs/checkpoint.h"
#include "apps/training/loaded_run.h"
#include "apps/training/start.h"
#include "apps/weights/class_match.h"
#include "apps/weights/weights.h"
#include "tests/apps/colours.h"
#include "tests/apps/evaluating.h"
#include "tests/apps/streams.h"
#include "tests/apps/training.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"
#include "tests/core/tensor_testing.h"

using namespace basin;
using namespace basin::apps;
using tensor_testing::same_bits;
using test::Colours, test::evaluate, test::export_to, test::failure, test::paint, test::Said,
    test::TemporaryDirectory, test::train, test::Words;
using test::contains;
namespace fs = std::filesystem;

namespace {

Identity letters(const std::vector<std::string>& names) {
  return {.model = "resnet8",
          .shortcut = "",
          .data = "folder",
          .image = {16, 16, 3},
          .classes = static_cast<std::int64_t>(names.size()),
          .class_names = names,
          .mean = {0.5, 0.25, 0.125},
          .deviation = {1, 2, 1 / 3.0}};
}

/// A copy of weights whose metadata `change` has changed.
void copy_weights(const std::string& from, const std::string& to,
                  const std::function<void(ArchiveMetadata&)>& change) {
  const Archive archive(from);
  std::vector<ArchiveEntry> entries;
  for (const std::string& name : archive.names()) entries.push_back({name, archive.read(name)});
  ArchiveMetadata metadata = archive.metadata();
  change(metadata);
  write_archive(to, entries, metadata);
}

}  // namespace

TEST_CASE("identity: what is written is what is read, and other programs' keys are unknown") {
  const Identity id = letters({"a \"quoted\"", "\u00e4", "c"});
  const ArchiveMetadata written = to_metadata(id);
  CHECK(written.at("image") == "16x16x3");
  CHECK(written.at("class_names") == "[\"a \\\"quoted\\\"\",\"\u00e4\",\"c\"]");
  const Identity read = identity_in(written);
  CHECK(differences(read, id).empty());
  CHECK(read.class_names == id.class_names);
  CHECK(read.mean == id.mean);
  CHECK(read.deviation == id.deviation);
  CHECK(to_metadata(read) == written);
  CHECK(to_metadata(Identity{}).empty());
  // Another program's words under the same keys.
  CHECK(to_metadata(identity_in({{"model", "ours/best"}, {"classes", "10"}, {"class_names", "[\"a\"]"}}))
            .empty());
  const Identity odd = identity_in({{"model", "resnet8"},
                                    {"image", "32x32"},
                                    {"class_names", "a,b"},
                                    {"classes", "-3"},
                                    {"mean", "[0.5]"},
                                    {"deviation", "[0]"}});
  CHECK(to_metadata(odd) == ArchiveMetadata{{"model", "resnet8"}});
  CHECK(to_metadata(identity_in({{"model", "resnet8"}, {"mean", "[[1]]"}, {"image", "1x2x3x4"}})).size() ==
        1);
}

TEST_CASE("identity: classes called by number alone have no names") {
  const ImageSet numbers{
      .name = "webdataset", .test_split = "test", .image = {8, 8, 3}, .class_names = {"0", "1"}};
  CHECK(identity_of({}, numbers).class_names.empty());
  CHECK(identity_of({}, numbers).classes == 2);
  ImageSet digits = numbers;
  digits.name = "mnist";
  CHECK(identity_of({}, digits).class_names.size() == 2);
  digits.name = "webdataset";
  digits.class_names = {"cat", "dog"};
  CHECK(identity_of({}, digits).class_names.size() == 2);
}

TEST_CASE("classes: matched by name, counted only where there are none") {
  const Identity abc = letters({"a", "b", "c"});
  const auto match = [](const Identity& weights, const Identity& data) {
    return match_classes("W", weights, data, "");
  };
  CHECK(match(abc, abc).words.empty());
  CHECK(match(abc, abc).in_order);
  const ClassMatch other = match(abc, letters({"c", "a", "b"}));
  CHECK(other.place == std::vector<std::int64_t>{2, 0, 1});
  CHECK(other.words ==
        "the data have their classes in another order than W, matched by name ('c' 0 is 2, 'a' 1 is 0, 'b' 2 "
        "is 1)");
  const ClassMatch part = match(abc, letters({"a", "b"}));
  CHECK(part.place == std::vector<std::int64_t>{0, 1});
  CHECK_FALSE(part.in_order);  // there is a third logit
  CHECK(part.words.starts_with("the data have 2 of the 3 classes of W"));
  CHECK(failure([&] {
          match(abc, letters({"b", "c", "d"}));
        }) ==
        "4: [classes] W knows no class 'd' of folder: its 3 classes are 'a', 'b', 'c', the 3 of the data "
        "'b', 'c', 'd'; matched by name are 'b' 0 is 1, 'c' 1 is 2");
  Identity unnamed = abc;
  unnamed.class_names.clear();
  CHECK(match(unnamed, letters({"x", "y", "z"})).words ==
        "W does not say what its classes are called: compared by their number alone, 3");
  CHECK(match(abc, unnamed).words.starts_with("folder does not say"));
  CHECK(failure([&] { match(unnamed, letters({"x"})); }) == "4: [classes] W is of 3 classes, folder has 1");
  CHECK(match(Identity{}, letters({"x"})).in_order);
}

TEST_CASE("eval: weights of a, b, c on other classes, another order, a part of them") {
  const Colours colours;
  const TemporaryDirectory& dir = colours.dir;
  const Identity said = identity_in(Archive(colours.file()).metadata());
  CHECK(said.class_names == std::vector<std::string>{"a", "b", "c"});
  CHECK(said.mean == std::vector<double>{0.485, 0.456, 0.406});
  CHECK(said.image == Shape{16, 16, 3});
  const Json facts = parse_json(read_file(colours.run + "/run.json")).at("facts").at("identity");
  CHECK(facts == to_json(said));
  for (const CheckpointFile& checkpoint : list_checkpoints(colours.run))
    CHECK(to_metadata(identity_in(Archive(checkpoint.path).metadata())) == to_metadata(said));

  const Said own = evaluate({"--run", colours.run});
  CHECK(contains(own.out, "top-1 100.00 %"));
  CHECK(own.err.empty());
  paint(dir / "bcd", {"b", "c", "d"});
  CHECK(contains(failure([&] {
                   evaluate({"--run", colours.run, "--data-dir", dir / "bcd"});
                 }),
                 "4: [classes] " + colours.file() + " knows no class 'd' of folder"));
  // The same pictures, whose classes sort in another order.
  paint(dir / "cab", {"a", "b", "c"});
  std::ofstream(dir / "cab" + "/classes.txt") << "c\na\nb\n";
  for (const std::string split : {"train", "test"}) {
    std::ofstream list(dir / "cab" + "/" + split + ".csv");
    list << "file,class\n";
    for (const std::string name : {"a", "b", "c"})
      for (int i = 0; i < 4; ++i) list << split << "/" << name << "/" << i << ".png," << name << "\n";
  }
  const Said turned = evaluate({"--run", colours.run, "--data", "list", "--data-dir", dir / "cab"});
  CHECK(contains(turned.out, "top-1 100.00 %"));
  CHECK(contains(turned.err, "another order than " + colours.file() + ", matched by name ('c' 0 is 2"));
  // Of a LoadedRun all labels read as the weights count, those of the training images too.
  test::FakeTerminal t;
  TrainConfig wanted = Colours::recipe(dir / "unused", dir / "cab");
  wanted.data.name = "list";
  const LoadedRun loaded = load_run(wanted, colours.file(), t.terminal);
  CHECK(loaded.logits == 3);
  CHECK(loaded.match.place == std::vector<std::int64_t>{2, 0, 1});
  const auto accuracy = [&](const std::shared_ptr<const data::ExampleSource>& source) {
    return evaluate(*loaded.model, source, loaded.logits, loaded.passes("looking", t.terminal)).accuracy();
  };
  CHECK(accuracy(loaded.data.train) == 1);
  CHECK(accuracy(loaded.data.test) == 1);

  paint(dir / "bc", {"b", "c"});
  const Said part = evaluate({"--run", colours.run, "--data-dir", dir / "bc", "--json"});
  CHECK(parse_json(part.out).at("accuracy").number() == 1);
  CHECK(parse_json(part.out).at("classes").array().size() == 2);
  CHECK(parse_json(part.out).at("classes").array()[0].at("name").string() == "b");
  CHECK(parse_json(part.out).at("classes").array()[0].at("correct").integer() == 4);

  // A file without names counts, and says so.
  copy_weights(colours.file(), dir / "old.safetensors", [](ArchiveMetadata& m) { m.clear(); });
  const Words old = {"--weights", dir / "old.safetensors", "--model", "mlp", "--data",
                     "folder",    "--image-size",          "16"};
  const auto with = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  CHECK(contains(evaluate(with(old, {"--data-dir", dir / "bcd"})).err, "compared by their number alone, 3"));
  // Another model whose tensors fit is another function.
  copy_weights(colours.file(), dir / "other.safetensors",
               [](ArchiveMetadata& m) { m["model"] = "resnet20"; });
  Words other = old;
  other[1] = dir / "other.safetensors";
  CHECK(failure([&] {
          evaluate(with(other, {"--data-dir", colours.data}));
        }) == "4: [load] " + (dir / "other.safetensors") + " says that it is a resnet20, --model is mlp");
  // Images are normalised as the weights know them.
  copy_weights(colours.file(), dir / "shifted.safetensors",
               [](ArchiveMetadata& m) { m["mean"] = "[9,9,9]"; });
  other[1] = dir / "shifted.safetensors";
  const Said shifted = evaluate(with(other, {"--data-dir", colours.data}));
  CHECK(contains(shifted.err, "normalised as in the training of " + (dir / "shifted.safetensors")));
  CHECK_FALSE(contains(shifted.out, "top-1 100.00 %"));
}

TEST_CASE("eval: weights of one channel are refused on pictures of three, other sizes are said") {
  const Identity grey{.model = "resnet8", .image = {28, 28, 1}, .classes = 10};
  const Identity colour{.model = "resnet8", .data = "cifar10", .image = {28, 28, 3}, .classes = 10};
  CHECK(failure([&] { expect_same_network("W", grey, colour); }) ==
        "4: [load] W is of images with 1 channels, those of cifar10 have 3");
  Identity large = colour;
  large.image = {64, 64, 3};
  CHECK(expect_same_network("W", large, colour) ==
        std::vector<std::string>{"W was trained on images 64x64x3, these are 28x28x3"});
  CHECK(expect_same_network("W", {}, colour).empty());
}

TEST_CASE("ensemble: members of other classes, models or normalisations do not vote together") {
  TemporaryDirectory dir;
  const auto model = nn::make_model({.name = "mlp", .height = 16, .width = 16, .classes = 3, .blank = true});
  const auto save = [&](const std::string& name, const auto& change) {
    Identity id = letters({"a", "b", "c"});
    change(id);
    save_weights(dir / name, entries_of(*model), id);
  };
  save("first", [](Identity&) {});
  save("same", [](Identity& id) { id.image = {24, 24, 3}; });
  save("turned", [](Identity& id) { id.class_names = {"a", "c", "b"}; });
  save("shifted", [](Identity& id) { id.mean[1] = 0.5; });
  save("other", [](Identity& id) { id.model = "resnet20"; });
  save("silent", [](Identity& id) { id = {}; });
  CHECK(common_identity({dir / "silent", dir / "first", dir / "same"}).class_names.size() == 3);
  CHECK(common_identity({dir / "silent"}).model.empty());
  const auto refused = [&](const std::string& name) {
    return failure([&] { common_identity({dir / "first", dir / name}); });
  };
  CHECK(refused("turned") == "4: [ensemble] " + (dir / "turned") + " is no member beside " + (dir / "first") +
                                 ": 3 classes ('a', 'c', 'b'), here 3; class 1 is 'c', here 'b'");
  CHECK(contains(refused("shifted"), "inputs normalised by mean [0.5,0.5,0.125]"));
  CHECK(contains(refused("other"), "model resnet20, here resnet8"));
}

TEST_CASE("init: classes by name: rows of the head follow, other names are refused") {
  const Colours colours;
  const TemporaryDirectory& dir = colours.dir;
  ImageSet set{.name = "folder",
               .test_split = "test",
               .image = {16, 16, 3},
               .class_names = {"c", "a", "b"},
               .mean = {0.485, 0.456, 0.406},
               .deviation = {0.229, 0.224, 0.225}};
  ModelConfig config;
  config.name = "mlp";
  config.init = colours.file();
  const auto fresh = [&] {
    return nn::make_model({.name = "mlp", .height = 16, .width = 16, .classes = set.classes()});
  };
  const auto turned = fresh(), straight = fresh();
  const Start start = start_from_file(*turned, config, set);
  CHECK(contains(start.words, "in another order"));
  CHECK(start.warnings.empty());
  load_weights(colours.file(), *straight);
  const Entries a = entries_of(*turned), b = entries_of(*straight);
  const std::string head = nn::head_of(*turned);
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    const Tensor x = a.parameters[i].parameter->value(), y = b.parameters[i].parameter->value();
    if (!a.parameters[i].name.starts_with(head + ".")) {
      CHECK(same_bits(x, y));
      continue;
    }
    for (Index k = 0; k < 3; ++k)
      CHECK(same_bits(x.slice_rows(k, k + 1), y.slice_rows((k + 2) % 3, (k + 2) % 3 + 1)));
  }
  set.class_names = {"b", "c", "d"};
  CHECK(contains(
      failure([&] { start_from_file(*fresh(), config, set); }),
      "knows no class 'd' of folder: its 3 classes are 'a', 'b', 'c', the 3 of the data 'b', 'c', 'd'; "
      "matched by name are 'b' 0 is 1, 'c' 1 is 2; for a fresh last layer: --ignore-head"));
  set.class_names = {"b", "c"};
  CHECK(contains(failure([&] { start_from_file(*fresh(), config, set); }),
                 "4: [classes] the data have 2 of the 3 classes of "));
  config.ignore_head = true;
  CHECK(contains(start_from_file(*fresh(), config, set).words, "is freshly drawn"));

  // Through the command, before there is a run.
  paint(dir / "bcd", {"b", "c", "d"});
  const std::string run = dir / "next";
  CHECK(contains(failure([&] {
                   train(Colours::recipe(run, dir / "bcd", {"--init", colours.file()}));
                 }),
                 "4: [classes] "));
  CHECK_FALSE(fs::exists(run));
  CHECK(train(Colours::recipe(run, dir / "bcd", {"--init", colours.file(), "--ignore-head"})).code == 0);
  copy_weights(colours.file(), dir / "odd.safetensors", [](ArchiveMetadata& m) {
    m["model"] = "resnet20";
    m["mean"] = "[0,0,0]";
  });
  const Said odd =
      train(Colours::recipe(dir / "odd", colours.data, {"--init", dir / "odd.safetensors", "--dry-run"}));
  CHECK(contains(odd.err, "says that it is a resnet20; its tensors fit mlp and are taken"));
  CHECK(contains(odd.err, "inputs normalised by mean [0.0,0.0,0.0]"));
}

TEST_CASE("resume: a checkpoint of other classes or another model is not of this run") {
  const Identity own = letters({"a", "b", "c"});
  CHECK_NOTHROW(expect_same_run("C", {}, own));
  CHECK_NOTHROW(expect_same_run("C", own, own));
  CHECK(failure([&] {
          expect_same_run("C", letters({"c", "b", "a"}), own);
        }) ==
        "4: [run] C is not of this run and its data: 3 classes ('c', 'b', 'a'), here 3; class 0 is 'c', "
        "here 'a'");
  Identity other = own;
  other.deviation[0] = 3;
  CHECK(contains(failure([&] { expect_same_run("C", other, own); }), "inputs normalised by"));

  const Colours colours;
  const std::string halved = colours.dir / "halved";
  REQUIRE(train(Colours::recipe(halved, colours.data, {"--stop-after-steps", "2"})).code == 0);
  for (const std::string split : {"train", "test"})
    fs::rename(colours.data + "/" + split + "/c", colours.data + "/" + split + "/d");
  CHECK(contains(failure([&] {
                   train(test::train_config({"--resume", halved, "--quiet"}));
                 }),
                 "3 classes ('a', 'b', 'c'), here 3; class 2 is 'c', here 'd'"));
}

TEST_CASE("export: every format says whose weights they are, of the file and not of --data") {
  const Colours colours;
  const TemporaryDirectory& dir = colours.dir;
  const ArchiveMetadata said = to_metadata(identity_in(Archive(colours.file()).metadata()));
  for (const char* name : {"w.safetensors", "w.npz", "w.onnx"}) {
    export_to(dir / name, {"--run", colours.run});
    if (std::string(name) == "w.onnx")
      CHECK(contains(read_file(dir / name), said.at("class_names")));
    else
      CHECK(to_metadata(identity_in(WeightFile(dir / name).metadata())) == said);
  }
  // The image's shape is the file's where no option tells another.
  export_to(dir / "again.safetensors", {"--weights", colours.file(), "--model", "mlp"});
  CHECK(to_metadata(identity_in(Archive(dir / "again.safetensors").metadata())) == said);
  copy_weights(colours.file(), dir / "other.safetensors",
               [](ArchiveMetadata& m) { m["model"] = "resnet20"; });
  CHECK(contains(failure([&] {
                   export_to(dir / "no.npz", {"--weights", dir / "other.safetensors", "--model", "mlp"});
                 }),
                 "says that it is a resnet20, --model is mlp"));
  // npz goes back in.
  const auto model = nn::make_model({.name = "mlp", .height = 16, .width = 16, .classes = 3, .blank = true});
  const auto twin = nn::make_model({.name = "mlp", .height = 16, .width = 16, .classes = 3, .blank = true});
  load_weights(dir / "w.npz", *model);
  load_weights(colours.file(), *twin);
  const Entries a = entries_of(*model), b = entries_of(*twin);
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    CHECK(same_bits(a.parameters[i].parameter->value(), b.parameters[i].parameter->value()));
  CHECK(contains(evaluate({"--weights", dir / "w.npz", "--model", "mlp", "--data", "folder", "--data-dir",
                           colours.data, "--image-size", "16"})
                     .out,
                 "top-1 100.00 %"));
}
