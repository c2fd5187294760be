// Which arithmetic the f32 convolutions of the CPU use: a setting of the process, like the number of threads.
#pragma once

namespace basin {

/// How a 3x3 convolution of stride 1 without groups, and its two gradients, are computed in f32 on the CPU.
/// `direct` multiplies and adds as the definition says. `winograd2` and `winograd4` compute tiles of 2x2 and
/// 4x4 outputs by F(2x2,3x3) and F(4x4,3x3) with 2.25 and 4 times fewer multiplications (Lavin and Gray,
/// "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308).
///
/// The price is rounding error: relative L2 errors of 8e-7 to 4e-6 by winograd4 instead of 1e-7 to 8e-7
/// (docs/performance.md, "How exact", has the table), and more where the terms of a sum cancel: up to 1e-4
/// for a weight gradient. An infinity or NaN spoils the tiles that see it, not only the outputs that do.
///
/// Every other convolution, every f64 one and every shape on which Winograd would not pay (see
/// core/cpu/conv/winograd/winograd.h) is direct whatever is set. Each algorithm gives the same bits for any
/// number of threads; the bits of one are not those of another.
enum class ConvAlgorithm { direct, winograd2, winograd4 };

/// The algorithm in force. Default: direct.
ConvAlgorithm conv_algorithm();

/// Changes it for all threads. Not to be called while convolutions run.
void set_conv_algorithm(ConvAlgorithm algorithm);

/// "direct", "winograd2" or "winograd4".
const char* name_of(ConvAlgorithm algorithm);

/// Sets an algorithm and puts the one before back.
class WithConvAlgorithm {
 public:
  explicit WithConvAlgorithm(ConvAlgorithm algorithm) : before_(conv_algorithm()) {
    set_conv_algorithm(algorithm);
  }
  ~WithConvAlgorithm() { set_conv_algorithm(before_); }
  WithConvAlgorithm(const WithConvAlgorithm&) = delete;
  WithConvAlgorithm& operator=(const WithConvAlgorithm&) = delete;

 private:
  ConvAlgorithm before_;
};

}  // namespace basin
