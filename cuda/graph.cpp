// Recordings as CUDA graphs: the stream is captured while the work is done, and the graph launched to play
// it.
#include <utility>

#include "cuda/backend.h"

namespace basin::cuda {
namespace {

class GraphRecording final : public Recording {
 public:
  GraphRecording(CudaBackend& backend, std::shared_ptr<Pool::Arena> arena)
      : backend_(backend), arena_(std::move(arena)) {}
  ~GraphRecording() override { forget(); }
  GraphRecording(const GraphRecording&) = delete;
  GraphRecording& operator=(const GraphRecording&) = delete;

  void rehearse(const std::function<void()>& work) override {
    const InArena memory(backend_.pool(), arena_.get());
    work();
  }

  void record(const std::function<void()>& work) override {
    forget();
    const InArena memory(backend_.pool(), arena_.get());
    const cudaStream_t stream = backend_.stream();
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    backend_.set_recording(true);
    try {
      work();
    } catch (...) {
      backend_.set_recording(false);
      static_cast<void>(cudaStreamEndCapture(stream, &graph));
      static_cast<void>(cudaGetLastError());
      if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
      throw;
    }
    backend_.set_recording(false);
    check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    const cudaError_t made = cudaGraphInstantiate(&playable_, graph, 0);
    static_cast<void>(cudaGraphDestroy(graph));
    check(made, "cudaGraphInstantiate");
  }

  void play() override {
    if (playable_ == nullptr) throw InternalError("[cuda] nothing is recorded to be played");
    check(cudaGraphLaunch(playable_, backend_.stream()), "cudaGraphLaunch");
  }

 private:
  /// It may still be under way.
  void forget() {
    if (playable_ == nullptr) return;
    static_cast<void>(cudaStreamSynchronize(backend_.stream()));
    static_cast<void>(cudaGraphExecDestroy(std::exchange(playable_, nullptr)));
  }

  CudaBackend& backend_;
  std::shared_ptr<Pool::Arena> arena_;
  cudaGraphExec_t playable_ = nullptr;
};

}  // namespace

// One arena for all: work is played in turns, and what one leaves behind is in use there or of no interest.
std::unique_ptr<Recording> CudaBackend::make_recording() {
  std::shared_ptr<Pool::Arena> arena = arena_.lock();
  if (!arena) {
    arena = {pool_.make_arena(), [this](Pool::Arena* a) { pool_.drop_arena(a); }};
    arena_ = arena;
  }
  return std::make_unique<GraphRecording>(*this, std::move(arena));
}

}  // namespace basin::cuda
