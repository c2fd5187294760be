// Which channels of a network may change places without changing what it computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/module.h"

namespace basin::apps {

/// Where the channels of a class stand along one axis of a parameter or buffer: the i-th of them at
/// places[0][i], places[1][i], ... More than once where a linear layer reads flattened images, once a pixel.
struct ChannelUse {
  std::string tensor;  // its name: "layer1.0.conv1.weight"
  int axis = 0;
  std::vector<std::vector<Index>> places{};
};

/// Channels that may be permuted among each other, everywhere at once: the outputs of a convolution with its
/// batch normalisation and the inputs of the next, or all that residual sums tie together.
struct ChannelClass {
  Index size = 0;
  std::vector<ChannelUse> uses{};
};

/// The classes of a network for samples {H,W,C}, in forward order, those of one channel left out. They are
/// read off the history of a forward pass, so that any model made of these ops has them: convolutions without
/// groups (or with one a channel), linear layers, batch and layer normalisation, pooling, whatever works on
/// each number by itself, sums and other elementwise joins (which tie the channels of both), concatenation,
/// padding with zero channels (ResNet's option A: new channels are free, those that pass are tied), and
/// flattening. Inputs and logits stay where they are. The model must be on the host; its numbers do not
/// count.
///
/// Errors: UsageError naming the op and why its channels cannot be followed: attention, for one.
std::vector<ChannelClass> channel_symmetries(nn::Module& model, const Shape& sample);

}  // namespace basin::apps
