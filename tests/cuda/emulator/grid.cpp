// Runs grids: block after block, thread after thread until each waits or ends.
#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "tests/cuda/emulator/engine.h"
#include "tests/cuda/emulator/sanitizers.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emu {

Engine engine;

namespace {

Engine& e = engine;

void start(Thread& t) {
  e.current = &t;
  ::threadIdx = t.index;
}

void to_thread(Thread& t) {
  start(t);
  Fiber* f = t.fiber;
  if (__sanitizer_start_switch_fiber != nullptr)
    __sanitizer_start_switch_fiber(&e.asan_fake_stack, f->stack, Fibers::kStack);
  if (tsan()) __tsan_switch_to_fiber(f->tsan, 1);
  switch_context(e.scheduler, f->context);
  if (__sanitizer_finish_switch_fiber != nullptr)
    __sanitizer_finish_switch_fiber(e.asan_fake_stack, nullptr, nullptr);
}

/// The next thread of the order that has not started, or null.
Thread* next_fresh() {
  while (e.next_fresh < e.order.size() && e.threads[e.order[e.next_fresh]].state != State::fresh)
    ++e.next_fresh;
  return e.next_fresh < e.order.size() ? &e.threads[e.order[e.next_fresh++]] : nullptr;
}

void fiber_main() {
  if (__sanitizer_finish_switch_fiber != nullptr)
    __sanitizer_finish_switch_fiber(nullptr, &e.stack, &e.stack_bytes);
  for (;;) {
    acquire(&e.launch_token);  // ordered after the launch, not after other threads or blocks
    (*e.body)();
    release(&e.done_token);
    Thread* ended = e.current;
    ended->state = State::done;
    // A thread that came to its end without a wait lends its fiber to the next one. Not under TSan, where
    // each CUDA thread is a thread of its own.
    Thread* next = tsan() ? nullptr : next_fresh();
    if (next == nullptr) break;
    next->fiber = std::exchange(ended->fiber, nullptr);
    start(*next);
  }
  to_scheduler(true);
  std::abort();  // a fiber that ended is not gone back to
}

void start_block(dim3 block, uint3 place, std::size_t dynamic) {
  ::blockIdx = place;
  const std::size_t n = std::size_t{block.x} * block.y * block.z;
  e.threads.assign(n, Thread{});
  for (std::size_t i = 0; i < n; ++i) {
    e.threads[i].number = i;
    e.threads[i].index = {static_cast<unsigned>(i % block.x), static_cast<unsigned>(i / block.x % block.y),
                          static_cast<unsigned>(i / block.x / block.y)};
  }
  e.order.resize(n);
  e.shared.start_block(dynamic);
}

void put_in_order(std::vector<std::size_t>& numbers) {
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  if (e.schedule == Schedule::reverse) std::reverse(numbers.begin(), numbers.end());
  if (e.schedule == Schedule::shuffled) std::shuffle(numbers.begin(), numbers.end(), e.random);
}

void give_fiber_back(Thread& t) {
  if (t.fiber != nullptr) e.fibers.give_back(std::exchange(t.fiber, nullptr));
}

/// Each thread that can, until it waits.
void run_threads() {
  put_in_order(e.order);
  e.next_fresh = 0;
  for (std::size_t k = 0; k < e.order.size() && e.error.empty(); ++k) {
    Thread& t = e.threads[e.order[k]];
    e.next_fresh = std::max(e.next_fresh, k + 1);
    if (t.state == State::fresh)
      t.fiber = e.fibers.take(fiber_main);
    else if (t.state != State::ready)
      continue;
    to_thread(t);
    if (e.current->state == State::done) give_fiber_back(*e.current);
  }
}

bool any_thread(State state) {
  return std::any_of(e.threads.begin(), e.threads.end(), [&](const Thread& t) { return t.state == state; });
}

void run_block() {
  while (e.error.empty()) {
    run_threads();
    if (!e.error.empty() || resolve_warps()) continue;
    if (any_thread(State::ready) || any_thread(State::fresh)) continue;
    if (!any_thread(State::at_block) && !any_thread(State::at_warp)) return;
    if (e.error.empty()) resolve_block();
  }
  for (Thread& t : e.threads) give_fiber_back(t);  // the rest of a block that failed is abandoned
}

}  // namespace

void to_scheduler(bool dying) {
  Fiber* f = e.current->fiber;
  if (__sanitizer_start_switch_fiber != nullptr)
    __sanitizer_start_switch_fiber(dying ? nullptr : &f->asan_fake_stack, e.stack, e.stack_bytes);
  if (tsan()) __tsan_switch_to_fiber(e.tsan, 1);
  switch_context(f->context, e.scheduler);
  if (__sanitizer_finish_switch_fiber != nullptr)
    __sanitizer_finish_switch_fiber(f->asan_fake_stack, &e.stack, &e.stack_bytes);
}

void fail_thread(const std::string& why) {
  e.error = why + ": " + where(*e.current);
  release(&e.done_token);
  to_scheduler(true);
  std::abort();
}

std::string where(const Thread& t) {
  const auto triple = [](uint3 i) {
    return "(" + std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z) + ")";
  };
  return "thread " + triple(t.index) + " of block " + triple(::blockIdx) +
         (t.site.file != nullptr ? " at " + std::string(t.site.file) + ":" + std::to_string(t.site.line)
                                 : "");
}

void set_schedule(Schedule schedule, std::uint64_t seed) {
  e.schedule = schedule;
  e.random.seed(seed);
}

std::string run_grid(dim3 grid, dim3 block, std::size_t dynamic_shared, const std::function<void()>& body) {
  e.body = &body;
  e.error.clear();
  ::blockDim = block;
  ::gridDim = grid;
  if (tsan()) e.tsan = __tsan_get_current_fiber();
  release(&e.launch_token);
  std::vector<std::size_t> blocks(std::size_t{grid.x} * grid.y * grid.z);
  put_in_order(blocks);
  const std::size_t warps = (std::size_t{block.x} * block.y * block.z + 31) / 32;
  e.tokens.assign(tsan() ? blocks.size() * (1 + warps) : 1 + warps, 0);
  for (const std::size_t b : blocks) {
    e.block_token = &e.tokens[tsan() ? b * (1 + warps) : 0];
    e.warp_tokens = e.block_token + 1;
    start_block(block,
                {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                 static_cast<unsigned>(b / grid.x / grid.y)},
                dynamic_shared);
    run_block();
    if (!e.error.empty()) break;
  }
  acquire(&e.done_token);
  e.fibers.end_grid();
  return e.error;
}

}  // namespace emu
