// Every registered model against what is published of it: parameters, multiply-adds, shapes, unique names.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "nn/models/densenet.h"
#include "nn/models/preresnet.h"
#include "nn/models/pyramidnet.h"
#include "nn/models/registry.h"
#include "nn/models/shake_shake.h"
#include "nn/models/vgg.h"
#include "nn/models/wide_resnet.h"
#include "nn/summary.h"

using namespace basin;

namespace {

/// One model, for RGB images of `side` pixels. Sources that are code were built in PyTorch and counted where
/// they print no count; a paper's rounded count stands beside them.
struct Published {
  const char* name;
  Index side, classes;
  Index parameters;
  double giga;  // multiply-adds of one image, 0: none published
  const char* source;
};

const std::vector<Published> kPublished = {
    {"resnet20-noshort", 32, 10, 269722, 0, "as resnet20: option A has no parameters"},
    {"resnet56-noshort", 32, 10, 853018, 0, "as resnet56"},
    {"resnet110-noshort", 32, 10, 1727962, 0, "as resnet110"},
    {"resnet18", 32, 10, 11173962, 0, "kuangliu/pytorch-cifar: 11.17 M"},
    {"resnet34", 32, 10, 21282122, 0, "kuangliu/pytorch-cifar: 21.28 M"},
    {"resnet50", 32, 10, 23520842, 0, "kuangliu/pytorch-cifar: 23.52 M"},
    {"resnet101", 32, 10, 42512970, 0, "kuangliu/pytorch-cifar: 42.51 M"},
    {"resnet152", 32, 10, 58156618, 0, "kuangliu/pytorch-cifar: 58.16 M"},
    {"resnet18-imagenet", 224, 1000, 11689512, 1.814, "torchvision"},
    {"resnet34-imagenet", 224, 1000, 21797672, 3.664, "torchvision"},
    {"resnet50-imagenet", 224, 1000, 25557032, 4.089, "torchvision"},
    {"resnet101-imagenet", 224, 1000, 44549160, 7.801, "torchvision"},
    {"resnet152-imagenet", 224, 1000, 60192808, 11.514, "torchvision"},
    {"preresnet20", 32, 10, 272282, 0, "pytorchcv"},
    {"preresnet32", 32, 10, 466714, 0, "resnet32 and two projections, 2560"},
    {"preresnet44", 32, 10, 661146, 0, "resnet44 and two projections"},
    {"preresnet56-basic", 32, 10, 855578, 0, "pytorchcv"},
    {"preresnet110-basic", 32, 10, 1730522, 0, "pytorchcv"},
    {"preresnet164-basic", 32, 10, 2605466, 0, "preresnet110-basic and 27 more blocks"},
    {"preresnet56", 32, 10, 590426, 0, "timgaripov/swa, counted in PyTorch"},
    {"preresnet110", 32, 10, 1146842, 0, "timgaripov/swa, counted in PyTorch"},
    {"preresnet164", 32, 10, 1703258, 0, "pytorchcv; He et al. 2016b: 1.7 M"},
    {"wrn-16-4", 32, 10, 2748890, 0, "Zagoruyko and Komodakis 2016: 2.7 M"},
    {"wrn-16-8", 32, 10, 10961370, 0, "Zagoruyko and Komodakis 2016, table 4: 11.0 M"},
    {"wrn-28-2", 32, 10, 1467610, 0, "Oliver et al. 2018: 1.5 M"},
    {"wrn-28-10", 32, 10, 36479194, 0, "pytorchcv; table 4: 36.5 M"},
    {"wrn-40-10", 32, 10, 55841754, 0, "xternalz/WideResNet-pytorch, counted in PyTorch"},
    {"wrn-28-10-swa", 32, 100, 36546980, 0,
     "timgaripov/swa, counted in PyTorch: 36,536,884 and 10,096 biases"},
    {"wrn-28-10-sam", 32, 10, 36220634, 0, "wrn-28-10 without its projections, 258,560"},
    {"pyramidnet-110-48", 32, 10, 1772706, 0, "pytorchcv; Han et al. 2017, table 4: 1.7 M, rounded down"},
    {"pyramidnet-110-84", 32, 10, 3904446, 0, "pytorchcv; table 4: 3.8 M, rounded down"},
    {"pyramidnet-110-270", 32, 10, 28485477, 0, "pytorchcv; table 4: 28.3 M, rounded down"},
    {"pyramidnet-164-270-bottleneck", 32, 10, 27216021, 0, "pytorchcv; table 4: 27.0 M, rounded down"},
    {"pyramidnet-272-200-bottleneck", 32, 10, 26210842, 0, "pytorchcv; table 4: 26.0 M, rounded down"},
    {"pyramidnet-110-84-bottleneck", 32, 10, 2528712, 0, "pytorchcv"},
    {"pyramidnet-110-270-bottleneck", 32, 10, 18323787, 0, "pytorchcv"},
    {"pyramidnet-110-48-shakedrop", 32, 10, 1772706, 0, "as pyramidnet-110-48: ShakeDrop has no parameters"},
    {"pyramidnet-110-270-shakedrop", 32, 10, 28485477, 0, "as pyramidnet-110-270"},
    {"pyramidnet-272-200-bottleneck-shakedrop", 32, 10, 26210842, 0,
     "as pyramidnet-272-200-bottleneck; google-research/sam: 26.2 M"},
    {"shake-shake-26-2x32d", 32, 10, 2923162, 0, "pytorchcv; Gastaldi 2017, table 1: 2.9 M"},
    {"shake-shake-26-2x64d", 32, 10, 11653978, 0, "pytorchcv; table 1: 11.7 M"},
    {"shake-shake-26-2x96d", 32, 10, 26192922, 3.78, "pytorchcv; table 1: 26.2 M; Zhao et al. 2022: 3.78 G"},
    {"vgg16", 32, 10, 15245130, 0, "timgaripov/swa"},
    {"vgg16-bn", 32, 10, 15253578, 0, "timgaripov/swa: 2 x 4224 more"},
    {"densenet-40-12", 32, 10, 1019722, 0, "Huang et al. 2017, table 2: 1.0 M"},
    {"densenet-bc-40-12", 32, 10, 176122, 0, "pytorchcv"},
    {"densenet-bc-100-12", 32, 10, 769162, 0, "pytorchcv; table 2: 0.8 M"},
    {"vit-cifar", 32, 10, 2693578, 0, "torchvision's VisionTransformer of this size, counted in PyTorch"},
    {"vit-s-32", 224, 1000, 22878952, 0, "timm: 22.88 M"},
    {"vit-s-16", 224, 1000, 22050664, 0, "timm: 22.05 M"},
    {"vit-b-32", 224, 1000, 88224232, 4.409, "torchvision"},
    {"vit-b-16", 224, 1000, 86567656, 17.564, "torchvision"},
};

std::unique_ptr<nn::Module> make_blank(const Published& p) {
  return nn::make_model(
      {.name = p.name, .height = p.side, .width = p.side, .classes = p.classes, .blank = true});
}

/// Logits of the right shape, rows of the summary that add up, and the published work.
void check_forward(const Published& p) {
  CAPTURE(p.name);
  const auto model = make_blank(p);
  const nn::Summary s = nn::summarize(*model, {p.side, p.side, 3});
  CHECK(s.output == Shape{1, p.classes});
  CHECK(s.parameters == p.parameters);
  Index parameters = 0, work = 0;
  for (const nn::LayerRow& row : s.layers) {
    parameters += row.parameters;
    work += row.multiply_adds;
  }
  CHECK(parameters == s.parameters);
  CHECK(work == s.multiply_adds);
  if (p.giga > 0) CHECK(1e-9 * static_cast<double>(s.multiply_adds) == doctest::Approx(p.giga).epsilon(1e-3));
}

/// Of the images that a registered model is meant for.
Index side_of(const std::string& name) {
  for (const Published& p : kPublished)
    if (p.name == name) return p.side;
  return 32;
}

bool small(const Published& p) { return p.parameters < 5'000'000; }

}  // namespace

TEST_CASE("parameter counts of all models are the published ones, and their names are unique") {
  std::set<std::string> counted = {"mlp",      "lenet5",   "resnet8",  "resnet14", "resnet20",
                                   "resnet32", "resnet44", "resnet56", "resnet110"};  // test_models.cpp
  for (const Published& p : kPublished) {
    CAPTURE(p.name);
    const auto model = make_blank(p);
    const Entries all = entries_of(*model);
    std::set<std::string> names;
    Index parameters = 0;
    for (const NamedParameter& q : all.parameters) {
      names.insert(q.name);
      parameters += q.parameter->value().elements();
    }
    for (const NamedBuffer& b : all.buffers) names.insert(b.name);
    CHECK(parameters == p.parameters);
    CHECK(names.size() == all.parameters.size() + all.buffers.size());
    CHECK(counted.insert(p.name).second);
  }
  for (const std::string& name : nn::model_names()) CHECK_MESSAGE(counted.count(name) == 1, name);
}

TEST_CASE("docs/models.md has a row for each model, with its parameters") {
  std::ifstream file(std::string(BASIN_SOURCE_DIR) + "/docs/models.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const auto grouped = [](Index n) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
  };
  for (const std::string& name : nn::model_names()) {
    const bool grey = name == "mlp" || name == "lenet5";
    const Index side = grey ? 28 : side_of(name);
    const auto model = nn::make_model({.name = name,
                                       .height = side,
                                       .width = side,
                                       .channels = grey ? 1 : 3,
                                       .classes = side == 224 ? 1000 : 10,
                                       .blank = true});
    Index parameters = 0;
    for (const NamedParameter& p : entries_of(*model).parameters)
      parameters += p.parameter->value().elements();
    const std::string row = text("| `", name, "` | ", grouped(parameters), " |");
    CHECK_MESSAGE(page.find(row) != std::string::npos, row);
  }
}

TEST_CASE("models of less than 5 million parameters take small images") {
  for (const Published& p : kPublished)
    if (small(p)) check_forward(p);
}

TEST_CASE("slow: the others take the images that they are meant for") {
  for (const Published& p : kPublished)
    if (!small(p)) check_forward(p);
}

TEST_CASE("names are those of the well-known sources") {
  const auto has = [](const char* model, const std::vector<const char*>& names, Index side = 32) {
    const auto built = nn::make_model({.name = model, .height = side, .width = side, .blank = true});
    const Entries all = entries_of(*built);
    std::set<std::string> known;
    for (const NamedParameter& p : all.parameters) known.insert(p.name);
    for (const NamedBuffer& b : all.buffers) known.insert(b.name);
    for (const char* name : names) CHECK_MESSAGE(known.count(name) == 1, model, ": ", name);
  };
  has("resnet18-imagenet",
      {"conv1.weight", "layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var",
       "layer4.1.bn2.num_batches_tracked", "fc.bias"});
  has("resnet50-imagenet", {"layer1.0.conv3.weight", "layer1.0.downsample.1.weight", "layer3.5.bn3.bias"});
  has("preresnet110", {"layer1.0.downsample.0.weight", "layer3.11.bn3.weight", "bn.running_mean"});
  has("wrn-16-4",
      {"block1.layer.0.convShortcut.weight", "block3.layer.1.conv2.weight", "bn1.bias", "fc.weight"});
  has("wrn-28-10-swa", {"layer1.0.shortcut.0.bias", "layer3.3.conv2.bias", "linear.weight"});
  has("pyramidnet-110-48", {"layer1.17.bn3.weight", "bn_final.weight", "fc.bias"});
  has("pyramidnet-110-48-shakedrop", {"layer1.17.bn3.weight", "bn_final.weight", "fc.bias"});
  has("shake-shake-26-2x32d", {"layer1.0.branch2.conv1.weight", "layer2.0.shortcut.conv2.weight",
                               "layer3.0.shortcut.bn.running_mean", "layer3.3.branch1.bn2.bias"});
  has("vgg16", {"features.28.bias", "classifier.1.weight", "classifier.6.bias"});
  has("vgg16-bn", {"features.40.weight", "features.41.running_mean", "classifier.4.bias"});
  has("densenet-bc-100-12", {"block3.layer.15.conv2.weight", "trans2.conv1.weight", "bn1.weight"});
  has("vit-cifar", {"class_token", "conv_proj.bias", "encoder.pos_embedding", "encoder.ln.weight",
                    "encoder.layers.encoder_layer_5.self_attention.in_proj_weight",
                    "encoder.layers.encoder_layer_5.mlp.3.bias", "heads.head.weight"});
}

TEST_CASE("depths and sizes that a family cannot take are explained") {
  nn::Initializer init = nn::Initializer::blank();
  CHECK_THROWS_WITH(nn::PreResNet({.depth = 44}, init),
                    "[preresnet] bottlenecks give depths 9n+2 (11, 20, ...), not 44");
  CHECK_THROWS_WITH(nn::PyramidNet({.depth = 111}, init),
                    "[pyramidnet] basic blocks give depths 6n+2 (8, 14, ...), not 111");
  CHECK_THROWS_WITH(nn::PyramidNet({.last_keep = -0.5}, init),
                    "[pyramidnet] last_keep is a probability in [0, 1], got -0.5");
  CHECK_THROWS_WITH(nn::ShakeShake({.depth = 27}, init),
                    "[shake_shake] blocks of two convolutions give depths 6n+2 (8, 14, ...), not 27");
  CHECK_THROWS_WITH(nn::ShakeShake({.depth = 8, .base = 3}, init),
                    "[shake_shake] the shortcut's two paths need an even number of channels, got 3");
  CHECK_THROWS_WITH(nn::WideResNet({.depth = 27}, init),
                    "[wide_resnet] wide ResNets have depth 6n+4 (10, 16, 22, 28, ...), got 27");
  CHECK_THROWS_WITH(nn::DenseNet({.depth = 41}, init),
                    "[densenet] with bottlenecks depths are 6n+4 (10, 16, ...), not 41");
  const auto run = [&](nn::Module& model, Index side) { nn::summarize(model, {side, side, 3}); };
  nn::PyramidNet pyramid({.depth = 8, .alpha = 6}, init);
  CHECK_NOTHROW(run(pyramid, 28));
  CHECK_THROWS_WITH(run(pyramid, 30),
                    "[residual] average pooling over 2x2 cannot halve an input of {15,15}: use samples whose "
                    "sides are multiples of 4");
  nn::Vgg vgg({.stages = {{2}, {2}, {2}}, .hidden = 4}, init);
  CHECK_NOTHROW(run(vgg, 20));  // averaged over what is left of the sides
  CHECK_THROWS_WITH(run(vgg, 7), "[vgg] samples of {7,7} are too small: each stage halves them");
}
