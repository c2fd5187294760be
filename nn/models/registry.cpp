#include "nn/models/registry.h"

#include <functional>

#include "nn/models/lenet.h"
#include "nn/models/mlp.h"
#include "nn/models/resnet.h"

namespace basin::nn {
namespace {

struct Entry {
  ModelInfo info;
  std::function<std::unique_ptr<Module>(const ModelSpec&, Initializer&)> make;
};

Entry cifar_resnet(int depth) {
  return {{text("resnet", depth), text("ResNet-", depth, " for small images: 3 stages of ", (depth - 2) / 6,
                                       " basic blocks, 16-32-64 channels (He et al. 2016)")},
          [depth](const ModelSpec& s, Initializer& init) {
            return std::make_unique<CifarResNet>(depth, s.channels, s.classes, s.shortcut, init);
          }};
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> e;
    e.push_back({{"mlp", "multilayer perceptron, hidden widths 256 and 128, ReLU"},
                 [](const ModelSpec& s, Initializer& init) {
                   return std::make_unique<Mlp>(s.height * s.width * s.channels, std::vector<Index>{256, 128},
                                                s.classes, init);
                 }});
    e.push_back({{"lenet5", "LeNet-5 with ReLU and max-pooling (LeCun et al. 1998)"},
                 [](const ModelSpec& s, Initializer& init) {
                   return std::make_unique<LeNet5>(s.height, s.width, s.channels, s.classes, init);
                 }});
    for (int depth : {8, 14, 20, 32, 44, 56, 110}) e.push_back(cifar_resnet(depth));
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

std::unique_ptr<Module> make_model(const ModelSpec& spec) {
  if (spec.height < 1 || spec.width < 1 || spec.channels < 1 || spec.classes < 1)
    throw ArgumentError("[model] '", spec.name, "' for samples {", spec.height, ",", spec.width, ",",
                        spec.channels, "} and ", spec.classes, " classes: all must be at least 1");
  Initializer init(spec.seed, spec.dtype);
  for (const Entry& e : entries())
    if (e.info.name == spec.name) return e.make(spec, init);
  std::string known;
  for (const std::string& name : model_names()) known += (known.empty() ? "" : ", ") + name;
  throw UsageError("[model] unknown model '", spec.name, "'; there are: ", known);
}

}  // namespace basin::nn
