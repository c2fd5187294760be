// The double of the runtime finds what goes wrong on a card: each case makes one mistake, and where the
// mistake shows in numbers alone, also does the same thing right.
#include <doctest/doctest.h>
#include <runtime_double.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cuda/launch.h"
#include "cuda/runtime/stream.h"

using namespace basin;
using namespace basin::cuda;

namespace {

__global__ void set_kernel(float* y, float value, int n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) y[i] = value;
}
__global__ void scale_kernel(float* y, float by, int n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) y[i] *= by;
}
__global__ void scale_from_kernel(float* y, const float* by, int n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) y[i] *= *by;
}

constexpr int kCount = 100;
constexpr std::size_t kBytes = kCount * sizeof(float);

/// Two streams, a vector on the card and pinned memory; errors are forgotten before and after.
struct Card {
  Card() {
    make_current(0);
    static_cast<void>(cudaDeviceSynchronize());
    fake::reset();
    fake::set_mode(fake::Mode::deferred);
    first.emplace();
    second.emplace();
    CHECK(cudaMalloc(reinterpret_cast<void**>(&y), kBytes) == cudaSuccess);
    CHECK(cudaMallocHost(reinterpret_cast<void**>(&pinned), kBytes) == cudaSuccess);
  }
  ~Card() {
    fake::reset();
    static_cast<void>(cudaFree(y));
    static_cast<void>(cudaFreeHost(pinned));
    first.reset();
    second.reset();
    fake::reset();
  }
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

  cudaStream_t a() const { return first->get(); }
  cudaStream_t b() const { return second->get(); }
  void set(cudaStream_t s, float value) const { launch(set_kernel, 1, 32, s, y, value, kCount); }
  void scale(cudaStream_t s, float by) const { launch(scale_kernel, 1, 32, s, y, by, kCount); }
  float read() const {
    float x = 0;
    CHECK(cudaMemcpy(&x, y, sizeof x, cudaMemcpyDeviceToHost) == cudaSuccess);
    return x;
  }
  /// A graph of what body() asks of stream a.
  cudaGraphExec_t graph(const std::function<void()>& body) const {
    cudaGraph_t recorded = nullptr;
    check(cudaStreamBeginCapture(a(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    body();
    check(cudaStreamEndCapture(a(), &recorded), "cudaStreamEndCapture");
    cudaGraphExec_t exec = nullptr;
    check(cudaGraphInstantiate(&exec, recorded, 0), "cudaGraphInstantiate");
    check(cudaGraphDestroy(recorded), "cudaGraphDestroy");
    return exec;
  }

  std::optional<Stream> first, second;
  float* y = nullptr;
  float* pinned = nullptr;
};

bool says(const char* what) {
  if (fake::last_message().find(what) == std::string::npos) MESSAGE(fake::last_message());
  return fake::last_message().find(what) != std::string::npos;
}

/// Whether f ends the process that it runs in.
bool faults(const std::function<void()>& f) {
  const pid_t child = fork();
  if (child == 0) {
    static_cast<void>(signal(SIGSEGV, SIG_DFL));
    static_cast<void>(freopen("/dev/null", "w", stderr));
    f();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

TEST_CASE("double: launches that no card would take") {
  const Card card;
  CHECK_THROWS_AS(launch(set_kernel, dim3(0), 32, card.a(), card.y, 1.0F, 0), InternalError);
  CHECK(says("an empty grid"));
  CHECK_THROWS_AS(launch(set_kernel, 1, 2048, card.a(), card.y, 1.0F, kCount), InternalError);
  CHECK(says("over a limit"));
  CHECK_THROWS_AS(launch(set_kernel, 1, 32, nullptr, card.y, 1.0F, kCount), InternalError);
  CHECK(says("the default stream"));
  std::vector<float> host(kCount);
  CHECK_THROWS_AS(launch(set_kernel, 1, 32, card.a(), host.data(), 1.0F, kCount), InternalError);
  CHECK(says("kernel argument 0: not live memory of a card"));
}

TEST_CASE("double: copies over the end, in the wrong direction, and frees of what is not there") {
  const Card card;
  CHECK(cudaMemcpyAsync(card.y, card.pinned, kBytes + 4, cudaMemcpyHostToDevice, card.a()) != cudaSuccess);
  CHECK(says("past the end of an allocation of 400 bytes"));
  CHECK(cudaMemcpyAsync(card.pinned, card.y, kBytes, cudaMemcpyHostToDevice, card.a()) != cudaSuccess);
  CHECK(says("destination: not live memory of a card"));
  CHECK(cudaFree(card.y + 1) != cudaSuccess);
  float* gone = nullptr;
  CHECK(cudaMalloc(reinterpret_cast<void**>(&gone), 4) == cudaSuccess);
  CHECK(cudaFree(gone) == cudaSuccess);
  CHECK(cudaFree(gone) != cudaSuccess);
  CHECK(says("not the start of a live allocation"));
}

TEST_CASE("double: a result that is read before anybody waited is not there") {
  const Card card;
  card.set(card.a(), 3);
  CHECK(std::isnan(card.read()));
  card.first->wait();
  CHECK(card.read() == 3);
}

TEST_CASE("double: pinned memory that is filled again before its copy was made") {
  const Card card;
  card.pinned[0] = 5;
  CHECK(cudaMemcpyAsync(card.y, card.pinned, 4, cudaMemcpyHostToDevice, card.a()) == cudaSuccess);
  card.pinned[0] = 7;
  card.first->wait();
  CHECK(card.read() == 7);
  float here = 5;  // not pinned: has been read when the call returns
  CHECK(cudaMemcpyAsync(card.y, &here, 4, cudaMemcpyHostToDevice, card.a()) == cudaSuccess);
  here = 7;
  card.first->wait();
  CHECK(card.read() == 5);
}

TEST_CASE("double: two streams without an event between them") {
  const Card card;
  card.set(card.a(), 2);
  card.scale(card.b(), 10);
  card.second->wait();
  card.first->wait();
  CHECK(card.read() != 20);
  const Event event;
  card.set(card.a(), 2);
  CHECK(cudaEventRecord(event.get(), card.a()) == cudaSuccess);
  event.hold(*card.second);
  card.scale(card.b(), 10);
  card.second->wait();
  CHECK(card.read() == 20);
}

TEST_CASE("double: memory that nobody wrote is NaN") {
  const Card card;
  card.scale(card.a(), 1);
  card.first->wait();
  CHECK(std::isnan(card.read()));
}

TEST_CASE("double: what must not be asked for while a record is written") {
  const Card card;
  float host = 0;
  float* more = nullptr;
  CHECK_THROWS_AS(card.graph([&] { static_cast<void>(cudaMalloc(reinterpret_cast<void**>(&more), 4)); }),
                  InternalError);
  CHECK(says("cudaMalloc while a record is written"));
  CHECK_THROWS_AS(card.graph([&] { static_cast<void>(cudaFree(card.y)); }), InternalError);
  const cudaGraphExec_t allowed = card.graph([&] {
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    CHECK(cudaThreadExchangeStreamCaptureMode(&mode) == cudaSuccess);
    CHECK(cudaMalloc(reinterpret_cast<void**>(&more), 4) == cudaSuccess);
    CHECK(cudaThreadExchangeStreamCaptureMode(&mode) == cudaSuccess);
  });
  CHECK(cudaGraphExecDestroy(allowed) == cudaSuccess);
  CHECK(cudaFree(more) == cudaSuccess);
  CHECK_THROWS_AS(card.graph([&] { static_cast<void>(cudaStreamSynchronize(card.a())); }), InternalError);
  CHECK(says("cudaStreamSynchronize of a stream whose work is recorded"));
  CHECK_THROWS_AS(card.graph([&] {
    static_cast<void>(cudaMemcpyAsync(&host, card.y, 4, cudaMemcpyDeviceToHost, card.a()));
  }),
                  InternalError);
  CHECK(says("not pinned, while a record is written"));
  CHECK_THROWS_AS(card.graph([&] {
    static_cast<void>(cudaMemcpyAsync(card.y, &host, 4, cudaMemcpyHostToDevice, card.a()));
  }),
                  InternalError);
}

TEST_CASE("double: a rate that a record froze") {
  const Card card;
  float* rate = nullptr;
  CHECK(cudaMalloc(reinterpret_cast<void**>(&rate), 4) == cudaSuccess);
  const auto three_steps = [&](bool on_card) {
    card.set(card.a(), 1);
    float now = 2;
    const cudaGraphExec_t step = card.graph([&] {
      if (on_card)
        launch(scale_from_kernel, 1, 32, card.a(), card.y, rate, kCount);
      else
        card.scale(card.a(), now);
    });
    for (int i = 0; i < 3; ++i, now *= 2) {
      CHECK(cudaMemcpyAsync(rate, &now, 4, cudaMemcpyHostToDevice, card.a()) == cudaSuccess);
      CHECK(cudaGraphLaunch(step, card.a()) == cudaSuccess);
    }
    card.first->wait();
    CHECK(cudaGraphExecDestroy(step) == cudaSuccess);
    return card.read();
  };
  CHECK(three_steps(false) == 8);
  CHECK(three_steps(true) == 64);
  CHECK(cudaFree(rate) == cudaSuccess);
}

TEST_CASE("double: a second stream that a record doesn't join") {
  const Card card;
  const Event fork, join;
  const auto two_streams = [&](bool joined) {
    return card.graph([&] {
      card.set(card.a(), 2);
      CHECK(cudaEventRecord(fork.get(), card.a()) == cudaSuccess);
      fork.hold(*card.second);
      card.scale(card.b(), 10);
      if (!joined) return;
      CHECK(cudaEventRecord(join.get(), card.b()) == cudaSuccess);
      join.hold(*card.first);
    });
  };
  CHECK_THROWS_AS(two_streams(false), InternalError);
  CHECK(says("nothing here waits for"));
  const cudaGraphExec_t exec = two_streams(true);
  CHECK(cudaGraphLaunch(exec, card.a()) == cudaSuccess);
  card.first->wait();
  CHECK(card.read() == 20);
  CHECK(cudaGraphExecDestroy(exec) == cudaSuccess);
}

TEST_CASE("double: two branches of a record, one of which reads what the other writes") {
  const Card card;
  const Event fork, join;
  const auto result = [&](bool ordered) {
    const cudaGraphExec_t exec = card.graph([&] {
      card.set(card.a(), 1);
      CHECK(cudaEventRecord(fork.get(), card.a()) == cudaSuccess);
      if (!ordered) fork.hold(*card.second);
      card.set(card.a(), 2);
      if (ordered) {
        CHECK(cudaEventRecord(fork.get(), card.a()) == cudaSuccess);
        fork.hold(*card.second);
      }
      card.scale(card.b(), 10);
      CHECK(cudaEventRecord(join.get(), card.b()) == cudaSuccess);
      join.hold(*card.first);
    });
    CHECK(cudaGraphLaunch(exec, card.a()) == cudaSuccess);
    card.first->wait();
    CHECK(cudaGraphExecDestroy(exec) == cudaSuccess);
    return card.read();
  };
  CHECK(result(true) == 20);
  CHECK(result(false) != 20);
}

TEST_CASE("double: memory that is freed while a record still uses it") {
  const Card card;
  float* temporary = nullptr;
  CHECK(cudaMalloc(reinterpret_cast<void**>(&temporary), kBytes) == cudaSuccess);
  const cudaGraphExec_t exec =
      card.graph([&] { launch(set_kernel, 1, 32, card.a(), temporary, 1.0F, kCount); });
  CHECK(cudaGraphLaunch(exec, card.a()) == cudaSuccess);
  CHECK(cudaStreamSynchronize(card.a()) == cudaSuccess);
  CHECK(cudaFree(temporary) == cudaSuccess);
  static_cast<void>(cudaGraphLaunch(exec, card.a()));
  CHECK(cudaStreamSynchronize(card.a()) != cudaSuccess);
  CHECK(says("by the time the record is played"));
  CHECK(cudaGraphExecDestroy(exec) == cudaSuccess);
}

TEST_CASE("double: the host may not touch a card's memory") {
  const Card card;
  card.set(card.a(), 1);
  card.first->wait();
  CHECK(faults([&] { static_cast<void>(*static_cast<volatile float*>(card.y)); }));
  CHECK(faults([&] { *static_cast<volatile float*>(card.y) = 1; }));
  CHECK_FALSE(faults([&] { static_cast<void>(*static_cast<volatile float*>(card.pinned)); }));
}

TEST_CASE("double: a kernel that writes one number too many") {
  const Card card;
  CHECK(faults([&] {
    float* y = nullptr;
    static_cast<void>(cudaMalloc(reinterpret_cast<void**>(&y), kBytes));
    launch(set_kernel, 1, 32, card.a(), y, 1.0F, kCount + 1);
    if (cudaFree(y) != cudaSuccess) _exit(1);  // ASan ends it before
  }));
}

TEST_CASE("double: an error in a kernel stays") {
  const Card card;
  launch(
      +[](float*) { emu::fail_thread("a mistake"); }, 1, 32, card.a(), card.y);
  CHECK(cudaStreamSynchronize(card.a()) == cudaErrorLaunchFailure);
  CHECK(says("a mistake: thread (0,0,0)"));
  static_cast<void>(cudaGetLastError());
  CHECK(cudaStreamSynchronize(card.a()) == cudaErrorLaunchFailure);
}

TEST_CASE("double: memory, streams and the current card belong together") {
  const Card card;
  make_current(1);
  const Stream other;
  CHECK_THROWS_AS(card.set(card.a(), 1), InternalError);
  CHECK(says("a stream of card 0, but the thread's card is 1"));
  CHECK(cudaMemcpyAsync(card.pinned, card.y, 4, cudaMemcpyDeviceToHost, other.get()) != cudaSuccess);
  CHECK(says("memory of card 0 on card 1"));
  CHECK_THROWS_AS(card.set(other.get(), 1), InternalError);
  make_current(0);
}
