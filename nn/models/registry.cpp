#include "nn/models/registry.h"

#include <functional>
#include <string_view>

#include "core/io/utf8.h"
#include "nn/models/densenet.h"
#include "nn/models/lenet.h"
#include "nn/models/mlp.h"
#include "nn/models/preresnet.h"
#include "nn/models/pyramidnet.h"
#include "nn/models/resnet.h"
#include "nn/models/shake_shake.h"
#include "nn/models/vgg.h"
#include "nn/models/vit.h"
#include "nn/models/wide_resnet.h"

namespace basin::nn {
namespace {

struct Entry {
  ModelInfo info;
  std::function<std::unique_ptr<Module>(const ModelSpec&, Initializer&)> make;
};

Entry cifar_resnet(int depth) {
  return {{text("resnet", depth),
           text("ResNet-", depth, " for small images: 3 stages of ", (depth - 2) / 6,
                " basic blocks, 16-32-64 channels (He et al. 2016)"),
           true, true, /*takes_shortcut=*/true},
          [depth](const ModelSpec& s, Initializer& init) {
            return std::make_unique<CifarResNet>(depth, s.channels, s.classes, s.shortcut, init);
          }};
}

Entry plain_resnet(int depth) {
  return {{text("resnet", depth, "-noshort"), text("ResNet-", depth, " without shortcuts (Li et al. 2018)")},
          [depth](const ModelSpec& s, Initializer& init) {
            return std::make_unique<CifarResNet>(depth, s.channels, s.classes, Shortcut::none, init);
          }};
}

Entry resnet(int depth, std::array<int, 4> blocks, Stem stem) {
  const bool large = stem == Stem::large;
  return {{text("resnet", depth, large ? "-imagenet" : ""),
           text("ResNet-", depth, ", 64-512 channels, ",
                large ? "7x7 stem and max-pool, torchvision's v1.5" : "3x3 stem for small images",
                " (He et al. 2016)")},
          [=](const ModelSpec& s, Initializer& init) {
            return std::make_unique<ResNet>(ResNetOptions{.blocks = blocks,
                                                          .bottleneck = depth >= 50,
                                                          .stem = stem,
                                                          .channels = s.channels,
                                                          .classes = s.classes},
                                            init);
          }};
}

Entry preresnet(int depth, bool bottleneck, const char* suffix = "") {
  return {{text("preresnet", depth, suffix),
           text("pre-activation ResNet-", depth, ", 3 stages of ", (depth - 2) / (bottleneck ? 9 : 6),
                bottleneck ? " bottlenecks" : " basic blocks", " (He et al. 2016b)")},
          [=](const ModelSpec& s, Initializer& init) {
            return std::make_unique<PreResNet>(
                PreResNetOptions{
                    .depth = depth, .bottleneck = bottleneck, .channels = s.channels, .classes = s.classes},
                init);
          }};
}

Entry wide_resnet(int depth, Index widen, WideForm form = WideForm::zagoruyko) {
  const char* suffix = form == WideForm::swa ? "-swa" : form == WideForm::sam ? "-sam" : "";
  const char* whose = form == WideForm::swa   ? ", the SWA authors' form (biases, Xavier uniform)"
                      : form == WideForm::sam ? ", google-research/sam's form (pooled, padded shortcuts)"
                                              : "";
  return {
      {text("wrn-", depth, "-", widen, suffix),
       text("wide ResNet-", depth, " of width ", widen, whose, " (Zagoruyko and Komodakis 2016)")},
      [=](const ModelSpec& s, Initializer& init) {
        return std::make_unique<WideResNet>(
            WideResNetOptions{
                .depth = depth, .widen = widen, .form = form, .channels = s.channels, .classes = s.classes},
            init);
      }};
}

Entry pyramidnet(int depth, int alpha, bool bottleneck, bool shake_drop = false) {
  return {{text("pyramidnet-", depth, "-", alpha, bottleneck ? "-bottleneck" : "",
                shake_drop ? "-shakedrop" : ""),
           text("PyramidNet-", depth, ", additive, alpha ", alpha, bottleneck ? ", bottlenecks" : "",
                shake_drop ? ", ShakeDrop (Yamada et al. 2019)" : " (Han et al. 2017)")},
          [=](const ModelSpec& s, Initializer& init) {
            return std::make_unique<PyramidNet>(PyramidNetOptions{.depth = depth,
                                                                  .alpha = static_cast<double>(alpha),
                                                                  .bottleneck = bottleneck,
                                                                  .last_keep = shake_drop ? 0.5 : 1,
                                                                  .channels = s.channels,
                                                                  .classes = s.classes},
                                                init);
          }};
}

Entry shake_shake(Index base) {
  return {{text("shake-shake-26-2x", base, "d"),
           text("Shake-Shake ResNet-26, 2 branches, ", base, "-", 4 * base, " channels (Gastaldi 2017)")},
          [base](const ModelSpec& s, Initializer& init) {
            return std::make_unique<ShakeShake>(
                ShakeShakeOptions{.base = base, .channels = s.channels, .classes = s.classes}, init);
          }};
}

Entry vgg16(bool batch_norm) {
  return {{batch_norm ? "vgg16-bn" : "vgg16",
           text("VGG-16", batch_norm ? " with batch norm" : "",
                ", 512-512-classes behind the convolutions (Simonyan and Zisserman 2015)"),
           batch_norm},
          [=](const ModelSpec& s, Initializer& init) {
            return std::make_unique<Vgg>(
                VggOptions{.batch_norm = batch_norm, .channels = s.channels, .classes = s.classes}, init);
          }};
}

Entry densenet(int depth, Index growth, bool compressed) {
  return {
      {text(compressed ? "densenet-bc-" : "densenet-", depth, "-", growth),
       text("DenseNet", compressed ? "-BC" : "", "-", depth, ", growth ", growth, " (Huang et al. 2017)")},
      [=](const ModelSpec& s, Initializer& init) {
        return std::make_unique<DenseNet>(DenseNetOptions{.depth = depth,
                                                          .growth = growth,
                                                          .compressed = compressed,
                                                          .channels = s.channels,
                                                          .classes = s.classes},
                                          init);
      }};
}

Entry vit(const char* name, Index patch, Index dim, Index layers, Index heads) {
  return {{name,
           text("vision transformer, patches of ", patch, ", ", layers, " layers of ", dim, " channels, ",
                heads, " heads (Dosovitskiy et al. 2021)"),
           false, false},
          [=](const ModelSpec& s, Initializer& init) {
            return std::make_unique<Vit>(VitOptions{.height = s.height,
                                                    .width = s.width,
                                                    .channels = s.channels,
                                                    .patch = patch,
                                                    .dim = dim,
                                                    .layers = layers,
                                                    .heads = heads,
                                                    .mlp = 4 * dim,
                                                    .classes = s.classes},
                                         init);
          }};
}

void add_resnets(std::vector<Entry>& e) {
  for (int depth : {8, 14, 20, 32, 44, 56, 110}) e.push_back(cifar_resnet(depth));
  for (int depth : {20, 56, 110}) e.push_back(plain_resnet(depth));
  for (Stem stem : {Stem::small, Stem::large}) {
    e.push_back(resnet(18, {2, 2, 2, 2}, stem));
    e.push_back(resnet(34, {3, 4, 6, 3}, stem));
    e.push_back(resnet(50, {3, 4, 6, 3}, stem));
    e.push_back(resnet(101, {3, 4, 23, 3}, stem));
    e.push_back(resnet(152, {3, 8, 36, 3}, stem));
  }
  // The SWA authors' rule: bottlenecks from depth 44 on; there is no bottleneck network of depth 44.
  for (int depth : {20, 32, 44}) e.push_back(preresnet(depth, false));
  for (int depth : {56, 110, 164}) e.push_back(preresnet(depth, true));
  for (int depth : {56, 110, 164}) e.push_back(preresnet(depth, false, "-basic"));
}

void add_pyramidnets(std::vector<Entry>& e) {
  for (int alpha : {48, 84, 270}) e.push_back(pyramidnet(110, alpha, false));
  for (int alpha : {84, 270}) e.push_back(pyramidnet(110, alpha, true));
  e.push_back(pyramidnet(164, 270, true));
  e.push_back(pyramidnet(272, 200, true));
  for (int alpha : {48, 270}) e.push_back(pyramidnet(110, alpha, false, /*shake_drop=*/true));
  e.push_back(pyramidnet(272, 200, true, /*shake_drop=*/true));
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> e;
    e.push_back({{"mlp", "multilayer perceptron, hidden widths 256 and 128, ReLU", false, false},
                 [](const ModelSpec& s, Initializer& init) {
                   return std::make_unique<Mlp>(s.height * s.width * s.channels, std::vector<Index>{256, 128},
                                                s.classes, init);
                 }});
    e.push_back({{"lenet5", "LeNet-5 with ReLU and max-pooling (LeCun et al. 1998)", false, false},
                 [](const ModelSpec& s, Initializer& init) {
                   return std::make_unique<LeNet5>(s.height, s.width, s.channels, s.classes, init);
                 }});
    add_resnets(e);
    for (auto [depth, widen] : {std::pair(16, 4), {16, 8}, {28, 2}, {28, 10}, {40, 10}})
      e.push_back(wide_resnet(depth, widen));
    e.push_back(wide_resnet(28, 10, WideForm::swa));
    e.push_back(wide_resnet(28, 10, WideForm::sam));
    add_pyramidnets(e);
    for (Index base : {32, 64, 96}) e.push_back(shake_shake(base));
    e.push_back(vgg16(false));
    e.push_back(vgg16(true));
    e.push_back(densenet(40, 12, false));
    e.push_back(densenet(40, 12, true));
    e.push_back(densenet(100, 12, true));
    e.push_back(vit("vit-cifar", 4, 192, 6, 3));
    e.push_back(vit("vit-s-32", 32, 384, 12, 6));
    e.push_back(vit("vit-s-16", 16, 384, 12, 6));
    e.push_back(vit("vit-b-32", 32, 768, 12, 12));
    e.push_back(vit("vit-b-16", 16, 768, 12, 12));
    return e;
  }();
  return all;
}

}  // namespace

std::vector<ModelInfo> models() {
  std::vector<ModelInfo> all;
  for (const Entry& e : entries()) all.push_back(e.info);
  return all;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Entry& e : entries()) names.push_back(e.info.name);
  return names;
}

std::string head_of(Module& model) {
  constexpr std::string_view kWeight = ".weight";
  std::string head;
  for (const NamedParameter& p : entries_of(model).parameters)
    if (p.role == ParameterRole::weight && p.layout == ParameterLayout::plain && p.parameter->rank() == 2 &&
        p.name.ends_with(kWeight))
      head = p.name.substr(0, p.name.size() - kWeight.size());
  if (head.empty()) throw ArgumentError("[model] '", model.kind(), "' has no linear layer to be its head");
  return head;
}

std::unique_ptr<Module> make_model(const ModelSpec& spec) {
  if (spec.height < 1 || spec.width < 1 || spec.channels < 1 || spec.classes < 1)
    throw ArgumentError("[model] '", spec.name, "' for samples {", spec.height, ",", spec.width, ",",
                        spec.channels, "} and ", spec.classes, " classes: all must be at least 1");
  Initializer init = spec.blank ? Initializer::blank(spec.dtype, spec.device)
                                : Initializer(spec.seed, spec.dtype, spec.device);
  for (const Entry& e : entries())
    if (e.info.name == spec.name) return e.make(spec, init);
  std::string known;
  for (const std::string& name : model_names()) known += (known.empty() ? "" : ", ") + name;
  throw UsageError("[model] unknown model ", quote(spec.name), "; there are: ", known);
}

}  // namespace basin::nn
