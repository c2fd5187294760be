// The whole job with the library alone: CIFAR-10, ResNet-20 (He et al. 2016, section 4.2), SAM around SGD, a
// cosine, evaluation, saving. `cifar_sam DIR 30` writes the file, bit for bit, that `basin train` does with
// --data cifar10
// --data-dir DIR --model resnet20 --sharpness sam --epochs 30 --seed 1 (tests/apps/test_cifar_sam.cpp). What
// that program adds: stopping and going on, records, every other choice.
#include <cstdio>
#include <cstdlib>

#include "autograd/named_tensors.h"
#include "autograd/recording.h"
#include "core/conv_algorithm.h"
#include "core/io/json.h"
#include "core/ops.h"
#include "data/loading/loader.h"
#include "data/sets/load.h"
#include "nn/layers.h"
#include "optim/gradient/sam.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"

using namespace basin;

/// relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)). Where the image shrinks, the shortcut takes every
/// second pixel and fills the new channels with zeros (option A).
struct Block : nn::Module {
  bool shrink;
  Index grow;
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d bn1, bn2;

  Block(Index in, Index out, nn::Initializer& init)
      : shrink(out > in),
        grow((out - in) / 2),
        conv1({.in = in, .out = out, .stride = shrink ? 2 : 1, .pad = 1}, init),
        conv2({.in = out, .out = out, .pad = 1}, init),
        bn1(out, init),
        bn2(out, init) {}
  void describe(Inventory& it) override {
    it.child("conv1", conv1);
    it.child("bn1", bn1);
    it.child("conv2", conv2);
    it.child("bn2", bn2);
  }
  Variable forward(const Variable& x, nn::Context& ctx) override {
    Variable y = relu(bn1(conv1(x, ctx), ctx));
    y = bn2(conv2(y, ctx), ctx);
    if (!shrink) return relu(y + x);
    const Variable half = avg_pool(x, {.kernel_h = 1, .kernel_w = 1, .stride_h = 2, .stride_w = 2});
    return relu(y + pad(half, {0, 0, 0, grow}, {0, 0, 0, grow}));
  }
};

/// A 3x3 convolution, three stages of three blocks with 16, 32, 64 channels, the mean over all pixels, a
/// linear layer.
struct ResNet20 : nn::Module {
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Linear fc;
  nn::Sequential layer1, layer2, layer3;

  explicit ResNet20(nn::Initializer& init)
      : conv1({.in = 3, .out = 16, .pad = 1}, init),
        bn1(16, init),
        fc(64, 10, init),
        layer1(blocks(16, 16, init)),
        layer2(blocks(16, 32, init)),
        layer3(blocks(32, 64, init)) {}
  static nn::Sequential blocks(Index in, Index out, nn::Initializer& init) {
    nn::Sequential stage;
    for (int i = 0; i < 3; ++i) stage.add<Block>(i == 0 ? in : out, out, init);
    return stage;
  }
  void describe(Inventory& it) override {
    it.child("conv1", conv1);
    it.child("bn1", bn1);
    it.child("layer1", layer1);
    it.child("layer2", layer2);
    it.child("layer3", layer3);
    it.child("fc", fc);
  }
  Variable forward(const Variable& x, nn::Context& ctx) override {
    Variable y = relu(bn1(conv1(x, ctx), ctx));
    y = layer3(layer2(layer1(y, ctx), ctx), ctx);
    return fc(global_avg_pool(y), ctx);
  }
};

/// The share of the test images whose largest logit is the label.
double accuracy(nn::Module& net, const std::shared_ptr<data::DatasetSource>& test) {
  const NoRecording no_history;
  double correct = 0;
  data::Loader batches(test, data::one_pass(128));
  for (data::Batch batch; batches.next(batch);) {
    nn::Context ctx = nn::Context::evaluation();
    const Tensor best = argmax(net(batch.images, ctx).value());
    for (Index i = 0; i < batch.size(); ++i)
      correct += best.data<std::int64_t>()[i] == batch.labels.data<std::int64_t>()[i];
  }
  return correct / static_cast<double>(test->size());
}

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: cifar_sam DIR [EPOCHS [TRAINING IMAGES]]\n"), 2;
  const std::int64_t epochs = count > 2 ? std::atoll(arguments[2]) : 30;
  const std::int64_t limit = count > 3 ? std::atoll(arguments[3]) : 0;  // all
  const std::uint64_t seed = 1;  // of the initial weights, the order of the images, their crops and flips

  set_conv_algorithm(ConvAlgorithm::winograd4);  // four times fewer multiplications than the definition
  const data::LoadedData cifar =
      data::load_data_set({.name = "cifar10", .dir = arguments[1], .limit = limit});
  const data::Augmentation none, crop_and_flip{.crop = 4, .flip = true};
  const auto train = std::make_shared<data::DatasetSource>(cifar.train, crop_and_flip, seed);
  const auto test = std::make_shared<data::DatasetSource>(cifar.test, none, seed);
  data::Loader batches(
      train, {.batch_size = 128, .drop_last = false, .seed = seed, .workers = 2, .end_epoch = epochs});
  const std::int64_t steps_per_epoch = batches.batches_per_epoch();

  nn::Initializer init(seed);
  ResNet20 net(init);
  auto w = optim::ParameterVector::of(net);  // all parameters, one vector
  optim::Sam sam({.rho = 0.05});
  optim::Sgd sgd(w, {.momentum = 0.9, .weight_decay = 5e-4});
  const optim::Schedule rate(
      {.kind = optim::ScheduleKind::cosine, .lr = 0.1, .total_steps = epochs * steps_per_epoch});

  std::int64_t step = 0;
  for (data::Batch batch; batches.next(batch); ++step) {
    // SAM looks twice at the same batch: running statistics move at the first look only.
    const optim::Objective loss = [&](const optim::Request& look) {
      const bool first = look.pass == optim::Pass::first;
      nn::Context ctx{.statistics = first ? nn::Statistics::update : nn::Statistics::hold};
      return optim::evaluate(cross_entropy(net(batch.images, ctx), batch.labels), w);
    };
    const optim::Direction d = sam.direction(loss, w);  // the gradient at w + rho g / |g|
    sgd.apply(w, d.vector, rate.lr(step));
    if (batch.step + 1 == steps_per_epoch)
      std::printf("epoch %lld  loss %.4f  test accuracy %.2f %%\n", static_cast<long long>(batch.epoch + 1),
                  d.report.loss, 100 * accuracy(net, test));
  }
  // Torchvision's names and layouts, and what inputs and outputs mean.
  const auto list = [](const auto& values) {
    return Json(Json::Array(values.begin(), values.end())).compact();
  };
  const ArchiveMetadata about = {{"format", "pt"},
                                 {"model", "resnet20"},
                                 {"data", "cifar10"},
                                 {"image", "32x32x3"},
                                 {"classes", "10"},
                                 {"class_names", list(cifar.train.class_names)},
                                 {"mean", list(cifar.train.mean)},
                                 {"deviation", list(cifar.train.deviation)}};
  write_archive("final.safetensors", archive_entries(entries_of(net)), about);
}
