// The state of the emulator: the block that runs now, its threads and their fibers. One for the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/cuda/emulator/emulator.h"
#include "tests/cuda/emulator/stack_switch.h"

namespace emu {

enum class State : std::uint8_t { fresh, ready, at_block, at_warp, done };

/// A stack that CUDA threads run on, one at a time.
struct Fiber {
  Context context{};
  char* stack = nullptr;
  void* tsan = nullptr;
  void* asan_fake_stack = nullptr;
};

/// A CUDA thread of the block that runs, and what it waits for.
struct Thread {
  uint3 index{};
  std::size_t number = 0;  // in the block
  State state = State::fresh;
  Fiber* fiber = nullptr;
  Site site{};
  WarpOp op{};
  Vote vote{};
  unsigned mask = 0;
  int source = 0;
  std::uint64_t value = 0, result = 0;
  bool fenced = false;
};

class Fibers {
 public:
  static constexpr std::size_t kStack = std::size_t{256} << 10;
  /// A fiber that starts main().
  Fiber* take(void (*main)());
  void give_back(Fiber* fiber);
  /// After a grid: TSan takes the successor of a destroyed fiber for the same thread, which would hide races
  /// between blocks, and a reused stack for a race; so both are kept until here.
  void end_grid();

 private:
  std::vector<std::unique_ptr<Fiber>> all_;
  std::vector<Fiber*> idle_, finished_;
};

/// The shared memory of the block that runs.
class SharedMemory {
 public:
  void start_block(std::size_t dynamic);
  void* array(const void* id, std::size_t bytes, std::size_t alignment);
  void* dynamic_array() const { return dynamic_; }

 private:
  struct Array {
    const void* id;
    char* start;
  };
  std::vector<Array> arrays_;
  char *memory_ = nullptr, *dynamic_ = nullptr;
  std::size_t used_ = 0, static_bytes_ = 0;
};

struct Engine {
  Fibers fibers;
  SharedMemory shared;
  std::vector<Thread> threads;
  std::vector<std::size_t> order;  // of the threads, until their next wait
  std::size_t next_fresh = 0;      // place in `order` that nobody looked at yet
  Thread* current = nullptr;
  const std::function<void()>* body = nullptr;
  std::string error;

  // The scheduler's own stack.
  Context scheduler{};
  void* tsan = nullptr;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
  void* asan_fake_stack = nullptr;

  // Addresses by which TSan learns what orders what: launch before all threads before the end; a token for
  // each block and each warp of the grid, for blocks must not order each other.
  std::uint64_t launch_token = 0, done_token = 0;
  std::vector<std::uint64_t> tokens;
  std::uint64_t *block_token = nullptr, *warp_tokens = nullptr;

  Schedule schedule = Schedule::forward;
  std::mt19937_64 random{0};
};
extern Engine engine;

/// From the thread that runs to the scheduler; a thread that is `dying` doesn't come back.
void to_scheduler(bool dying);
/// "thread (3,0,0) of block (1,0,0) at file:line".
std::string where(const Thread& t);
/// 0xFF: NaN as float, -1 as int. By a loop, for TSan would take memset for the running thread's write.
void fill_with_nan(char* p, std::size_t n);

/// Lets go every warp operation whose lanes have all arrived; whether there was one. Errors in engine.error.
bool resolve_warps();
/// Lets the block's barrier go, where all threads wait. Errors in engine.error.
void resolve_block();

}  // namespace emu
