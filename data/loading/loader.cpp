#include "data/loading/loader.h"

#include <chrono>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "data/loading/device_batch.h"

namespace basin::data {
namespace {

using Clock = std::chrono::steady_clock;

// Thrown inside a worker that is told to stop in the middle of a batch; never leaves the loader.
struct Stopped {};

// Rethrows the exception in flight with the example's name before its message, its kind kept.
[[noreturn]] void rethrow_for_example(std::int64_t index, std::int64_t epoch) {
  const std::string who = text("example ", index, " (epoch ", epoch, "): ");
  try {
    throw;
  } catch (const Error& error) {
    throw Error(error.code(), who + error.what());
  } catch (const std::bad_alloc&) {
    throw MemoryError(who, "out of memory");
  } catch (const std::exception& error) {
    throw InternalError(who, error.what());
  }
}

}  // namespace

Batch Batch::to(Device device) const {
  Batch there = *this;
  there.images = images.to(device);
  there.labels = labels.to(device);
  there.mixed.labels = mixed.labels.to(device);
  for (const Tensor& known : {labels, there.labels})
    if (known.defined() && known.device().is_host()) there.host_labels = known;
  return there;
}

LoaderOptions one_pass(std::int64_t batch_size, int workers, Device device) {
  return {.batch_size = batch_size,
          .shuffle = false,
          .drop_last = false,
          .workers = workers,
          .end_epoch = 1,
          .device = device};
}

Loader::Loader(std::shared_ptr<const ExampleSource> source, const LoaderOptions& options)
    : source_(std::move(source)),
      options_(options),
      sampler_(source_->size(), options.batch_size, options.shuffle, options.drop_last, options.seed) {
  const std::int64_t batches = sampler_.batches_per_epoch();
  if (options.first_epoch < 0 || options.first_epoch >> 32 != 0 || options.first_step < 0 ||
      options.first_step >= batches) {
    throw ArgumentError("[loader] cannot start at epoch ", options.first_epoch, ", step ", options.first_step,
                        "; an epoch has ", batches, " batches");
  }
  if (options.workers < 0) throw ArgumentError("[loader] workers must be at least 0, got ", options.workers);
  if (options.prefetch < 1)
    throw ArgumentError("[loader] prefetch must be at least 1, got ", options.prefetch);
  if (options.end_epoch >> 32 > 0)
    throw ArgumentError("[loader] end_epoch must be below 2^32, got ", options.end_epoch);
  check(options.mix);
  if (!options.device.is_host()) pictures_ = source_->pictures(options.device);
  claimed_ = delivered_ = options.first_epoch * batches + options.first_step;
  end_ = options.end_epoch < 0 ? std::numeric_limits<std::int64_t>::max() : options.end_epoch * batches;
  slots_.resize(static_cast<std::size_t>(options.prefetch) + static_cast<std::size_t>(options.workers));
  for (int i = 0; i < options.workers; ++i) {
    try {
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    } catch (const std::system_error& e) {
      throw MemoryError("[loader] the system starts ", i, " of ", options.workers,
                        " threads that load data (", e.code().message(),
                        "); ask for fewer with --workers, or raise its limits (ulimit -u, -v)");
    }
  }
}

Loader::Loader(const Dataset& set, const Augmentation& augmentation, const LoaderOptions& options)
    : Loader(std::make_shared<DatasetSource>(set, augmentation, options.seed), options) {}

Loader::~Loader() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

bool Loader::next(Batch& batch) {
  batch = {};  // lets go of the caller's last batch, so that its memory can be used again
  const Clock::time_point start = Clock::now();
  std::unique_lock lock(mutex_);
  recycle();
  if (delivered_ >= end_) return false;
  Slot& slot = slots_[static_cast<std::size_t>(delivered_) % slots_.size()];
  if (threads_.empty()) {
    lock.unlock();
    batch = prepare(delivered_, {});
    lock.lock();
  } else {
    ready_.wait(lock, [&] { return slot.ready; });
    if (slot.failure) std::rethrow_exception(slot.failure);
    batch = std::exchange(slot.batch, {});
    slot.ready = false;
  }
  ++delivered_;
  if (batch.images.defined()) lent_.push_back({batch.images, batch.labels});
  room_.notify_all();
  waited_seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  lock.unlock();
  deliver(batch);
  return true;
}

void Loader::deliver(Batch& batch) const {
  if (!batch.drawn) {
    if (!options_.device.is_host()) batch = batch.to(options_.device);
  } else if (!options_.drawn_only) {
    const DeviceBatch made(*batch.drawn);
    batch.images = made.images();
    batch.labels = made.labels();
    batch.mixed.labels = made.partner_labels();
  }
}

// Moves the buffers of whole batches that only the loader still holds to the free list. Runs on the caller's
// thread, which is the one that used them, so its reads come before the next worker's writes.
void Loader::recycle() {
  std::erase_if(lent_, [this](Buffers& buffers) {
    if (buffers.images.use_count() > 1 || buffers.labels.use_count() > 1) return false;
    if (buffers.images.size(0) == options_.batch_size) free_.push_back(std::move(buffers));
    return true;
  });
}

void Loader::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto may_claim = [this] {
    return claimed_ < end_ && claimed_ - delivered_ < static_cast<std::int64_t>(slots_.size());
  };
  while (room_.wait(lock, stop, may_claim) && !stop.stop_requested()) {
    const std::int64_t number = claimed_++;
    lock.unlock();
    Batch batch;
    std::exception_ptr failure;
    try {
      batch = prepare(number, stop);
    } catch (const Stopped&) {
      return;
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    Slot& slot = slots_[static_cast<std::size_t>(number) % slots_.size()];
    slot.batch = std::move(batch);
    slot.failure = std::move(failure);
    slot.ready = true;
    ready_.notify_all();
  }
}

Loader::Buffers Loader::take_buffers(std::int64_t rows) {
  if (rows == options_.batch_size) {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      Buffers buffers = std::move(free_.back());
      free_.pop_back();
      return buffers;
    }
  }
  const Shape image = source_->image_shape();
  return {.images = Tensor::empty({rows, image[0], image[1], image[2]}),
          .labels = Tensor::empty({rows}, Dtype::i64)};
}

Batch Loader::prepare(std::int64_t number, const std::stop_token& stop) {
  Batch batch;
  batch.epoch = number / sampler_.batches_per_epoch();
  batch.step = number % sampler_.batches_per_epoch();
  batch.indices = sampler_.batch(batch.epoch, batch.step);
  const auto epoch = static_cast<std::uint64_t>(batch.epoch), step = static_cast<std::uint64_t>(batch.step);
  if (pictures_) {
    const auto drawn = std::make_shared<const DrawnBatch>(
        draw_batch(*source_, *pictures_, batch.indices, options_.mix, options_.seed, epoch, step));
    batch.host_labels = drawn->labels();
    batch.mixed.lambda = drawn->lambda;
    batch.drawn = drawn;
    return batch;
  }
  write_images(batch, stop);
  batch.mixed = mix_batch(options_.mix, batch.images, batch.labels, options_.seed, epoch, step);
  return batch;
}

void Loader::write_images(Batch& batch, const std::stop_token& stop) {
  Buffers buffers = take_buffers(batch.size());
  batch.images = std::move(buffers.images);
  batch.labels = batch.host_labels = std::move(buffers.labels);
  float* image = batch.images.mutable_data<float>();
  std::int64_t* label = batch.labels.mutable_data<std::int64_t>();
  const std::int64_t image_elements = source_->image_shape().elements();
  for (const std::int64_t index : batch.indices) {
    if (stop.stop_requested()) throw Stopped{};
    try {
      *label++ = source_->write(batch.epoch, index, image);
    } catch (...) {
      rethrow_for_example(index, batch.epoch);
    }
    image += image_elements;
  }
}

}  // namespace basin::data
