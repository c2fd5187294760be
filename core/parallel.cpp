// The thread pool behind parallel_for: persistent workers that spin briefly and then sleep, each with a
// mailbox of its own. Nothing is pinned, because two Basin processes (or ctest -j) would then share one CPU
// and leave others idle.
#include "core/parallel.h"

#include <sched.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"

namespace basin {
namespace {

using Clock = std::chrono::steady_clock;

// Index of this thread in the running parallel_for, -1 outside of one.
thread_local int current_thread = -1;

void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// An event counter that one thread waits on: `advance` by the other side, `wait_until_not` here. The waiter
// spins for about the gap between two layers, then sleeps, so that an idle pool leaves its CPUs to others.
class alignas(64) Signal {
 public:
  int value() const { return value_.load(std::memory_order_acquire); }

  void set(int value) {
    value_.store(value, std::memory_order_seq_cst);
    wake();
  }

  // Adds -1; wakes the waiter on reaching zero.
  void count_down() {
    if (value_.fetch_sub(1, std::memory_order_seq_cst) == 1) wake();
  }

  template <class Done>
  void wait(Done done) {
    constexpr auto kSpin = std::chrono::microseconds(100);
    const Clock::time_point end = Clock::now() + kSpin;
    do {
      for (int i = 0; i < 32; ++i) {
        if (done(value())) return;
        cpu_relax();
      }
    } while (Clock::now() < end);
    std::unique_lock lock(mutex_);
    sleeping_.store(true, std::memory_order_seq_cst);
    changed_.wait(lock, [&] { return done(value_.load(std::memory_order_seq_cst)); });
    sleeping_.store(false, std::memory_order_relaxed);
  }

 private:
  // Either this load sees the waiter's `sleeping_`, or the waiter's check before it sleeps sees the new
  // value.
  void wake() {
    if (!sleeping_.load(std::memory_order_seq_cst)) return;
    const std::lock_guard lock(mutex_);
    changed_.notify_one();
  }

  std::atomic<int> value_{0};
  std::atomic<bool> sleeping_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

// The CPUs that this thread may run on.
class CpuMask {
 public:
  CpuMask() {
    for (std::size_t cpus = 1024; cpus <= (std::size_t{1} << 20); cpus *= 2) {
      bits_.assign(cpus / (8 * sizeof(cpu_set_t)), cpu_set_t{});
      if (sched_getaffinity(0, bytes(), bits_.data()) == 0) return;
    }
    bits_.clear();
  }
  int count() const { return bits_.empty() ? 0 : CPU_COUNT_S(bytes(), bits_.data()); }
  void remove(int cpu) { CPU_CLR_S(static_cast<std::size_t>(cpu), bytes(), bits_.data()); }
  void apply() const { sched_setaffinity(0, bytes(), bits_.data()); }

 private:
  std::size_t bytes() const { return bits_.size() * sizeof(cpu_set_t); }
  std::vector<cpu_set_t> bits_;
};

// Linux may leave two threads that spin in turn on one CPU for seconds. A worker that finds itself on its
// caller's CPU forbids itself that CPU for a moment, which moves it, and then allows it again.
class StepAside {
 public:
  void from(int cpu) {
    if (cpu < 0 || sched_getcpu() != cpu) return;
    const Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(2);
    const CpuMask all;
    if (all.count() < 2) return;
    CpuMask others = all;
    others.remove(cpu);
    others.apply();
    all.apply();
  }

 private:
  Clock::time_point next_{};
};

// What is left of one thread's run of chunks. The thread takes from the front; who has nothing left to do
// takes from the back. Chunks are numbers of 32 bits here: ends of the run and of a packed word.
class alignas(64) Run {
 public:
  void set(std::uint32_t begin, std::uint32_t end) {
    word_.store(pack(begin, end), std::memory_order_relaxed);
  }
  bool take_front(std::uint32_t& chunk) {
    return take([&](std::uint32_t begin, std::uint32_t end) { return chunk = begin, pack(begin + 1, end); });
  }
  bool take_back(std::uint32_t& chunk) {
    return take(
        [&](std::uint32_t begin, std::uint32_t end) { return chunk = end - 1, pack(begin, end - 1); });
  }

 private:
  static std::uint64_t pack(std::uint32_t begin, std::uint32_t end) {
    return std::uint64_t{begin} << 32 | end;
  }
  template <class Rest>
  bool take(Rest rest) {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const auto begin = static_cast<std::uint32_t>(word >> 32), end = static_cast<std::uint32_t>(word);
      if (begin >= end) return false;
      // Relaxed: the word says who runs a chunk; what chunks write is handed over at the end of the job.
      if (word_.compare_exchange_weak(word, rest(begin, end), std::memory_order_relaxed)) return true;
    }
  }

  std::atomic<std::uint64_t> word_{0};
};

// What a thread's chunks threw: the exception of the smallest of them.
struct Failure {
  std::int64_t chunk = 0;
  std::exception_ptr exception;
};

class Pool {
 public:
  explicit Pool(int count) { start(count); }
  ~Pool() { stop(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int size() const { return size_.load(std::memory_order_relaxed); }

  void resize(int count) {
    const std::lock_guard lock(one_caller_);
    if (count == size()) return;
    stop();
    start(count);
  }

  void run(std::int64_t chunks, ChunkBody body) {
    const std::lock_guard lock(one_caller_);
    const int threads = static_cast<int>(std::min<std::int64_t>(size(), chunks));
    const std::int64_t unit = chunks / kMostUnits + 1;
    job_ = {&body, chunks, unit, threads, sched_getcpu()};
    const std::int64_t units = (chunks + unit - 1) / unit;
    const auto first = [&](int t) { return static_cast<std::uint32_t>(units * t / threads); };
    for (int t = 0; t < threads; ++t) runs_[static_cast<std::size_t>(t)].set(first(t), first(t + 1));
    pending_.set(threads - 1);
    for (int t = 1; t < threads; ++t) {
      Signal& mail = workers_[static_cast<std::size_t>(t) - 1]->mail;
      mail.set(1 - mail.value());
    }
    Failure failure = share(0);
    pending_.wait([](int left) { return left == 0; });
    // Of each run the chunks before a failing one have run, so this is the smallest of all that fail.
    for (int t = 1; t < threads; ++t) {
      Failure theirs = std::exchange(workers_[static_cast<std::size_t>(t) - 1]->failure, {});
      if (theirs.exception && (!failure.exception || theirs.chunk < failure.chunk))
        failure = std::move(theirs);
    }
    if (failure.exception) std::rethrow_exception(failure.exception);
  }

 private:
  struct Worker {
    Signal mail;  // flips between 0 and 1 with each job posted to it
    Failure failure;
    std::thread thread;
  };
  struct Job {
    const ChunkBody* body = nullptr;
    std::int64_t chunks = 0;
    std::int64_t unit = 1;  // chunks that are taken at a time
    int threads = 1;
    int cpu = -1;  // that the caller runs on
  };
  static constexpr int kQuit = -1;
  static constexpr std::int64_t kMostUnits = std::int64_t{1} << 30;

  // Runs the chunks of thread t, and then some of the threads that are behind; returns what the first failing
  // one threw.
  Failure share(int t) {
    Failure failure;
    current_thread = t;
    std::int64_t chunk = 0;
    try {
      const auto run = [&](std::uint32_t taken) {
        const std::int64_t begin = taken * job_.unit, end = std::min(begin + job_.unit, job_.chunks);
        for (chunk = begin; chunk < end; ++chunk) (*job_.body)(chunk, t);
      };
      std::uint32_t taken = 0;
      while (runs_[static_cast<std::size_t>(t)].take_front(taken)) run(taken);
      for (int other = 1; other < job_.threads; ++other) {
        Run& behind = runs_[static_cast<std::size_t>((t + other) % job_.threads)];
        while (behind.take_back(taken)) run(taken);
      }
    } catch (...) {
      failure = {chunk, std::current_exception()};
    }
    current_thread = -1;
    return failure;
  }

  void work(Worker& self, int t) {
    StepAside step_aside;
    for (int seen = 0;;) {
      self.mail.wait([&](int value) { return value != seen; });
      seen = self.mail.value();
      if (seen == kQuit) return;
      step_aside.from(job_.cpu);
      self.failure = share(t);
      pending_.count_down();
    }
  }

  void start(int count) {
    runs_ = std::make_unique<Run[]>(static_cast<std::size_t>(count));
    size_ = 1;
    for (int t = 1; t < count; ++t) {
      auto worker = std::make_unique<Worker>();
      try {
        worker->thread = std::thread([this, &self = *worker, t] { work(self, t); });
      } catch (const std::system_error& e) {
        stop();
        size_ = 1;
        throw MemoryError("[threads] the system starts ", t, " of ", count, " threads and no more (",
                          e.code().message(),
                          "); ask for fewer with --threads, or raise its limits (ulimit -u, -v)");
      }
      workers_.push_back(std::move(worker));
      size_ = t + 1;
    }
  }

  void stop() {
    for (auto& worker : workers_) worker->mail.set(kQuit);
    for (auto& worker : workers_) worker->thread.join();
    workers_.clear();
  }

  std::mutex one_caller_;
  std::atomic<int> size_{1};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Run[]> runs_;  // of each thread
  Job job_;
  Signal pending_;
};

Pool& pool() {
  static Pool instance(available_cpus());
  return instance;
}

// CPUs that the control group of this process (a container's --cpus) grants, or a large number.
int quota_cpus() {
  long long quota = 0, period = 0;
  int fields = 0;
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    fields = std::fscanf(file, "%lld %lld", &quota, &period);
    std::fclose(file);
  }
  if (fields != 2 || quota <= 0 || period <= 0) return 1 << 20;
  return static_cast<int>(std::min<long long>((quota + period - 1) / period, 1 << 20));
}

class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }

  void* at_least(std::size_t bytes) {
    if (bytes > size_) {
      std::free(data_);
      size_ = 0;
      const std::size_t page = bytes < kSmall ? 4096 : kHugePage;
      const std::size_t rounded = (bytes + page - 1) / page * page;
      data_ = std::aligned_alloc(page, rounded);
#if defined(__linux__)
      // The points of Winograd's tiles lie a page and more apart: small pages would cost a TLB miss each.
      if (data_ && page == kHugePage) madvise(data_, rounded, MADV_HUGEPAGE);
#endif
      if (!data_) throw MemoryError("[thread_scratch] no memory for ", rounded, " bytes of scratch");
      size_ = rounded;
    }
    return data_;
  }

 private:
  static constexpr std::size_t kSmall = std::size_t{1} << 17, kHugePage = std::size_t{2} << 20;

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

void parallel_for(std::int64_t chunks, ChunkBody body) {
  if (chunks <= 0) return;
  const int inside = current_thread;
  if (inside >= 0) {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) body(chunk, inside);
    return;
  }
  pool().run(chunks, body);
}

int thread_count() { return pool().size(); }

void set_thread_count(int count) {
  if (count < 1) throw ArgumentError("[set_thread_count] expects at least 1 thread, got ", count);
  if (current_thread >= 0) throw ArgumentError("[set_thread_count] called from inside parallel_for");
  pool().resize(count);
}

int available_cpus() {
  int cpus = CpuMask().count();
  if (cpus == 0) cpus = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(cpus, quota_cpus()));
}

void* thread_scratch(int slot, std::size_t bytes) {
  constexpr int kSlots = 8;
  if (slot < 0 || slot >= kSlots) throw ArgumentError("[thread_scratch] slot must be 0..7, got ", slot);
  thread_local Scratch scratch[kSlots];
  return scratch[slot].at_least(bytes);
}

}  // namespace basin
