// DeviceBatch: a batch that a device makes, of pictures that lie there and of numbers that the host draws.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"
#include "data/augment/mix.h"
#include "data/loading/source.h"

namespace basin::data {

/// What the host draws for a batch of B examples: little enough to be sent anew for each.
struct DrawnBatch {
  Pictures pictures;  // what it is a batch of, on the device
  bool covered;       // a square is 0 in all images
  bool mixed;         // each image has a partner
  bool exchanged;     // of which it takes a rectangle; else a share of the whole
  std::int64_t rows;  // B
  /// i64: ImageBatch::draws {B,8}, labels {B}; of a batch that something is done to also the square {4}, the
  /// rectangle {4}, partners {B}, their labels {B}, the labels of the larger weight {B}. One tensor, so that
  /// it is sent at once.
  Tensor numbers;
  double lambda;  // Mixed::lambda

  Tensor labels() const { return numbers.view(8 * rows, {rows}); }
};

/// Draws batch `step` of epoch `epoch`, of those examples. Errors: those of draw() and draw_mix();
/// MemoryError.
DrawnBatch draw_batch(const ExampleSource& source, const Pictures& pictures,
                      const std::vector<std::int64_t>& indices, const BatchMix& mix, std::uint64_t seed,
                      std::uint64_t epoch, std::uint64_t step);

/// A place on the device for batches of one kind: as many rows, mixed alike. What is sent lies at addresses
/// that stay, and what the device makes of it depends on nothing else, so that a step may be recorded:
///
///     DeviceBatch place(drawn);            // the first batch of its kind
///     place.send(next_drawn);              // each later one: before the record is played, not part of it
///     x = place.images(); ...              // recorded: made of what lies there when it is played
///
/// It has the bits of the loader's batch that the host prepares.
class DeviceBatch {
 public:
  explicit DeviceBatch(const DrawnBatch& first);

  /// Whether `drawn` is of the kind that this is a place for.
  bool fits(const DrawnBatch& drawn) const;
  /// Puts a batch in the place of the one before. Errors: ArgumentError if it does not fit.
  void send(const DrawnBatch& drawn);

  /// The images, f32 {B,H,W,C}: by one call of the device, into a new tensor or `out`.
  Tensor images() const;
  void images(Tensor& out) const;
  /// i64 {B}. Of the partners: undefined if nothing is mixed. Of the larger weight: those of an image's two
  /// labels that count as right, its own if lambda is 0.5 or nothing is mixed.
  Tensor labels() const { return here_.labels(); }
  Tensor partner_labels() const;
  Tensor heavier_labels() const;
  /// f64 {2}, if something is mixed: lambda and 1 - lambda, the weights of the losses of labels() and
  /// partner_labels().
  const Tensor& shares() const { return shares_; }

 private:
  DrawnBatch here_;  // its numbers are on the device; its lambda says nothing
  Tensor shares_;    // there too
};

}  // namespace basin::data
