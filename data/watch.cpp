#include "data/watch.h"

#include <atomic>
#include <thread>

#include "core/parallel.h"

namespace basin::data {

void watched_for(std::int64_t n, const Watch& watch, const std::function<void(std::int64_t index)>& body) {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> stopped{false};
  if (watch && n > 0) watch(0, n);  // of a short loop other threads may take every index
  parallel_for(n, [&](std::int64_t index, int) {
    if (stopped.load(std::memory_order_relaxed)) return;
    try {
      if (watch && std::this_thread::get_id() == caller) watch(done.load(), n);
      body(index);
    } catch (...) {
      stopped.store(true, std::memory_order_relaxed);
      throw;
    }
    ++done;
  });
}

}  // namespace basin::data
