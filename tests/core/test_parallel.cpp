// The thread pool: every chunk once, static contiguous runs, exceptions, nesting, resizing, scratch memory.
#include <doctest/doctest.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"

namespace {

using basin::parallel_for;
using basin::WithThreads;

}  // namespace

TEST_CASE("parallel_for: every chunk runs once") {
  for (int threads : {1, 2, 3, 5}) {
    const WithThreads with(threads);
    CHECK(basin::thread_count() == threads);
    for (std::int64_t chunks : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<int> calls(static_cast<std::size_t>(chunks)), owner(calls.size());
      parallel_for(chunks, [&](std::int64_t chunk, int thread) {
        ++calls[static_cast<std::size_t>(chunk)];
        owner[static_cast<std::size_t>(chunk)] = thread;
      });
      for (std::size_t i = 0; i < calls.size(); ++i) {
        CHECK(calls[i] == 1);
        CHECK(owner[i] >= 0);
        CHECK(owner[i] < threads);
      }
    }
  }
}

TEST_CASE("parallel_for: the workers take part") {
  const WithThreads with(3);
  std::vector<std::thread::id> ids(3);
  std::atomic<int> begun{0};
  parallel_for(3, [&](std::int64_t chunk, int) {
    ids[static_cast<std::size_t>(chunk)] = std::this_thread::get_id();
    ++begun;
    while (begun < 3) std::this_thread::yield();  // else whoever comes first could do all the work
  });
  CHECK(ids[0] == std::this_thread::get_id());
  CHECK(ids[1] != ids[0]);
  CHECK(ids[2] != ids[0]);
  CHECK(ids[2] != ids[1]);
}

TEST_CASE("parallel_for: who is done takes chunks from the end of another's run") {
  const WithThreads with(2);
  std::vector<int> owner(10, -1);
  std::atomic<int> done{0};
  std::atomic<bool> both{false};
  parallel_for(10, [&](std::int64_t chunk, int thread) {
    // The first thread waits for the second, which stays at its first chunk until all others have run.
    if (chunk == 5) both = true;
    while (!both || (chunk == 5 && done < 9)) std::this_thread::yield();
    owner[static_cast<std::size_t>(chunk)] = thread;
    ++done;
  });
  CHECK(owner[5] == 1);
  for (std::size_t i : {0, 1, 2, 3, 4, 6, 7, 8, 9}) CHECK(owner[i] == 0);
}

TEST_CASE("parallel_for: the failure of the smallest chunk is rethrown and the pool works on") {
  const WithThreads with(4);
  for (int round = 0; round < 50; ++round) {
    std::string message;
    try {
      parallel_for(40, [&](std::int64_t chunk, int) {
        if (chunk % 10 >= 7) throw std::runtime_error(std::to_string(chunk));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "7");
    std::atomic<int> ran{0};
    parallel_for(40, [&](std::int64_t, int) { ++ran; });
    CHECK(ran == 40);
  }
}

TEST_CASE("parallel_for: a nested call runs serially on its thread, under the same index") {
  const WithThreads with(3);
  std::vector<std::int64_t> sums(9);
  std::atomic<int> strangers{0};
  parallel_for(9, [&](std::int64_t chunk, int thread) {
    const auto id = std::this_thread::get_id();
    parallel_for(100, [&](std::int64_t inner, int inner_thread) {
      if (inner_thread != thread || std::this_thread::get_id() != id) ++strangers;
      sums[static_cast<std::size_t>(chunk)] += inner;
    });
  });
  CHECK(strangers == 0);
  for (std::int64_t sum : sums) CHECK(sum == 4950);
}

TEST_CASE("parallel_for: calls from several threads at once do not mix") {
  const WithThreads with(2);
  std::vector<int> busy(2);  // written without a lock: two bodies under one index would race
  std::atomic<int> clashes{0};
  auto caller = [&] {
    for (int round = 0; round < 200; ++round) {
      parallel_for(4, [&](std::int64_t, int thread) {
        int& mine = busy[static_cast<std::size_t>(thread)];
        if (mine++ != 0) ++clashes;
        --mine;
      });
    }
  };
  std::thread other(caller);
  caller();
  other.join();
  CHECK(clashes == 0);
}

TEST_CASE("parallel_for: many short loops, with pauses long enough for the workers to fall asleep") {
  const WithThreads with(3);
  std::vector<std::int64_t> count(3);
  for (int round = 0; round < 3000; ++round) {
    parallel_for(3, [&](std::int64_t chunk, int) { ++count[static_cast<std::size_t>(chunk)]; });
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::int64_t n : count) CHECK(n == 3000);
}

TEST_CASE("parallel_for: the workers may run on every CPU that the caller may run on") {
  const WithThreads with(3);
  cpu_set_t own;
  REQUIRE(sched_getaffinity(0, sizeof own, &own) == 0);
  std::atomic<int> differing{0};
  for (int round = 0; round < 200; ++round)
    parallel_for(3, [&](std::int64_t, int) {
      cpu_set_t mine;
      if (sched_getaffinity(0, sizeof mine, &mine) != 0 || !CPU_EQUAL(&own, &mine)) ++differing;
    });
  CHECK(differing == 0);
}

TEST_CASE("set_thread_count: zero, and a call from inside a loop, are errors") {
  CHECK_THROWS_AS(basin::set_thread_count(0), basin::ArgumentError);
  CHECK_THROWS_AS(parallel_for(1, [](std::int64_t, int) { basin::set_thread_count(2); }),
                  basin::ArgumentError);
}

TEST_CASE("available_cpus: at least one, at most what the affinity mask allows") {
  cpu_set_t own;
  REQUIRE(sched_getaffinity(0, sizeof own, &own) == 0);
  CHECK(basin::available_cpus() >= 1);
  CHECK(basin::available_cpus() <= CPU_COUNT(&own));
}

TEST_CASE("thread_scratch: aligned, kept per thread and slot, grown") {
  void* first = basin::thread_scratch(0, 100);
  void* second = basin::thread_scratch(1, 100);
  CHECK(first != second);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  CHECK(basin::thread_scratch(0, 64) == first);
  void* large = basin::thread_scratch(0, 1 << 20);
  CHECK(reinterpret_cast<std::uintptr_t>(large) % 64 == 0);
  std::memset(large, 1, 1 << 20);
  CHECK(basin::thread_scratch(0, 10) == large);
  CHECK_THROWS_AS(basin::thread_scratch(8, 1), basin::ArgumentError);
  void* theirs = nullptr;
  std::thread([&] { theirs = basin::thread_scratch(1, 100); }).join();
  CHECK(theirs != second);
}
