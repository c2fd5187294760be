// Shortcut: a choice that CIFAR's ResNets have.
#pragma once

namespace basin::nn {

/// How a residual block joins inputs of other sizes (He et al. 2016, section 3.3): A strides and pads
/// channels with zeros (no parameters), B projects by a 1x1 convolution with batch normalisation; none leaves
/// all shortcuts out, as in the landscape pictures of Li et al. 2018.
enum class Shortcut { a, b, none };

}  // namespace basin::nn
