// The double's streams and events: queues whose work is done when somebody waits, and marks in them.
#include <algorithm>
#include <utility>

#include "tests/cuda/doubles/runtime/state.h"
#include "tests/cuda/emulator/emulator.h"

namespace fake {
namespace {

void run_kernel(dim3 grid, dim3 block, std::size_t dynamic_shared, const std::function<void()>& body) {
  ++runtime.kernels;
  const std::string error = emu::run_grid(grid, block, dynamic_shared, body);
  if (!error.empty()) fail_for_good(cudaErrorLaunchFailure, error);
}

void run(const Work& work) {
  if (runtime.sticky != cudaSuccess) return;
  if (const std::string wrong = work.check ? work.check() : ""; !wrong.empty()) {
    fail_for_good(cudaErrorIllegalAddress, wrong + " (by the time the work is done)");
    return;
  }
  work.run();
}

void execute(const Task& task) {
  switch (task.kind) {
    case Task::Kind::work:
      run(task.work);
      break;
    case Task::Kind::record:
      task.event->completed = std::max(task.event->completed, task.version);
      task.event->time = std::chrono::steady_clock::now();
      break;
    case Task::Kind::wait:
      drain_until(task.event, task.version);
      break;
  }
}

void execute_first(CUstream_st* stream) {
  const Task task = std::move(stream->queue.front());
  stream->queue.pop_front();
  execute(task);
}

std::string wrong_launch(dim3 grid, dim3 block, std::size_t dynamic_shared, std::size_t limit) {
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || threads == 0) return "an empty grid";
  if (threads > 1024 || block.z > 64 || grid.y > 65535 || grid.z > 65535 || grid.x > 2147483647U)
    return "a grid or block over a limit";
  if (dynamic_shared > limit)
    return "more dynamic shared memory than the kernel's limit (was cudaFuncSetAttribute called?)";
  return "";
}

/// Writes work down in the record that a stream is part of.
void write_down(CUstream_st* stream, Work work) {
  Record& record = *stream->record;
  record.nodes.push_back({std::move(work), {stream->tails.begin(), stream->tails.end()}});
  stream->tails = {record.nodes.size() - 1};
}

}  // namespace

void drain(CUstream_st* stream) {
  if (stream->queue.empty()) return;
  const OnCard scope;
  while (!stream->queue.empty()) execute_first(stream);
}

void drain_all() {
  for (CUstream_st* s : runtime.streams) drain(s);
}

void note_stall(const CUstream_st* stream) { runtime.stalls += stream->queue.empty() ? 0 : 1; }

void note_stall() {
  const auto busy = [](const CUstream_st* s) { return !s->queue.empty(); };
  runtime.stalls += std::any_of(runtime.streams.begin(), runtime.streams.end(), busy) ? 1 : 0;
}

void drain_until(CUevent_st* event, std::uint64_t version) {
  const OnCard scope;
  while (event->completed < version && runtime.streams.contains(event->stream) &&
         !event->stream->queue.empty())
    execute_first(event->stream);
}

Recorded& recorded() {
  static Recorded all;
  return all;
}

std::size_t Recorded::total() const {
  std::size_t sum = 0;
  for (const auto& [kernel, count] : kernels) sum += count;
  for (const auto& [call, count] : others) sum += count;
  return sum;
}

cudaError_t enqueue(cudaStream_t stream, Task task, const char* call) {
  if (runtime.sticky != cudaSuccess) return fail(runtime.sticky, std::string(runtime.message));
  if (stream == nullptr)
    return fail(cudaErrorInvalidResourceHandle,
                std::string(call) + ": the default stream is not ours to use");
  if (!runtime.streams.contains(stream))
    return fail(cudaErrorInvalidResourceHandle, std::string(call) + ": no such stream");
  if (stream->record != nullptr) {
    if (task.function != nullptr)
      ++recorded().kernels[task.function];
    else
      ++recorded().others[call];
    write_down(stream, std::move(task.work));
    return cudaSuccess;
  }
  stream->queue.push_back(std::move(task));
  if (runtime.mode == Mode::eager) drain(stream);
  return runtime.sticky;
}

cudaError_t enqueue_work(cudaStream_t stream, std::function<void()> work,
                         std::function<std::string()> check) {
  const Call call;
  if (const std::string wrong = check ? check() : ""; !wrong.empty())
    return fail(cudaErrorInvalidValue, wrong);
  return enqueue(stream, {.work = {std::move(work), std::move(check)}}, "a library's call");
}

cudaError_t enqueue_kernel(cudaStream_t stream, dim3 grid, dim3 block, std::size_t dynamic_shared,
                           const void* function, const Pointers& pointers, std::function<void()> body) {
  const Call call;
  const auto limit = runtime.shared_limits.find(function);
  const std::string wrong = wrong_launch(grid, block, dynamic_shared,
                                         limit == runtime.shared_limits.end() ? 48 * 1024 : limit->second);
  if (!wrong.empty()) return fail(cudaErrorInvalidConfiguration, "launch: " + wrong);
  if (!runtime.streams.contains(stream)) return enqueue(stream, {}, "launch");
  if (stream->card != current_card())
    return fail(cudaErrorInvalidResourceHandle, "launch: a stream of card " + std::to_string(stream->card) +
                                                    ", but the thread's card is " +
                                                    std::to_string(current_card()));
  const auto check = [pointers, card = stream->card] {
    std::string bad;
    pointers([&](int place, const void* p) {
      const auto* a = p == nullptr ? nullptr : allocation_of(p);
      if (p == nullptr || (a != nullptr && a->second.kind == Kind::pinned)) return;
      const std::string why = wrong_with(p, 1, card);
      if (!why.empty() && wrong_with(static_cast<const char*>(p) - 1, 1, card).empty()) return;  // of nothing
      if (!why.empty() && bad.empty()) bad = "kernel argument " + std::to_string(place) + ": " + why;
    });
    return bad;
  };
  if (const std::string bad = check(); !bad.empty()) {
    fail_for_good(cudaErrorIllegalAddress, bad);
    return fail(cudaErrorIllegalAddress, bad);
  }
  return enqueue(
      stream,
      {.work = {[=, body = std::move(body)] { run_kernel(grid, block, dynamic_shared, body); }, check},
       .function = function},
      "launch");
}

}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Call call;
  if (flags != cudaStreamNonBlocking)
    return fail(cudaErrorInvalidValue, "cudaStreamCreateWithFlags: our streams are non-blocking");
  *stream = new CUstream_st;
  (*stream)->card = current_card();
  runtime.streams.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Call call;
  if (!runtime.streams.contains(stream))
    return fail(cudaErrorInvalidResourceHandle, "cudaStreamDestroy: no such stream");
  drain(stream);
  runtime.streams.erase(stream);
  delete stream;
  return runtime.sticky;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Call call;
  if (!runtime.streams.contains(stream))
    return fail(cudaErrorInvalidResourceHandle, "cudaStreamSynchronize: no such stream");
  if (stream->record != nullptr) {
    stream->record->invalid = "cudaStreamSynchronize of a stream whose work is recorded";
    return fail(cudaErrorStreamCaptureUnsupported, stream->record->invalid);
  }
  note_stall(stream);
  drain(stream);
  return runtime.sticky;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Call call;
  if (!runtime.streams.contains(stream))
    return fail(cudaErrorInvalidResourceHandle, "cudaStreamQuery: no such stream");
  return stream->queue.empty() ? runtime.sticky : cudaErrorNotReady;
}
cudaError_t cudaDeviceSynchronize() {
  const Call call;
  if (const cudaError_t e = forbidden_in_capture("cudaDeviceSynchronize")) return e;
  note_stall();
  drain_all();
  return runtime.sticky;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const Call call;
  *event = new CUevent_st;
  (*event)->timing = (flags & cudaEventDisableTiming) == 0;
  runtime.events.insert(*event);
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Call call;
  if (!runtime.events.contains(event))
    return fail(cudaErrorInvalidResourceHandle, "cudaEventDestroy: no such event");
  drain_all();  // others may still wait for it
  runtime.events.erase(event);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Call call;
  if (!runtime.events.contains(event))
    return fail(cudaErrorInvalidResourceHandle, "cudaEventRecord: no such event");
  if (runtime.streams.contains(stream) && stream->record != nullptr) {
    event->record = stream->record;
    event->after = stream->tails;
    return cudaSuccess;
  }
  event->record = nullptr;
  if (runtime.streams.contains(stream)) event->stream = stream;
  return enqueue(stream,
                 {.kind = Task::Kind::record, .work = {}, .event = event, .version = ++event->recorded},
                 "cudaEventRecord");
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Call call;
  if (!runtime.events.contains(event) || !runtime.streams.contains(stream))
    return fail(cudaErrorInvalidResourceHandle, "cudaStreamWaitEvent: no such stream or event");
  if (event->record != nullptr) {
    if (event->record->ended)
      return fail(cudaErrorCapturedEvent, "cudaStreamWaitEvent: the event is a mark in a finished record");
    if (stream->record != nullptr && stream->record != event->record)
      return fail(cudaErrorStreamCaptureIsolation, "cudaStreamWaitEvent: the event is of another record");
    stream->record = event->record;
    stream->record->streams.insert(stream);
    stream->tails.insert(event->after.begin(), event->after.end());
    return cudaSuccess;
  }
  if (event->recorded == 0) return cudaSuccess;
  if (stream->record != nullptr) {
    stream->record->invalid = "recorded work waits for work outside the record";
    return fail(cudaErrorStreamCaptureIsolation, stream->record->invalid);
  }
  return enqueue(stream, {.kind = Task::Kind::wait, .work = {}, .event = event, .version = event->recorded},
                 "cudaStreamWaitEvent");
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Call call;
  if (!runtime.events.contains(event))
    return fail(cudaErrorInvalidResourceHandle, "cudaEventSynchronize: no such event");
  if (event->record != nullptr)
    return fail(cudaErrorCapturedEvent, "cudaEventSynchronize: the event is a mark in a record");
  if (event->completed < event->recorded) {
    drain_until(event, event->recorded);
    runtime.stalls += event->stream->queue.empty() ? 1 : 0;
  }
  return runtime.sticky;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Call call;
  if (!runtime.events.contains(event))
    return fail(cudaErrorInvalidResourceHandle, "cudaEventQuery: no such event");
  return event->completed < event->recorded ? cudaErrorNotReady : runtime.sticky;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  const Call call;
  if (!from->timing || !to->timing)
    return fail(cudaErrorInvalidResourceHandle, "cudaEventElapsedTime: an event without time");
  if (from->completed < from->recorded || to->completed < to->recorded)
    return fail(cudaErrorNotReady, "cudaEventElapsedTime: an event that is not reached");
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return cudaSuccess;
}

}  // extern "C"
