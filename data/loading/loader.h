// Batches for training and evaluation, prepared ahead by worker threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/tensor.h"
#include "data/augment/mix.h"
#include "data/loading/sampler.h"
#include "data/loading/source.h"

namespace basin::data {

struct DrawnBatch;  // data/loading/device_batch.h

/// Some examples at once, and where in the run they stand.
struct Batch {
  Tensor images{};                      // f32 {B,H,W,C}
  Tensor labels{};                      // i64 {B}
  Tensor host_labels{};                 // the same where the host may look; on the host the same tensor
  Mixed mixed{};                        // with LoaderOptions::mix: the other labels and their weight
  std::vector<std::int64_t> indices{};  // B places in the source
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // within the epoch
  /// What a device made the tensors of, or is to make them of; null where the host did.
  std::shared_ptr<const DrawnBatch> drawn{};

  std::int64_t size() const { return static_cast<std::int64_t>(indices.size()); }
  /// The batch with images and labels on that device.
  Batch to(Device device) const;
};

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool shuffle = true;
  bool drop_last = true;
  std::uint64_t seed = 0;        // of the shuffling, and of what is drawn for a batch
  BatchMix mix{};                // what is done to each batch, in the threads that prepare it
  int workers = 0;               // threads that prepare batches; 0: the caller does, inside next()
  int prefetch = 4;              // finished batches that may wait for the caller, >= 1
  std::int64_t first_epoch = 0;  // where to start: any batch, the ones before it are not prepared
  std::int64_t first_step = 0;
  std::int64_t end_epoch = -1;  // next() ends before this epoch; -1: never
  /// Where next() puts images and labels. A device that has the source's pictures() makes the images itself,
  /// of what is drawn on the host; else they are prepared on the host and sent.
  Device device{};
  bool drawn_only = false;  // what the device would make stays undefined: Batch::drawn is all of the batch
};

/// One pass over everything in order, the incomplete last batch kept: what evaluation wants.
LoaderOptions one_pass(std::int64_t batch_size, int workers = 0, Device device = {});

/// Delivers batches in order: (first_epoch, first_step) and on, through epoch after epoch. They have the same
/// bits for any number of workers, any start and any device. For the thread that made it; its workers are its
/// own.
///
///   Loader loader(set, {.crop = 4, .flip = true}, {.batch_size = 128, .seed = 1, .workers = 2});
///   for (Batch batch; loader.next(batch);) { ... }
class Loader {
 public:
  /// Errors: those of Sampler and of check(mix); ArgumentError for an impossible start, workers < 0,
  /// prefetch < 1.
  Loader(std::shared_ptr<const ExampleSource> source, const LoaderOptions& options);
  /// Of the examples of a set, augmented by draws of options.seed. Errors: those of DatasetSource too.
  Loader(const Dataset& set, const Augmentation& augmentation, const LoaderOptions& options);
  ~Loader();  // stops the workers within one example
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Puts the next batch into `batch`; false at the end. Memory of earlier batches is used again once no
  /// other handle holds it. Errors: what the source threw for an example, as an Error of the same kind that
  /// names the example; thrown when its batch is due, and again by each later call.
  bool next(Batch& batch);

  std::int64_t batches_per_epoch() const { return sampler_.batches_per_epoch(); }

  /// Seconds that next() has waited for workers, or worked itself without any: time the network stood still.
  double waited_seconds() const { return waited_seconds_; }

 private:
  struct Buffers {
    Tensor images;
    Tensor labels;
  };
  struct Slot {  // the batch number n lives in slot n % slots_.size() from its start until it is handed out
    Batch batch;
    std::exception_ptr failure;
    bool ready = false;
  };

  void work(const std::stop_token& stop);
  void recycle();
  Batch prepare(std::int64_t number, const std::stop_token& stop);
  void write_images(Batch& batch, const std::stop_token& stop);
  /// Brings the batch to the device, or has it made there.
  void deliver(Batch& batch) const;
  Buffers take_buffers(std::int64_t rows);

  std::shared_ptr<const ExampleSource> source_;
  LoaderOptions options_;
  Sampler sampler_;
  std::optional<Pictures> pictures_{};  // where the device makes the images
  double waited_seconds_ = 0;
  std::vector<Buffers> lent_;  // handed out; the caller may still hold them

  // Batches are numbered epoch * batches_per_epoch + step.
  std::mutex mutex_;                   // guards what follows
  std::condition_variable_any room_;   // a worker may start another batch
  std::condition_variable_any ready_;  // a batch is finished
  std::int64_t claimed_ = 0;           // next number that a worker takes
  std::int64_t delivered_ = 0;         // next number that next() hands out
  std::int64_t end_ = 0;
  std::vector<Slot> slots_;
  std::vector<Buffers> free_;

  std::vector<std::jthread> threads_;  // last: stopped and joined before anything they use goes
};

}  // namespace basin::data
