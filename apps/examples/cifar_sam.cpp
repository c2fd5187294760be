// The whole job with the library alone: CIFAR-10, ResNet-20 (He et al. 2016, section 4.2), SAM around SGD, a
// cosine, evaluation, saving. `cifar_sam DIR 30` ends with the file, bit for bit, of
// `basin train --data cifar10 --data-dir DIR --model resnet20 --sharpness sam --epochs 30 --seed 1`, as
// tests/apps/test_cifar_sam.cpp shows. That program adds stopping and going on, records, every other choice.
#include <cstdio>
#include <cstdlib>

#include "autograd/named_tensors.h"
#include "autograd/recording.h"
#include "core/conv_algorithm.h"
#include "core/ops.h"
#include "data/loading/loader.h"
#include "data/sets/load.h"
#include "data/sets/metadata.h"
#include "nn/layers.h"
#include "optim/gradient/sam.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"

using namespace basin;

/// relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)). A block that doubles the channels halves the image;
/// its shortcut takes every second pixel and fills the new channels with zeros (option A).
struct Block : nn::Module {
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d bn1, bn2;

  Block(Index in, Index out, nn::Initializer& init)
      : conv1({.in = in, .out = out, .stride = out / in, .pad = 1}, init),
        conv2({.in = out, .out = out, .pad = 1}, init),
        bn1(out, init),
        bn2(out, init) {}
  void describe(Inventory& it) override {
    it.children("conv1", conv1, "bn1", bn1, "conv2", conv2, "bn2", bn2);
  }
  Variable forward(const Variable& x, nn::Context& ctx) override {
    const Variable y = relu(bn1(conv1(x, ctx), ctx)), z = bn2(conv2(y, ctx), ctx);
    const Index grow = (z.size(3) - x.size(3)) / 2;  // zero channels on either side
    if (grow == 0) return relu(z + x);
    const Variable half = avg_pool(x, {.kernel_h = 1, .kernel_w = 1, .stride_h = 2, .stride_w = 2});
    return relu(z + pad(half, {0, 0, 0, grow}, {0, 0, 0, grow}));
  }
};

/// Three stages of three blocks with 16, 32, 64 channels, the mean over all pixels, a linear layer.
struct ResNet20 : nn::Module {
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Linear fc;
  nn::Sequential layer1, layer2, layer3;

  explicit ResNet20(nn::Initializer& init)
      : conv1({.in = 3, .out = 16, .pad = 1}, init), bn1(16, init), fc(64, 10, init) {
    for (const Index in : {16, 16, 16}) layer1.add<Block>(in, 16, init);
    for (const Index in : {16, 32, 32}) layer2.add<Block>(in, 32, init);
    for (const Index in : {32, 64, 64}) layer3.add<Block>(in, 64, init);
  }
  void describe(Inventory& it) override {
    it.children("conv1", conv1, "bn1", bn1, "layer1", layer1, "layer2", layer2, "layer3", layer3, "fc", fc);
  }
  Variable forward(const Variable& x, nn::Context& ctx) override {
    const Variable y = relu(bn1(conv1(x, ctx), ctx));
    return fc(global_avg_pool(layer3(layer2(layer1(y, ctx), ctx), ctx)), ctx);
  }
};

/// The share of the images whose largest logit is the label.
double accuracy(nn::Module& net, const data::Dataset& test) {
  const NoRecording no_history;
  double correct = 0;
  data::Loader batches(test, {}, data::one_pass(128));
  for (data::Batch batch; batches.next(batch);) {
    nn::Context ctx = nn::Context::evaluation();
    correct += count_correct(net(batch.images, ctx).value(), batch.labels);
  }
  return correct / static_cast<double>(test.size());
}

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: cifar_sam DIR [EPOCHS [TRAINING IMAGES]]\n"), 2;
  const long epochs = count > 2 ? std::atol(arguments[2]) : 30;
  const long limit = count > 3 ? std::atol(arguments[3]) : 0;  // all
  const std::uint64_t seed = 1;  // of the initial weights, the order of the images, their crops and flips

  set_conv_algorithm(ConvAlgorithm::winograd4);  // four times fewer multiplications than the definition
  const auto cifar = data::load_data_set({.name = "cifar10", .dir = arguments[1], .limit = limit});
  data::Loader batches(cifar.train, {.crop = 4, .flip = true},
                       {.drop_last = false, .seed = seed, .workers = 2, .end_epoch = epochs});
  const auto steps = batches.batches_per_epoch();

  nn::Initializer init(seed);
  ResNet20 net(init);
  auto w = optim::ParameterVector::of(net);  // all parameters, one vector
  optim::Sam sam({.rho = 0.05});
  optim::Sgd sgd(w, {.momentum = 0.9, .weight_decay = 5e-4});
  const optim::Schedule rate({.kind = optim::ScheduleKind::cosine, .lr = 0.1, .total_steps = epochs * steps});

  for (data::Batch batch; batches.next(batch);) {
    const optim::Objective loss = [&](const optim::Request& look) {
      nn::Context ctx;  // SAM looks twice at a batch: running statistics move at the first look only
      if (look.pass != optim::Pass::first) ctx.statistics = nn::Statistics::hold;
      return optim::evaluate(cross_entropy(net(batch.images, ctx), batch.labels), w);
    };
    const optim::Direction d = sam.direction(loss, w);  // the gradient at w + rho g / |g|
    sgd.apply(w, d.vector, rate.lr(batch.epoch * steps + batch.step));
    if (batch.step + 1 == steps)
      std::printf("epoch %ld  loss %.4f  test accuracy %.2f %%\n", static_cast<long>(batch.epoch + 1),
                  d.report.loss.value(), 100 * accuracy(net, cifar.test));
  }
  write_archive("final.safetensors", archive_entries(entries_of(net)),
                data::weight_metadata("resnet20", cifar.train));  // and what inputs and outputs mean
}
