// Engine of the emulator. Compile this file WITHOUT sanitizers and link it into sanitized programs: it
// finds the sanitizers' fiber and poisoning hooks through weak symbols.
#include "tests/cuda/emulator/emulator.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

// Stack switch: a few instructions on x86-64 (swapcontext makes two system calls), ucontext elsewhere.
#ifdef __x86_64__
extern "C" void emu_switch(void** save, void* load);
asm(R"(
.text
.globl emu_switch
.hidden emu_switch
.type emu_switch, @function
emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emu_switch, . - emu_switch
)");
struct Context {
  void* sp = nullptr;
};
static void context_switch(Context& from, Context& to) { emu_switch(&from.sp, to.sp); }
static void context_make(Context& c, char* stack, std::size_t size, void (*entry)()) {
  void** top = reinterpret_cast<void**>((reinterpret_cast<std::uintptr_t>(stack) + size - 64) / 16 * 16);
  *top = reinterpret_cast<void*>(entry);  // where the first switch returns to
  for (int i = 1; i <= 6; ++i) top[-i] = nullptr;
  c.sp = top - 6;
}
#else
using Context = ucontext_t;
static void context_switch(Context& from, Context& to) { swapcontext(&from, &to); }
static void context_make(Context& c, char* stack, std::size_t size, void (*entry)()) {
  getcontext(&c);
  c.uc_stack.ss_sp = stack;
  c.uc_stack.ss_size = size;
  c.uc_link = nullptr;
  makecontext(&c, entry, 0);
}
#endif

#define EMU_WEAK __attribute__((weak))
extern "C" {
EMU_WEAK void* __tsan_create_fiber(unsigned);
EMU_WEAK void __tsan_destroy_fiber(void*);
EMU_WEAK void __tsan_switch_to_fiber(void*, unsigned);
EMU_WEAK void* __tsan_get_current_fiber();
EMU_WEAK void __tsan_acquire(void*);
EMU_WEAK void __tsan_release(void*);
EMU_WEAK void __sanitizer_start_switch_fiber(void**, const void*, size_t);
EMU_WEAK void __sanitizer_finish_switch_fiber(void*, const void**, size_t*);
EMU_WEAK void __asan_poison_memory_region(const volatile void*, size_t);
EMU_WEAK void __asan_unpoison_memory_region(const volatile void*, size_t);
}

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emu {
namespace {

constexpr size_t kStack = 256 * 1024, kArena = 256 * 1024, kGap = 64;
bool tsan() { return __tsan_create_fiber != nullptr; }
bool asan() { return __asan_poison_memory_region != nullptr; }
void acquire(void* p) {
  if (tsan()) __tsan_acquire(p);
}
void release(void* p) {
  if (tsan()) __tsan_release(p);
}

enum class St : uint8_t { fresh, ready, at_block, at_warp, done };
struct Fiber {
  Context ctx{};
  char* stack = nullptr;
  void* tsan_fiber = nullptr;
  void* asan_fake = nullptr;
};
struct Thread {
  uint3 tid{}, bid{};
  St st = St::fresh;
  Fiber* fiber = nullptr;
  Site site{};
  WarpOp op{};
  unsigned mask = 0;
  int source = 0, pred = 0, mode = 0, lin = 0;
  uint64_t value = 0, result = 0;
  bool fenced = false;
};
struct Shared {
  const void* id;
  char* p;
  size_t bytes;
};

struct Engine {
  Context scheduler{};
  void* sched_tsan = nullptr;
  const void* sched_stack = nullptr;
  size_t sched_stack_size = 0;
  void* sched_fake = nullptr;
  std::vector<Thread> threads;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber*> idle;
  std::vector<Fiber*> finished;
  std::vector<Shared> shared;
  std::vector<int> order;
  size_t next_fresh = 0;
  char *arena = nullptr, *dynamic = nullptr;
  size_t arena_used = 0, static_limit = 48 * 1024, static_used = 0;
  Thread* cur = nullptr;
  const std::function<void()>* body = nullptr;
  std::string error;
  std::uint64_t launch_token = 0, done_token = 0;
  std::vector<std::uint64_t>
      tokens;  // one per block and one per warp of the grid: blocks must not order each other
  std::uint64_t *block_token = nullptr, *warp_token = nullptr;
  Schedule schedule = Schedule::forward;
  std::mt19937_64 rng{0};
} E;

void fiber_main();

void to_scheduler(bool dying) {
  Fiber* f = E.cur->fiber;
  if (__sanitizer_start_switch_fiber)
    __sanitizer_start_switch_fiber(dying ? nullptr : &f->asan_fake, E.sched_stack, E.sched_stack_size);
  if (tsan()) __tsan_switch_to_fiber(E.sched_tsan, 1);
  context_switch(f->ctx, E.scheduler);
  if (__sanitizer_finish_switch_fiber)
    __sanitizer_finish_switch_fiber(f->asan_fake, &E.sched_stack, &E.sched_stack_size);
}
void to_thread(Thread& t) {
  E.cur = &t;
  ::threadIdx = t.tid;
  Fiber* f = t.fiber;
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&E.sched_fake, f->stack, kStack);
  if (tsan()) __tsan_switch_to_fiber(f->tsan_fiber, 1);
  context_switch(E.scheduler, f->ctx);
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(E.sched_fake, nullptr, nullptr);
}
void drop_finished() {
  for (Fiber* f : E.finished) {
    __tsan_destroy_fiber(f->tsan_fiber);
    E.idle.push_back(f);
  }
  E.finished.clear();
}
Fiber* get_fiber() {
  if (E.idle.empty()) {
    auto f = std::make_unique<Fiber>();
    void* m = mmap(nullptr, kStack + 4096, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(m, 4096, PROT_NONE);  // stack overflow faults
    f->stack = static_cast<char*>(m) + 4096;
    E.idle.push_back(f.get());
    E.fibers.push_back(std::move(f));
  }
  Fiber* f = E.idle.back();
  E.idle.pop_back();
  if (asan()) __asan_unpoison_memory_region(f->stack, kStack);
  f->asan_fake = nullptr;
  context_make(f->ctx, f->stack, kStack, fiber_main);
  if (tsan()) f->tsan_fiber = __tsan_create_fiber(0);
  return f;
}
void put_fiber(Fiber* f) {
  if (!tsan()) {
    E.idle.push_back(f);
    return;
  }
  // TSan reuses the identity of a destroyed fiber and takes its successor for the same thread, which would
  // hide races between blocks; and a reused stack looks like a race. Keep both until the grid is done.
  E.finished.push_back(f);
  if (E.finished.size() > 6000) drop_finished();  // libtsan allows about 8000 threads
}
void fiber_main() {
  if (__sanitizer_finish_switch_fiber)
    __sanitizer_finish_switch_fiber(nullptr, &E.sched_stack, &E.sched_stack_size);
  for (;;) {
    acquire(&E.launch_token);  // ordered after the launch, not after other threads or blocks
    (*E.body)();
    release(&E.done_token);
    Thread* t = E.cur;
    t->st = St::done;
    // A thread that ran to its end without waiting lends its fiber to the next one (not under TSan,
    // where every CUDA thread must be a thread of its own).
    while (!tsan() && E.next_fresh < E.order.size() &&
           E.threads[static_cast<size_t>(E.order[E.next_fresh])].st != St::fresh)
      ++E.next_fresh;
    if (tsan() || E.next_fresh >= E.order.size()) break;
    Thread& n = E.threads[static_cast<size_t>(E.order[E.next_fresh++])];
    n.fiber = t->fiber;
    t->fiber = nullptr;
    E.cur = &n;
    ::threadIdx = n.tid;
  }
  to_scheduler(true);
  std::abort();
}

// NaN as float, -1 as int. No memset: TSan intercepts it and would take it for the running thread's write.
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void poison_fill(char* p, size_t n) {
  for (size_t i = 0; i < n; ++i) p[i] = static_cast<char>(0xFF);
}

void start_block(dim3 grid, dim3 bdim, uint3 bid, size_t dyn) {
  ::blockIdx = bid;
  ::blockDim = bdim;
  ::gridDim = grid;
  const size_t n = size_t{bdim.x} * bdim.y * bdim.z;
  E.threads.assign(n, Thread{});
  for (size_t i = 0; i < n; ++i) {
    Thread& t = E.threads[i];
    t.lin = static_cast<int>(i);
    t.tid = {static_cast<unsigned>(i % bdim.x), static_cast<unsigned>(i / bdim.x % bdim.y),
             static_cast<unsigned>(i / bdim.x / bdim.y)};
    t.bid = bid;
  }
  E.order.resize(n);
  E.next_fresh = 0;
  E.shared.clear();
  E.static_used = 0;
  if (tsan() && E.arena) {
    munmap(E.arena, kArena);
    E.arena = nullptr;
  }  // fresh addresses: shared memory is per block
  if (!E.arena)
    E.arena =
        static_cast<char*>(mmap(nullptr, kArena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (asan()) __asan_poison_memory_region(E.arena, kArena);
  E.arena_used = kGap;
  E.dynamic = E.arena + E.arena_used;
  if (dyn) {
    if (asan()) __asan_unpoison_memory_region(E.dynamic, dyn);
    poison_fill(E.dynamic, dyn);
  }
  E.arena_used += (dyn + kGap + 15) / 16 * 16;
}
void reorder() {
  std::iota(E.order.begin(), E.order.end(), 0);
  if (E.schedule == Schedule::reverse) std::reverse(E.order.begin(), E.order.end());
  if (E.schedule == Schedule::shuffled) std::shuffle(E.order.begin(), E.order.end(), E.rng);
}
std::string where(const Thread& t) {
  char b[256];
  std::snprintf(b, sizeof b, "thread (%u,%u,%u) of block (%u,%u,%u) at %s:%d", t.tid.x, t.tid.y, t.tid.z,
                t.bid.x, t.bid.y, t.bid.z, t.site.file ? t.site.file : "?", t.site.line);
  return b;
}

// Releases every warp operation whose named lanes have all arrived. Returns whether any was released.
bool resolve_warps() {
  bool any = false;
  for (size_t w = 0; w * 32 < E.threads.size() && E.error.empty(); ++w) {
    const size_t lo = w * 32, hi = std::min(lo + 32, E.threads.size());
    for (size_t i = lo; i < hi && E.error.empty(); ++i) {
      Thread& t = E.threads[i];
      if (t.st != St::at_warp) continue;
      if (!(t.mask >> (i - lo) & 1U)) {
        E.error = "warp operation whose mask does not name the caller: " + where(t);
        break;
      }
      bool all = true;
      for (size_t l = 0; l < 32 && all; ++l) {
        if (!(t.mask >> l & 1U)) continue;
        if (lo + l >= hi) {
          E.error = "warp operation names a lane that does not exist (block size not a multiple of 32?): " +
                    where(t);
          break;
        }
        Thread& u = E.threads[lo + l];
        if (u.st == St::done) {
          E.error = "warp operation names a lane that has exited: " + where(t) + "; exited lane " +
                    std::to_string(l);
          break;
        }
        if (u.st != St::at_warp)
          all = false;
        else if (u.op != t.op || u.mask != t.mask || !(u.site == t.site))
          all = false;
      }
      if (!E.error.empty() || !all) continue;
      unsigned ballot = 0;
      for (size_t l = 0; l < 32; ++l)
        if (t.mask >> l & 1U) ballot |= (E.threads[lo + l].value & 1U) << l;
      const unsigned mask = t.mask;
      const WarpOp op = t.op;
      for (size_t l = 0; l < 32; ++l) {
        if (!(mask >> l & 1U)) continue;
        Thread& u = E.threads[lo + l];
        if (op == WarpOp::shfl) {
          const auto src = static_cast<size_t>(u.source);
          if (!(mask >> src & 1U)) {
            E.error =
                "shuffle reads a lane outside its mask: " + where(u) + "; source lane " + std::to_string(src);
            break;
          }
          u.result = E.threads[lo + src].value;
        } else if (op == WarpOp::ballot)
          u.result = ballot;
        else if (op == WarpOp::any)
          u.result = ballot != 0;
        else if (op == WarpOp::all)
          u.result = ballot == mask;
      }
      for (size_t l = 0; l < 32; ++l)
        if (mask >> l & 1U) E.threads[lo + l].st = St::ready;
      any = true;
    }
  }
  return any;
}
// All running threads wait at the block barrier: check that it is the same one, release.
void resolve_block() {
  const Thread* first = nullptr;
  const Thread* exited = nullptr;
  int count = 0;
  bool all = true;
  for (const Thread& t : E.threads) {
    if (t.st == St::done) {
      exited = &t;
      continue;
    }
    if (t.st != St::at_block) {
      E.error = "deadlock: " + where(t) + " waits for lanes that wait elsewhere";
      return;
    }
    if (!first) first = &t;
    if (!(t.site == first->site)) {
      E.error = "divergent barrier: " + where(*first) + " and " + where(t);
      return;
    }
    count += t.pred != 0;
    all = all && t.pred != 0;
  }
  if (exited) {
    E.error = "barrier not reached by all threads: " + where(*first) + "; thread " +
              std::to_string(exited->lin) + " has exited";
    return;
  }
  for (Thread& t : E.threads) {
    t.result = static_cast<uint64_t>(t.mode == 1 ? count : t.mode == 2 ? all : count != 0);
    t.st = St::ready;
  }
}
void run_block() {
  for (;;) {
    reorder();
    E.next_fresh = 0;
    for (size_t k = 0; k < E.order.size() && E.error.empty(); ++k) {
      Thread& t = E.threads[static_cast<size_t>(E.order[k])];
      E.next_fresh = std::max(E.next_fresh, k + 1);
      if (t.st == St::fresh)
        t.fiber = get_fiber();
      else if (t.st != St::ready)
        continue;
      to_thread(t);
      if (E.cur->st == St::done && E.cur->fiber) {
        put_fiber(E.cur->fiber);
        E.cur->fiber = nullptr;
      }
    }
    if (E.error.empty() && resolve_warps()) continue;
    if (!E.error.empty()) break;
    if (std::all_of(E.threads.begin(), E.threads.end(), [](const Thread& t) { return t.st == St::done; }))
      return;
    if (std::any_of(E.threads.begin(), E.threads.end(),
                    [](const Thread& t) { return t.st == St::ready || t.st == St::fresh; }))
      continue;
    resolve_block();
    if (!E.error.empty()) break;
  }
  for (Thread& t : E.threads)  // abandon the rest of the block
    if (t.fiber) {
      put_fiber(t.fiber);
      t.fiber = nullptr;
    }
}

}  // namespace

void* shared_get(const void* id, std::size_t bytes, std::size_t align) {
  for (const Shared& s : E.shared)
    if (s.id == id) return s.p;
  align = std::max<size_t>(align, 16);
  E.arena_used = (E.arena_used + align - 1) / align * align;
  E.static_used += bytes;
  if (E.static_used > E.static_limit || E.arena_used + bytes + kGap > kArena)
    device_fail("more static shared memory than a block may have");
  char* p = E.arena + E.arena_used;
  if (asan()) __asan_unpoison_memory_region(p, bytes);
  poison_fill(p, bytes);
  E.arena_used += (bytes + 7) / 8 * 8 + kGap;
  E.shared.push_back({id, p, bytes});
  return p;
}
void* shared_dynamic() { return E.dynamic; }

int block_sync(Site s, int pred, int mode) {
  Thread& t = *E.cur;
  t.st = St::at_block;
  t.site = s;
  t.pred = pred;
  t.mode = mode;
  release(E.block_token);
  to_scheduler(false);
  acquire(E.block_token);
  return static_cast<int>(E.cur->result);
}
std::uint64_t warp_sync(WarpOp op, unsigned mask, std::uint64_t value, int source, Site s) {
  Thread& t = *E.cur;
  t.st = St::at_warp;
  t.site = s;
  t.op = op;
  t.mask = mask;
  t.value = value;
  t.source = source;
  std::uint64_t* token = E.warp_token + t.lin / 32;
  if (op == WarpOp::sync) release(token);  // only __syncwarp orders memory; shuffles and votes do not
  to_scheduler(false);
  if (op == WarpOp::sync) acquire(token);
  return E.cur->result;
}
void fence() { E.cur->fenced = true; }
bool atomics_ordered() { return E.cur->fenced; }
void device_fail(const std::string& why) {
  E.error = why + ": " + where(*E.cur);
  to_scheduler(true);
  std::abort();
}
void set_schedule(Schedule s, std::uint64_t seed) {
  E.schedule = s;
  E.rng.seed(seed);
}

std::string run_grid(dim3 grid, dim3 bdim, std::size_t dyn, std::size_t dyn_limit,
                     const std::function<void()>& body) {
  if (dyn > dyn_limit) return "dynamic shared memory over the limit set for this kernel";
  E.body = &body;
  E.error.clear();
  if (tsan()) E.sched_tsan = __tsan_get_current_fiber();
  release(&E.launch_token);
  const size_t blocks = size_t{grid.x} * grid.y * grid.z;
  std::vector<size_t> ids(blocks);
  std::iota(ids.begin(), ids.end(), size_t{0});
  if (E.schedule == Schedule::reverse) std::reverse(ids.begin(), ids.end());
  if (E.schedule == Schedule::shuffled) std::shuffle(ids.begin(), ids.end(), E.rng);
  const size_t warps = (size_t{bdim.x} * bdim.y * bdim.z + 31) / 32;
  std::vector<std::uint64_t>(blocks * (1 + warps)).swap(E.tokens);
  for (size_t b : ids) {
    E.block_token = &E.tokens[b * (1 + warps)];
    E.warp_token = E.block_token + 1;
    start_block(grid, bdim,
                {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                 static_cast<unsigned>(b / grid.x / grid.y)},
                dyn);
    run_block();
    if (!E.error.empty()) break;
  }
  acquire(&E.done_token);
  drop_finished();
  return E.error;
}

}  // namespace emu
