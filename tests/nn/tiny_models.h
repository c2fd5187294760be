// A small member of each family of models, for tests that train or differentiate twice.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/models/densenet.h"
#include "nn/models/preresnet.h"
#include "nn/models/pyramidnet.h"
#include "nn/models/resnet.h"
#include "nn/models/shake_shake.h"
#include "nn/models/vgg.h"
#include "nn/models/vit.h"
#include "nn/models/wide_resnet.h"

namespace basin {

struct TinyModel {
  std::string name;
  std::function<std::unique_ptr<nn::Module>(nn::Initializer&)> make;
};

constexpr Index kTinySide = 8, kTinyClasses = 4;  // of 3-channel samples

template <class Model, class Options>
TinyModel tiny(const char* name, Options options) {
  options.classes = kTinyClasses;
  return {name, [options](nn::Initializer& init) { return std::make_unique<Model>(options, init); }};
}

inline std::vector<TinyModel> tiny_models() {
  using namespace nn;
  const auto wide = [](const char* name, WideForm form) {
    return tiny<WideResNet>(name, WideResNetOptions{.depth = 10, .widen = 2, .form = form, .width = 3});
  };
  return {
      tiny<ResNet>("resnet, small stem",
                   ResNetOptions{.blocks = {1, 1, 1, 1}, .stem = Stem::small, .width = 3}),
      tiny<ResNet>("resnet, large stem, bottlenecks",
                   ResNetOptions{.blocks = {1, 2, 1, 1}, .bottleneck = true, .width = 3}),
      {"resnet without shortcuts",
       [](Initializer& init) {
         return std::make_unique<CifarResNet>(8, 3, kTinyClasses, Shortcut::none, init);
       }},
      tiny<PreResNet>("preresnet", PreResNetOptions{.depth = 8, .bottleneck = false, .width = 4}),
      tiny<PreResNet>("preresnet, bottlenecks", PreResNetOptions{.depth = 11, .width = 3}),
      wide("wide resnet", WideForm::zagoruyko),
      wide("wide resnet, swa", WideForm::swa),
      wide("wide resnet, sam", WideForm::sam),
      tiny<PyramidNet>("pyramidnet", PyramidNetOptions{.depth = 8, .alpha = 7, .width = 4}),
      tiny<PyramidNet>("pyramidnet, bottlenecks",
                       PyramidNetOptions{.depth = 11, .alpha = 5, .bottleneck = true, .width = 4}),
      tiny<PyramidNet>("pyramidnet, shakedrop",
                       PyramidNetOptions{.depth = 8, .alpha = 7, .last_keep = 0.5, .width = 4}),
      tiny<ShakeShake>("shake-shake", ShakeShakeOptions{.depth = 8, .base = 4, .width = 4}),
      tiny<Vgg>("vgg", VggOptions{.stages = {{6}, {8, 8}}, .hidden = 16}),
      tiny<Vgg>("vgg, batch norm", VggOptions{.stages = {{6}, {8, 8}}, .batch_norm = true, .hidden = 16}),
      tiny<DenseNet>("densenet", DenseNetOptions{.depth = 7, .growth = 4, .compressed = false}),
      tiny<DenseNet>("densenet-bc", DenseNetOptions{.depth = 10, .growth = 4}),
      tiny<Vit>("vit", VitOptions{.height = kTinySide,
                                  .width = kTinySide,
                                  .patch = 4,
                                  .dim = 12,
                                  .layers = 2,
                                  .heads = 3,
                                  .mlp = 24}),
  };
}

}  // namespace basin
