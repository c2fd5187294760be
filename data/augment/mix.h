// Random changes of whole batches: mixup, cutmix, and cutout with one square for all. They know the batch's
// place in the run, which an ExampleSource does not; the loader makes them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"

namespace basin::data {

/// What is done to each batch; mixup and cutmix exclude each other. With cutout besides, the order makes no
/// difference, since the square is the same in all images.
struct BatchMix {
  double mixup = 0;   // alpha of Beta(alpha, alpha); 0: none
  double cutmix = 0;  // the same
  int cutout = 0;     // side of the square; 0: none

  bool operator==(const BatchMix&) const = default;
};

/// Errors: UsageError for numbers out of range, or mixup and cutmix both.
void check(const BatchMix& mix);

/// The partners' side of a batch in which each image is made of two.
struct Mixed {
  Tensor labels{};    // i64 {B}: of the partners; undefined if nothing was mixed
  double lambda = 1;  // the loss is lambda loss(own labels) + (1 - lambda) loss(these)
};

/// Beta(alpha, alpha): of two gamma variates (Marsaglia and Tsang 2000, in logarithms). Errors: ArgumentError
/// unless 0.01 <= alpha <= 1000.
double draw_beta(double alpha, Random& random);

/// Zhang et al. 2018, in place: each image becomes lambda image + (1 - lambda) partner, in f32; lambda from
/// Beta(alpha, alpha), one for the batch, partners by a permutation of the batch. Drawn from Random(seed,
/// Stream::augment, epoch, step + 3 2^48): draw_beta(), then the permutation (Fisher and Yates from the last
/// place down). Errors: ArgumentError unless images are f32 {B,H,W,C} and labels i64 {B}; for alpha.
Mixed mixup(Tensor& images, const Tensor& labels, double alpha, std::uint64_t seed, std::uint64_t epoch,
            std::uint64_t step);

/// Yun et al. 2019, in place: a rectangle of each image is its partner's. With l from Beta(alpha, alpha) its
/// half sides are floor(sqrt(1 - l) side / 2), around a pixel drawn uniformly, cut at the border; lambda is
/// the share of pixels left. Drawn as in mixup(), then below(height), below(width). Errors: as mixup().
Mixed cutmix(Tensor& images, const Tensor& labels, double alpha, std::uint64_t seed, std::uint64_t epoch,
             std::uint64_t step);

/// Sets the same square of side `side` in all images to 0, as the JAX code of SAM does: around the pixel
/// below(height), below(width) of Random(seed, Stream::augment, epoch, step + 4 2^48), cut at the border.
/// Errors: ArgumentError unless images are f32 {B,H,W,C} and side >= 1.
void cutout_batch(Tensor& images, std::int64_t side, std::uint64_t seed, std::uint64_t epoch,
                  std::uint64_t step);

/// Rows [top, bottom) and columns [left, right) of an image.
struct Rectangle {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// What is drawn for a batch: the three functions above make it, in this order.
struct MixDraw {
  Rectangle covered{};                   // cutout's square, empty without cutout
  std::vector<std::int64_t> partners{};  // each image's, by its place in the batch; none: nothing is mixed
  Rectangle exchanged{};                 // cutmix's rectangle
  double lambda = 1;                     // Mixed::lambda
};

/// The draw for batch `step` of epoch `epoch`, of that many images of height x width. Errors: ArgumentError
/// for an alpha that is none.
MixDraw draw_mix(const BatchMix& mix, std::int64_t images, std::int64_t height, std::int64_t width,
                 std::uint64_t seed, std::uint64_t epoch, std::uint64_t step);

/// Does what `mix` asks for to batch `step` of epoch `epoch`. Errors: those of the three.
Mixed mix_batch(const BatchMix& mix, Tensor& images, const Tensor& labels, std::uint64_t seed,
                std::uint64_t epoch, std::uint64_t step);

}  // namespace basin::data
