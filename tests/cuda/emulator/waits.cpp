// What threads wait for: the barrier of their block, the other lanes of their warp. A wait that would hang or
// be undefined on a card is an error that names the thread and the place.
#include <algorithm>

#include "tests/cuda/emulator/engine.h"
#include "tests/cuda/emulator/sanitizers.h"

namespace emu {
namespace {

Engine& e = engine;

constexpr std::size_t kLanes = 32;

bool names(unsigned mask, std::size_t lane) { return (mask >> lane & 1U) != 0; }

/// Whether all lanes that t names wait for the same as t. What can never come true is an error.
bool complete(const Thread& t, std::size_t first, std::size_t end) {
  if (!names(t.mask, t.number - first)) {
    e.error = "warp operation whose mask does not name the caller: " + where(t);
    return false;
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (!names(t.mask, lane)) continue;
    if (first + lane >= end) {
      e.error = "warp operation names a lane that is not there (block no multiple of 32?): " + where(t);
      return false;
    }
    const Thread& other = e.threads[first + lane];
    if (other.state == State::done) {
      e.error = "warp operation names a lane that has ended: " + where(t) + ", lane " + std::to_string(lane);
      return false;
    }
    if (other.state != State::at_warp || other.op != t.op || other.mask != t.mask || !(other.site == t.site))
      return false;
  }
  return true;
}

/// Answers the operation that all lanes of the mask wait for.
void answer(WarpOp op, unsigned mask, std::size_t first) {
  unsigned ballot = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane)
    if (names(mask, lane)) ballot |= static_cast<unsigned>(e.threads[first + lane].value & 1U) << lane;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (!names(mask, lane)) continue;
    Thread& t = e.threads[first + lane];
    t.state = State::ready;
    switch (op) {
      case WarpOp::sync:
        break;
      case WarpOp::shuffle:
        if (!names(mask, static_cast<std::size_t>(t.source))) {
          e.error =
              "shuffle reads a lane outside its mask: " + where(t) + ", lane " + std::to_string(t.source);
          return;
        }
        t.result = e.threads[first + static_cast<std::size_t>(t.source)].value;
        break;
      case WarpOp::ballot:
        t.result = ballot;
        break;
      case WarpOp::any:
        t.result = ballot != 0;
        break;
      case WarpOp::all:
        t.result = ballot == mask;
        break;
    }
  }
}

}  // namespace

bool resolve_warps() {
  bool any = false;
  for (std::size_t first = 0; first < e.threads.size(); first += kLanes) {
    const std::size_t end = std::min(first + kLanes, e.threads.size());
    for (std::size_t i = first; i < end; ++i) {
      const Thread& t = e.threads[i];
      if (t.state != State::at_warp) continue;
      const bool all = complete(t, first, end);
      if (!e.error.empty()) return any;
      if (!all) continue;
      answer(t.op, t.mask, first);
      if (!e.error.empty()) return any;
      any = true;
    }
  }
  return any;
}

void resolve_block() {
  const Thread* first = nullptr;
  const Thread* ended = nullptr;
  std::uint64_t count = 0, waiting = 0;
  for (const Thread& t : e.threads) {
    if (t.state == State::done) {
      ended = &t;
      continue;
    }
    if (t.state != State::at_block) {
      e.error = "deadlock: " + where(t) + " waits for lanes that wait elsewhere";
      return;
    }
    if (first == nullptr) first = &t;
    if (!(t.site == first->site)) {
      e.error = "divergent barrier: " + where(*first) + " and " + where(t);
      return;
    }
    ++waiting;
    count += t.value;
  }
  if (ended != nullptr) {
    e.error = "barrier not reached by all threads: " + where(*first) + "; thread " +
              std::to_string(ended->number) + " has ended";
    return;
  }
  for (Thread& t : e.threads) {
    t.state = State::ready;
    t.result = t.vote == Vote::count ? count : t.vote == Vote::all ? count == waiting : count != 0;
  }
}

int block_wait(Site at, bool predicate, Vote vote) {
  Thread& t = *e.current;
  t.state = State::at_block;
  t.site = at;
  t.value = predicate;
  t.vote = vote;
  release(e.block_token);
  to_scheduler(false);
  acquire(e.block_token);
  return static_cast<int>(e.current->result);
}

std::uint64_t warp_wait(WarpOp op, unsigned mask, std::uint64_t value, int source, Site at) {
  Thread& t = *e.current;
  t.state = State::at_warp;
  t.site = at;
  t.op = op;
  t.mask = mask;
  t.value = value;
  t.source = source;
  std::uint64_t* token = e.warp_tokens + t.number / kLanes;
  if (op == WarpOp::sync) release(token);  // __syncwarp alone orders memory; shuffles and votes do not
  to_scheduler(false);
  if (op == WarpOp::sync) acquire(token);
  return e.current->result;
}

void fence() { e.current->fenced = true; }
bool atomics_ordered() { return e.current->fenced; }

}  // namespace emu
