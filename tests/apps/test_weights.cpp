// Weights that travel: names of other programs, a new head, what an export says of itself.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "apps/training/experiment.h"
#include "apps/weights/weight_names.h"
#include "apps/weights/weights.h"
#include "tests/apps/evaluating.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/core/tensor_testing.h"

using namespace basin;
using namespace basin::apps;
using tensor_testing::same_bits;
using test::failure, test::run_export, test::TemporaryDirectory, test::train, test::weights;

namespace {

std::unique_ptr<nn::Module> network(const std::string& name, Index classes = 10, std::uint64_t seed = 1,
                                    nn::Shortcut shortcut = nn::Shortcut::a) {
  return nn::make_model({.name = name, .classes = classes, .shortcut = shortcut, .seed = seed});
}

using Renaming = std::function<std::string(const std::string&)>;  // an empty name leaves the tensor out

/// The model's weights as a file of another program, which calls them `renamed(name)`.
void save_renamed(const std::string& path, nn::Module& model, const Renaming& renamed) {
  std::vector<ArchiveEntry> entries;
  for (ArchiveEntry entry : weight_entries(entries_of(model))) {
    entry.name = renamed(entry.name);
    if (!entry.name.empty()) entries.push_back(entry);
  }
  write_archive(path, entries);
}

std::string replaced(std::string name, const std::vector<std::pair<std::string, std::string>>& pieces) {
  for (const auto& [ours, theirs] : pieces)
    if (const std::size_t at = name.find(ours); at != std::string::npos)
      name.replace(at, ours.size(), theirs);
  return name;
}

/// Whether two models have the same numbers, but for tensors whose names begin with `but`.
bool same_weights(nn::Module& a, nn::Module& b, const std::string& but = "-") {
  const std::vector<ArchiveEntry> x = weight_entries(entries_of(a)), y = weight_entries(entries_of(b));
  if (x.size() != y.size()) return false;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!x[i].name.starts_with(but) && !same_bits(x[i].tensor, y[i].tensor)) return false;
  return true;
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("names: wrappers' prefixes come off, in any order, only if every name has them") {
  CHECK(wrapper_prefix({"module.a", "module.b.c"}) == "module.");
  CHECK(wrapper_prefix({"state_dict.model.module.a", "state_dict.model.module.b"}) ==
        "state_dict.model.module.");
  CHECK(wrapper_prefix({"_orig_mod.a"}) == "_orig_mod.");
  CHECK(wrapper_prefix({"n_averaged", "module.a"}) == "module.");
  CHECK(wrapper_prefix({"module.a", "b"}).empty());
  CHECK(wrapper_prefix({"modules.a"}).empty());
  CHECK(wrapper_prefix({"n_averaged"}).empty());
  CHECK(wrapper_prefix({}).empty());
}

TEST_CASE("names: a name of ours is never read as another") {
  CHECK(our_name("linear.weight", {"linear.weight", "fc.weight"})->name == "linear.weight");
  CHECK(our_name("linear.weight", {"fc.weight"})->name == "fc.weight");
  CHECK(our_name("layer2.0.shortcut.0.weight", {"layer2.0.downsample.0.weight"})->name ==
        "layer2.0.downsample.0.weight");
  const auto key = our_name("vit.encoder.layer.1.attention.attention.key.bias",
                            {"encoder.layers.encoder_layer_1.self_attention.in_proj_bias"});
  REQUIRE(key);
  CHECK(key->third == 1);
  CHECK(our_name("fc.bias", {"fc.bias"})->third == OurName::kWhole);
  CHECK_FALSE(our_name("linear.weight", {"head.weight"}).has_value());
  CHECK_FALSE(our_name("", {"fc.weight"}).has_value());
}

TEST_CASE("init: ResNets as other PyTorch sources name them") {
  TemporaryDirectory dir;
  const auto model = network("resnet8", 10, 1, nn::Shortcut::b);
  for (const std::string prefix : {"", "module.", "state_dict.module."}) {
    save_renamed(dir / "theirs", *model, [&](const std::string& name) {
      if (is_counter(name)) return std::string();  // as files from before PyTorch 0.4.1
      return prefix + replaced(name, {{"fc.", "linear."}, {"downsample.", "shortcut."}});
    });
    const auto other = network("resnet8", 10, 2, nn::Shortcut::b);
    const LoadReport report = load_weights(dir / "theirs", *other);
    CHECK(same_weights(*model, *other));
    CHECK(report.prefix == prefix);
    CHECK(report.renamed == 2 + 2 * 5);
  }
}

TEST_CASE("init: vision transformers as timm and as torchvision's first files name them") {
  TemporaryDirectory dir;
  const auto model = network("vit-cifar");
  const Renaming timm = [](const std::string& name) {
    return replaced(name, {{"class_token", "cls_token"},
                           {"encoder.pos_embedding", "pos_embed"},
                           {"conv_proj", "patch_embed.proj"},
                           {"encoder.layers.encoder_layer_", "blocks."},
                           {"ln_1", "norm1"},
                           {"ln_2", "norm2"},
                           {"self_attention.in_proj_", "attn.qkv."},
                           {"self_attention.out_proj", "attn.proj"},
                           {"mlp.0", "mlp.fc1"},
                           {"mlp.3", "mlp.fc2"},
                           {"encoder.ln", "norm"},
                           {"heads.head", "head"}});
  };
  const Renaming first = [](const std::string& name) {
    return replaced(name, {{"mlp.0", "mlp.linear_1"}, {"mlp.3", "mlp.linear_2"}});
  };
  for (const Renaming& renaming : {timm, first}) {
    save_renamed(dir / "theirs", *model, renaming);
    const auto other = network("vit-cifar", 10, 2);
    CHECK(load_weights(dir / "theirs", *other).renamed > 0);
    CHECK(same_weights(*model, *other));
  }
}

TEST_CASE("init: what does not fit is listed with shapes, and nothing is changed") {
  TemporaryDirectory dir;
  const auto wide = network("resnet8", 100), model = network("resnet8", 10, 2),
             same = network("resnet8", 10, 2);
  save_renamed(dir / "file", *wide,
               [](const std::string& name) { return name == "conv1.weight" ? "stem.weight" : name; });
  CHECK(
      failure([&] { load_weights(dir / "file", *model, {.head = "fc"}); }) ==
      "4: [load] " + (dir / "file") +
          " does not fit; missing: conv1.weight (F32 {16,3,3,3}); unexpected: stem.weight (F32 {16,3,3,3}); "
          "different: fc.weight (F32 {100,64}, expected F32 {10,64}), fc.bias (F32 {100}, expected F32 {10})"
          "; for other classes: --ignore-head");
  CHECK(same_weights(*model, *same));
}

TEST_CASE("init: a new head keeps its fresh values, the rest is the file's") {
  TemporaryDirectory dir;
  const auto pretrained = network("resnet8", 100, 1), fresh = network("resnet8", 10, 2);
  save_weights(dir / "file", *pretrained);
  const auto model = network("resnet8", 10, 2);
  CHECK(load_weights(dir / "file", *model, {.head = "fc", .ignore_head = true}).left_out == 2);
  const Entries a = entries_of(*model), b = entries_of(*fresh), c = entries_of(*pretrained);
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    const bool head = a.parameters[i].name.starts_with("fc.");
    CHECK(same_bits(a.parameters[i].parameter->value(), (head ? b : c).parameters[i].parameter->value()));
  }
  // A file without a head, or with one of another name.
  save_renamed(dir / "headless", *pretrained,
               [](const std::string& name) { return name.starts_with("fc.") ? "" : name; });
  CHECK_NOTHROW(load_weights(dir / "headless", *fresh, {.head = "fc", .ignore_head = true}));
  CHECK(same_weights(*fresh, *model));
}

TEST_CASE("init: every family names its head") {
  const std::pair<const char*, const char*> heads[] = {
      {"resnet8", "fc"},        {"resnet18", "fc"},          {"preresnet20", "fc"},
      {"wrn-16-4", "fc"},       {"pyramidnet-110-48", "fc"}, {"vgg16", ""},
      {"densenet-40-12", "fc"}, {"vit-cifar", "heads.head"}, {"mlp", ""},
      {"lenet5", ""},           {"preresnet56-basic", "fc"}};
  for (const auto& entry : heads) {
    const std::string name = entry.first, head = entry.second;
    CAPTURE(name);
    const auto model = nn::make_model({.name = name, .classes = 7, .blank = true});
    const std::string found = nn::head_of(*model);
    if (!head.empty()) CHECK(found == head);
    for (const NamedParameter& p : entries_of(*model).parameters)
      if (p.name == found + ".weight" || p.name == found + ".bias") CHECK(p.parameter->size(0) == 7);
  }
}

TEST_CASE("init: files of torch.save and numpy say how to convert them") {
  TemporaryDirectory dir;
  const auto model = network("resnet8");
  const std::string path = dir / "it's a file";
  for (const std::string begin : {"PK\x03\x04", "\x80\x02"}) {
    write_bytes(path, begin + std::string(100, 'x'));
    const std::string said = failure([&] { load_weights(path, *model); });
    CHECK(said.starts_with("4: [load] " + path + " is a "));
    CHECK(said.find("f + \".safetensors\")' '" + (dir / "it'\\''s a file") + "' (without") !=
          std::string::npos);
    CHECK(said.find("docs/weights.md") != std::string::npos);
  }
  write_bytes(dir / "file", "\x93NUMPY" + std::string(100, 'x'));
  CHECK(failure([&] { load_weights(dir / "file", *model); }).find("numpy.savez(") != std::string::npos);
  write_bytes(dir / "file", "PK");
  CHECK(failure([&] { load_weights(dir / "file", *model); }).find("fewer than the 8") != std::string::npos);
}

TEST_CASE("export: a run's weights come out with their names, checked, and start another run") {
  TemporaryDirectory dir;
  const std::string run = dir / "run", file = dir / "out.safetensors";
  REQUIRE(train(test::small(run, {"--average", "swa", "--average-start", "1"})).code == 0);
  const test::Said said = run_export({"--run", run, "-o", file});
  CHECK(said.code == 0);
  CHECK(said.out.find("read back: 44 tensors, 75,777 numbers, every bit as written") != std::string::npos);
  const auto a = network("resnet8"), b = network("resnet8", 10, 2);
  load_weights(run + "/final.safetensors", *a);
  load_weights(file, *b);
  CHECK(same_weights(*a, *b));
  CHECK(Archive(file).metadata().at("classes") == "10");

  const test::Said swa = run_export({"--run", run, "--weights", "swa", "-o", file, "--json"});
  CHECK(parse_json(swa.out).at("equal").boolean());
  load_weights(run + "/final-swa.safetensors", *a);
  load_weights(file, *b);
  CHECK(same_weights(*a, *b));
  // A checkpoint without its run's configuration.
  const std::string checkpoint = run + "/ckpt-000000006.safetensors";
  CHECK(run_export({"--weights", checkpoint, "--model", "resnet8", "-o", file}).code == 0);
  CHECK(sha256_file(file) == weights(run));  // a checkpoint says of its network what the run's weights do
  load_weights(file, *b);
  load_weights(run + "/final.safetensors", *a);
  CHECK(same_weights(*a, *b));

  CHECK(failure([&] {
          run_export({"--run", run, "--weights", "ema", "-o", file});
        }).starts_with("4: [export]"));
  CHECK(failure([&] { run_export({"--run", run, "--weights", "member:1", "-o", file}); }).starts_with("4: "));
  CHECK(failure([&] { run_export({"--run", run, "--weights", "member:x", "-o", file}); }).starts_with("2: "));
  CHECK(failure([&] {
          run_export({"--weights", "swa", "--model", "resnet8", "-o", file});
        }) == "2: --weights swa is of a run: give --run DIR too (or ./swa for a file)");
  CHECK(failure([&] {
          run_export({"--weights", file, "--model", "resnet20", "-o", file});
        }).starts_with("4: "));
  CHECK(failure([&] {
          run_export({"--weights", file, "--model", "resnet8", "-o", dir / "out.pth"});
        }).starts_with("2: export: '" + (dir / "out.pth") + "' does not end in .safetensors"));
  CHECK(failure([&] { run_export({"-o", file}); }).starts_with("2: nothing to export"));
  CHECK(failure([&] { run_export({"--run", run}); }) == "2: export needs a file to write: -o FILE");
  CHECK(failure([&] {
          run_export({"--weights", file, "-o", file});
        }) == "2: --weights needs --model NAME too, or --run DIR");
  CHECK(failure([&] { run_export({"--run", run, "-o", dir / "no/out.safetensors"}); }).starts_with("8: "));
}
