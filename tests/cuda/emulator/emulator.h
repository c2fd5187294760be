// Runs CUDA kernels, compiled as plain C++, on the CPU: one fiber for each CUDA thread, one block at a time,
// in an order that the tests choose. Kernels see it through device_words.h; launches come from the double of
// the runtime.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

/// The thread whose turn it is: all threads of a grid share one thread of the host.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emu {

/// In which order the threads of a block run between two waits, and the blocks of a grid.
enum class Schedule : std::uint8_t { forward, reverse, shuffled };

/// Of the launches from now on. `seed` counts for `shuffled`.
void set_schedule(Schedule schedule, std::uint64_t seed = 0);

/// Runs a grid to its end: body() once for each thread. Under ASan and UBSan each access is checked, under
/// TSan each thread is one of TSan's, ordered by barriers, __syncwarp and fences with atomics alone. Returns
/// "", or what went wrong first and where: a barrier that not all threads reach, a warp operation whose mask
/// names a lane that is not there, a wait that nothing ends.
std::string run_grid(dim3 grid, dim3 block, std::size_t dynamic_shared, const std::function<void()>& body);

// What device_words.h is made of.

/// Place in a kernel: threads wait together only at the same one.
struct Site {
  const char* file = nullptr;
  int line = 0;
  bool operator==(const Site&) const = default;
};
inline Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

/// What a block's barrier answers about the predicates of its threads.
enum class Vote : std::uint8_t { none, count, all, any };
int block_wait(Site at, bool predicate, Vote vote);

enum class WarpOp : std::uint8_t { sync, shuffle, ballot, any, all };
/// Waits for the lanes of `mask`. Of a shuffle: the value of lane `source`.
std::uint64_t warp_wait(WarpOp op, unsigned mask, std::uint64_t value, int source, Site at);

/// The block's array of this id, filled with 0xFF (NaN) when its first thread asks. `id` is any address that
/// only this array has.
void* shared_array(const void* id, std::size_t bytes, std::size_t alignment);
void* dynamic_shared_array();

/// __threadfence: from here on this thread's atomics carry the order of what it wrote before.
void fence();
bool atomics_ordered();

/// Ends the grid with an error, as a trap does.
[[noreturn]] void fail_thread(const std::string& why);

}  // namespace emu
