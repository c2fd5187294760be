// The emulator of kernels finds what would hang, race or be undefined on a card: each case is a kernel with a
// mistake.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "cuda/kernels/device.cuh"
#include "tests/cuda/schedules.h"

using namespace basin;
using namespace basin::cuda;

namespace {

/// One block of `threads`, whose threads call body().
std::string run_block(unsigned threads, const std::function<void()>& body) {
  return emu::run_grid(dim3(1), dim3(threads), 0, body);
}

bool says(const std::string& error, const char* what) {
  if (error.find(what) == std::string::npos) MESSAGE(error);
  return error.find(what) != std::string::npos;
}

struct Numbers;

/// out = the numbers of the block in reverse, by shared memory; `barrier` is the wait in between.
void reverse_in_block(float* out, bool barrier) {
  float* shared = shared_array<Numbers, float, 64>();
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (barrier) __syncthreads();
  out[threadIdx.x] = shared[63 - threadIdx.x];
}

}  // namespace

TEST_CASE("emulator: a barrier lets threads see each other's shared memory") {
  std::vector<float> out(64);
  CHECK(run_block(64, [&] { reverse_in_block(out.data(), true); }).empty());
  for (unsigned i = 0; i < 64; ++i) CHECK(out[i] == static_cast<float>(63 - i));
}

TEST_CASE("emulator: without the barrier the result is NaN somewhere, whatever the order") {
  for (int which = 0; which < 4; ++which) {
    const testing::WithOrder order(which);
    std::vector<float> out(64);
    CHECK(run_block(64, [&] { reverse_in_block(out.data(), false); }).empty());
    bool wrong = false;
    for (const float x : out) wrong = wrong || std::isnan(x);
    CHECK(wrong);
  }
}

TEST_CASE("emulator: barriers that not all threads reach") {
  CHECK(says(run_block(64,
                       [] {
                         if (threadIdx.x < 32) __syncthreads();
                       }),
             "not reached by all threads"));
  const auto two_barriers = [] {  // outside of CHECK: a macro's text has but one line number
    if (threadIdx.x < 32)
      __syncthreads();
    else
      __syncthreads();
  };
  CHECK(says(run_block(64, two_barriers), "divergent barrier"));
}

TEST_CASE("emulator: votes of a block") {
  CHECK(run_block(96, [] {
          const int odd = static_cast<int>(threadIdx.x % 2);
          if (__syncthreads_count(odd) != 48) emu::fail_thread("count");
          if (__syncthreads_or(odd) == 0) emu::fail_thread("or");
          if (__syncthreads_and(odd) != 0) emu::fail_thread("and");
          if (__syncthreads_and(1) == 0) emu::fail_thread("and of all");
        }).empty());
}

TEST_CASE("emulator: warp operations") {
  constexpr unsigned kAll = 0xffffffffU;
  CHECK(run_block(64, [] {
          double sum = threadIdx.x;
          for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(kAll, sum, by);
          if (sum != (threadIdx.x < 32 ? 496 : 1520)) emu::fail_thread("xor");
          if (__shfl_down_sync(kAll, static_cast<int>(threadIdx.x), 1) !=
              static_cast<int>(threadIdx.x) + (threadIdx.x % 32 == 31 ? 0 : 1))
            emu::fail_thread("down");
          if (__ballot_sync(kAll, threadIdx.x % 2 == 0) != 0x55555555U) emu::fail_thread("ballot");
        }).empty());
  CHECK(says(run_block(32,
                       [] {
                         if (threadIdx.x < 16) __shfl_xor_sync(kAll, 1, 16);
                       }),
             "has ended"));
  CHECK(says(run_block(32,
                       [] {
                         if (threadIdx.x < 16) __shfl_down_sync(0xffffU, 1, 8);
                       }),
             "outside its mask"));
  CHECK(says(run_block(32, [] { __syncwarp(0xffffU); }), "does not name the caller"));
  CHECK(says(run_block(48, [] { __syncwarp(); }), "not there"));
  CHECK(says(run_block(64,
                       [] {
                         if (threadIdx.x % 2 == 0)
                           __syncwarp();
                         else
                           __syncthreads();
                       }),
             "deadlock"));
}

TEST_CASE("emulator: a sum in the order of threads differs between schedules") {
  const auto sum_of = [](int which) {
    const testing::WithOrder order(which);
    float sum = 0;  // what float atomics would do
    CHECK(run_block(256, [&] { sum += 1.0F / static_cast<float>(threadIdx.x + 1); }).empty());
    return sum;
  };
  CHECK(sum_of(0) != sum_of(1));
}

TEST_CASE("emulator: atomics on whole numbers count every thread of every block") {
  int count = 0;
  CHECK(emu::run_grid(dim3(3, 2), dim3(32, 2), 0, [&] { atomicAdd(&count, 1); }).empty());
  CHECK(count == 3 * 2 * 64);
}

TEST_CASE("emulator: a trap names the thread") {
  CHECK(says(run_block(64,
                       [] {
                         if (threadIdx.x == 33) __trap();
                       }),
             "thread (33,0,0) of block (0,0,0)"));
}
