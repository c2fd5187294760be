// Streams and events, owned.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/runtime/check.h"

namespace basin::cuda {

/// Makes a card the current one of the calling thread. Nobody else calls cudaSetDevice.
void make_current(int card);

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
  void record(cudaStream_t s) { check(cudaEventRecord(event_, s), "cudaEventRecord"); }
  void record(const Stream& s) { record(s.get()); }
  /// Waits, here, until the mark is reached.
  void wait() const { check(cudaEventSynchronize(event_), "cudaEventSynchronize"); }
  /// Lets what is asked of `s` from now on wait for the mark.
  void hold(const Stream& s) const { check(cudaStreamWaitEvent(s.get(), event_, 0), "cudaStreamWaitEvent"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// The time between two places of a stream.
class Stopwatch {
 public:
  Stopwatch() {
    check(cudaEventCreateWithFlags(&begin_, cudaEventDefault), "cudaEventCreateWithFlags");
    check(cudaEventCreateWithFlags(&end_, cudaEventDefault), "cudaEventCreateWithFlags");
  }
  ~Stopwatch() {
    static_cast<void>(cudaEventDestroy(begin_));
    static_cast<void>(cudaEventDestroy(end_));
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  void start(cudaStream_t stream) const { check(cudaEventRecord(begin_, stream), "cudaEventRecord"); }
  /// Milliseconds since start(). Waits for the stream.
  float stop(cudaStream_t stream) const {
    check(cudaEventRecord(end_, stream), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

}  // namespace basin::cuda
