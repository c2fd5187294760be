// Streams and events, owned.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/check.h"

namespace basin::cuda {

/// A queue of work of the current device. It runs beside the default stream, which nobody uses.
class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"); }
  ~Stream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }
  /// Waits until all of its work is done. Errors: what went wrong in it.
  void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// A mark in a stream, without a time.
class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreateWithFlags"); }
  ~Event() { static_cast<void>(cudaEventDestroy(event_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const { return event_; }
  void record(const Stream& s) { check(cudaEventRecord(event_, s.get()), "cudaEventRecord"); }
  /// Waits, here, until the mark is reached.
  void wait() const { check(cudaEventSynchronize(event_), "cudaEventSynchronize"); }
  /// Lets what is asked of `s` from now on wait for the mark.
  void hold(const Stream& s) const { check(cudaStreamWaitEvent(s.get(), event_, 0), "cudaStreamWaitEvent"); }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace basin::cuda
