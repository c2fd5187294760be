// Networks of timm and of Hugging Face's transformers by their own names: equal weights, equal logits.
// foreign.txt is made by tests/torch/make_foreign.py.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "apps/weights/positions.h"
#include "apps/weights/weights.h"
#include "autograd/recording.h"
#include "nn/models/registry.h"
#include "tests/apps/calls.h"
#include "tests/core/temporary_directory.h"
#include "tests/torch/formula.h"

using namespace basin;
using namespace basin::apps;

namespace {

const std::string kSource = BASIN_SOURCE_DIR;

struct Foreign {
  std::string model{};
  Index side = 0, classes = 0;
  std::vector<std::pair<std::string, Shape>> tensors{};  // their names
  double largest = 0;
  std::vector<double> logits{};
};

std::ifstream golden() { return std::ifstream(kSource + "/tests/torch/foreign.txt"); }

Foreign foreign(const std::string& source) {
  std::ifstream in = golden();
  Foreign found;
  bool mine = false;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind, name;
    words >> kind;
    if (kind == "network") {
      Foreign next;
      words >> next.model >> next.side >> next.classes >> name;
      mine = name == source;
      if (mine) found = next;
    } else if (kind == "tensor" && mine) {
      words >> name;
      Shape shape;
      for (Index extent = 0; words >> extent;) shape.push_back(extent);
      found.tensors.emplace_back(name, shape);
    } else if (kind == "logits" && mine) {
      words >> found.largest;
      for (double x = 0; words >> x;) found.logits.push_back(x);
      return found;
    }
  }
  throw DataError("foreign.txt has no network ", source);
}

/// Writes their file, reads it as --init does, and compares the logits, in parts of the largest.
double difference(const std::string& source, Dtype dtype = Dtype::f32) {
  const Foreign theirs = foreign(source);
  test::TemporaryDirectory dir;
  std::vector<ArchiveEntry> entries;
  for (const auto& [name, shape] : theirs.tensors) entries.push_back({name, test::by_formula(name, shape)});
  write_archive(dir / "theirs.safetensors", entries);
  const auto model = nn::make_model({.name = theirs.model,
                                     .height = theirs.side,
                                     .width = theirs.side,
                                     .classes = theirs.classes,
                                     .dtype = dtype,
                                     .blank = true});
  load_weights(dir / "theirs.safetensors", *model);
  NoRecording off;
  nn::Context ctx = nn::Context::evaluation();
  const Variable x(test::picture_batch(kSource + "/tests/data/images/photo.png", theirs.side).to(dtype));
  const std::vector<double> logits = (*model)(x, ctx).value().to(Dtype::f64).to_vector<double>();
  double worst = 0;
  for (std::size_t k = 0; k < theirs.logits.size(); ++k)
    worst = std::max(worst, std::abs(theirs.logits[k] - logits[k]));
  return worst / theirs.largest;
}

}  // namespace

TEST_CASE("foreign names: vision transformers of transformers and timm give the same logits") {
  CHECK(difference("transformers-ViTForImageClassification") < 1e-4);
  CHECK(difference("timm-VisionTransformer", Dtype::f64) < 1e-7);
}

TEST_CASE("slow: foreign names: ResNet-50 of transformers and timm gives the same logits") {
  CHECK(difference("transformers-ResNetForImageClassification") < 1e-4);
  CHECK(difference("timm-resnet50") < 1e-4);
}

TEST_CASE("foreign names: of an attention two tensors are not three") {
  const Foreign theirs = foreign("transformers-ViTForImageClassification");
  test::TemporaryDirectory dir;
  std::vector<ArchiveEntry> entries;
  for (const auto& [name, shape] : theirs.tensors)
    if (name != "vit.encoder.layer.2.attention.attention.key.weight")
      entries.push_back({name, Tensor::zeros(shape, Dtype::f32)});
  write_archive(dir / "two.safetensors", entries);
  const auto model = nn::make_model({.name = "vit-cifar", .blank = true});
  const std::string said = test::failure([&] { load_weights(dir / "two.safetensors", *model); });
  CHECK(said.starts_with("4: [load] "));
  CHECK(said.find("encoder.layers.encoder_layer_2.self_attention.in_proj_weight (F32 {576,192})") !=
        said.npos);
  CHECK(said.find("vit.encoder.layer.2.attention.attention.query.weight") != said.npos);
}

TEST_CASE("positions: resized as timm resizes them") {
  std::ifstream in = golden();
  int seen = 0;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("positions ")) continue;
    std::istringstream words(line.substr(10));
    Index from = 0, to = 0, dim = 0;
    words >> from >> to >> dim;
    const Tensor old = test::by_formula("positions", {1, 1 + from * from, dim});
    const Tensor resized = resized_positions(old, to);
    REQUIRE(resized.shape() == Shape{1, 1 + to * to, dim});
    CHECK(resized.dtype() == Dtype::f32);
    double worst = 0;
    for (const float mine : resized.to_vector<float>()) {
      double theirs = 0;
      words >> theirs;
      REQUIRE(!words.fail());
      worst = std::max(worst, std::abs(theirs - double{mine}));
    }
    CHECK(worst < 1e-6);
    ++seen;
  }
  CHECK(seen == 3);
  CHECK(position_side({1, 17, 8}) == 4);
  CHECK_FALSE(position_side({1, 18, 8}));
  CHECK_FALSE(position_side({2, 17, 8}));
}

TEST_CASE("init: positions of another number of patches are resized, elsewhere they do not fit") {
  test::TemporaryDirectory dir;
  const auto small = nn::make_model({.name = "vit-cifar", .height = 16, .width = 16, .seed = 3});
  save_weights(dir / "small.safetensors", *small);
  const auto large = nn::make_model({.name = "vit-cifar", .blank = true});
  CHECK(test::failure([&] {
          load_weights(dir / "small.safetensors", *large);
        }).find("encoder.pos_embedding (F32 {1,17,192}, expected F32 {1,65,192})") != std::string::npos);
  const LoadReport report = load_weights(dir / "small.safetensors", *large, {.resize_positions = true});
  CHECK(in_words(report).find("positions of 4 x 4 patches resized to 8 x 8") != std::string::npos);
  const WeightFile file(dir / "small.safetensors");
  const std::vector<float> wanted =
      resized_positions(file.read("encoder.pos_embedding"), 8).to_vector<float>();
  for (const ArchiveEntry& entry : weight_entries(entries_of(*large)))
    if (entry.name == "encoder.pos_embedding") CHECK(entry.tensor.to_vector<float>() == wanted);
}
