// The double's records of streams' work ("stream capture") and the graphs made of them.
#include <algorithm>
#include <utility>

#include "tests/cuda/doubles/runtime/state.h"

namespace fake {

void Record::run(bool late) const {
  std::vector<std::size_t> waits(nodes.size());
  std::set<std::size_t> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    waits[i] = nodes[i].after.size();
    if (waits[i] == 0) ready.insert(i);
  }
  std::vector<std::vector<std::size_t>> before(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const std::size_t j : nodes[i].after) before[j].push_back(i);
  while (!ready.empty() && runtime.sticky == cudaSuccess) {
    const std::size_t i = late ? *ready.rbegin() : *ready.begin();
    ready.erase(i);
    const Work& work = nodes[i].work;
    if (const std::string wrong = work.check ? work.check() : ""; !wrong.empty()) {
      fail_for_good(cudaErrorIllegalAddress, wrong + " (by the time the record is played)");
      return;
    }
    work.run();
    for (const std::size_t next : before[i])
      if (--waits[next] == 0) ready.insert(next);
  }
}

std::size_t Record::left_out(const std::set<std::size_t>& tails) const {
  std::vector<bool> joined(nodes.size());
  for (const std::size_t i : tails) joined[i] = true;
  for (std::size_t i = nodes.size(); i-- > 0;)
    if (joined[i])
      for (const std::size_t j : nodes[i].after) joined[j] = true;
  return static_cast<std::size_t>(std::find(joined.begin(), joined.end(), false) - joined.begin());
}

namespace {

// What a thread may call while somebody records; a capture that it began itself counts unless this is
// `relaxed`.
thread_local cudaStreamCaptureMode mode_of_thread = cudaStreamCaptureModeGlobal;

}  // namespace

cudaError_t forbidden_in_capture(const char* call) {
  if (mode_of_thread == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  for (CUstream_st* s : runtime.streams) {
    if (s->record == nullptr || s->record->origin != s) continue;
    const bool own = s->record->thread == std::this_thread::get_id();
    const bool concerned =
        own ? s->record->mode != cudaStreamCaptureModeRelaxed
            : s->record->mode == cudaStreamCaptureModeGlobal && mode_of_thread == cudaStreamCaptureModeGlobal;
    if (!concerned) continue;
    s->record->invalid = std::string(call) + " while a record is written";
    return fail(cudaErrorStreamCaptureUnsupported, s->record->invalid);
  }
  return cudaSuccess;
}

}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Call call;
  if (!runtime.streams.contains(stream) || stream->record != nullptr)
    return fail(cudaErrorIllegalState,
                "cudaStreamBeginCapture: no such stream, or its work is recorded already");
  stream->record = std::make_shared<Record>();
  stream->record->origin = stream;
  stream->record->streams = {stream};
  stream->record->mode = mode;
  stream->record->thread = std::this_thread::get_id();
  stream->tails.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Call call;
  *graph = nullptr;
  if (!runtime.streams.contains(stream) || stream->record == nullptr)
    return fail(cudaErrorIllegalState, "cudaStreamEndCapture: the stream's work is not recorded");
  const std::shared_ptr<Record> record = stream->record;
  if (record->origin != stream)
    return fail(cudaErrorStreamCaptureUnmatched, "cudaStreamEndCapture: the record began on another stream");
  const std::set<std::size_t> tails = stream->tails;
  for (CUstream_st* s : record->streams) {
    if (!runtime.streams.contains(s) || s->record != record) continue;
    s->record = nullptr;
    s->tails.clear();
  }
  record->ended = true;
  if (!record->invalid.empty())
    return fail(cudaErrorStreamCaptureInvalidated, "cudaStreamEndCapture: " + record->invalid);
  if (const std::size_t left = record->left_out(tails); left < record->nodes.size())
    return fail(cudaErrorStreamCaptureUnjoined,
                "cudaStreamEndCapture: work of another stream that nothing here waits for (entry " +
                    std::to_string(left) + ")");
  *graph = new CUgraph_st{record};
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, fake::mode_of_thread);
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const Call call;
  const bool recorded = runtime.streams.contains(stream) && stream->record != nullptr;
  *status = !recorded                         ? cudaStreamCaptureStatusNone
            : stream->record->invalid.empty() ? cudaStreamCaptureStatusActive
                                              : cudaStreamCaptureStatusInvalidated;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const Call call;
  *exec = new CUgraphExec_st{graph->record, current_card()};
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Call call;
  if (runtime.streams.contains(stream) && stream->record != nullptr) {
    stream->record->invalid = "cudaGraphLaunch while a record is written";
    return fail(cudaErrorStreamCaptureUnsupported, stream->record->invalid);
  }
  if (runtime.streams.contains(stream) && stream->card != exec->card)
    return fail(cudaErrorInvalidResourceHandle, "cudaGraphLaunch: a stream of another card");
  const auto play = [record = exec->record] { record->run(runtime.mode == Mode::deferred); };
  return enqueue(stream, {.work = {play, {}}}, "cudaGraphLaunch");
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  const Call call;
  if (nodes != nullptr) return fail(cudaErrorInvalidValue, "cudaGraphGetNodes: the double only counts");
  *count = graph->record->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

}  // extern "C"
