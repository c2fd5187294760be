// The thread pool. Work is split by problem size into fixed chunks, never by thread count, so that the number
// of threads never shows in the bits of a result.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace basin {

/// A non-owning reference to a callable void(int64 chunk, int thread).
class ChunkBody {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, ChunkBody>>>
  ChunkBody(F&& f)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, std::int64_t chunk, int thread) {
          (*static_cast<std::remove_reference_t<F>*>(object))(chunk, thread);
        }) {}
  void operator()(std::int64_t chunk, int thread) const { call_(object_, chunk, thread); }

 private:
  void* object_;
  void (*call_)(void*, std::int64_t, int);
};

/// Calls body(chunk, thread) once for each chunk in [0, chunks), on the calling thread and the pool's
/// workers; returns when all are done. `thread` is in [0, thread_count()) and no two running bodies share it:
/// index per-thread scratch with it, never results. Each thread has a contiguous run of chunks, in rising
/// order; one that is done early takes chunks from the ends of the others' runs. Of the exceptions that
/// bodies throw, that of the smallest chunk is rethrown here. A call from inside a body runs serially on that
/// thread.
void parallel_for(std::int64_t chunks, ChunkBody body);

/// Number of threads that parallel_for uses, the caller included. Default: the CPUs this process may run on.
int thread_count();

/// Sets the number of threads (>= 1). Not to be called from inside parallel_for. Errors: MemoryError when the
/// system does not start so many; there is then one.
void set_thread_count(int count);

/// Sets the number of threads and puts the one before back.
class WithThreads {
 public:
  explicit WithThreads(int count) : before_(thread_count()) { set_thread_count(count); }
  ~WithThreads() { set_thread_count(before_); }
  WithThreads(const WithThreads&) = delete;
  WithThreads& operator=(const WithThreads&) = delete;

 private:
  int before_;
};

/// CPUs in this process's affinity mask (containers and taskset respected).
int available_cpus();

/// A buffer of at least `bytes` bytes, 64-byte aligned, private to the calling thread and `slot` (0..7), kept
/// and grown for reuse; contents are undefined.
void* thread_scratch(int slot, std::size_t bytes);

}  // namespace basin
