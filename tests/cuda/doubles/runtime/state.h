// The state of the double of the runtime: cards and their memory, streams and what waits in them, records.
#pragma once

#include <cuda_runtime_api.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/cuda/doubles/runtime_double.h"

namespace fake {

/// One call of the runtime at a time, whichever thread makes it.
class Call {
 public:
  Call() : lock_(mutex()) {}

 private:
  static std::recursive_mutex& mutex();
  std::lock_guard<std::recursive_mutex> lock_;
};

enum class Kind : std::uint8_t { device, pinned };
struct Allocation {
  std::size_t bytes;
  Kind kind;
  int card;
};

/// What is to be done, and what is wrong with it ("" when nothing is) when its turn comes.
struct Work {
  std::function<void()> run;
  std::function<std::string()> check;
};

/// An entry of a stream's queue.
struct Task {
  enum class Kind : std::uint8_t { work, record, wait } kind = Kind::work;
  Work work;
  CUevent_st* event = nullptr;
  std::uint64_t version = 0;       // of the event
  const void* function = nullptr;  // the kernel, if it is one
};

/// A record of streams' work that is, or was, being written.
struct Record {
  struct Node {
    Work work;
    std::vector<std::size_t> after;  // nodes that must be done before
  };
  std::vector<Node> nodes;
  std::set<CUstream_st*> streams;  // that take part
  CUstream_st* origin = nullptr;
  cudaStreamCaptureMode mode{};
  std::thread::id thread;
  std::string invalid;  // why it can't be finished
  bool ended = false;

  /// Does all the nodes, in the order they were written or, `late`, the last that may go first.
  void run(bool late) const;
  /// A node that nothing of `tails` waits for, directly or over others; or the number of nodes.
  std::size_t left_out(const std::set<std::size_t>& tails) const;
};

/// What the process knows.
struct Runtime {
  std::map<char*, Allocation> allocations;  // by their start
  std::set<CUstream_st*> streams;
  std::set<CUevent_st*> events;
  std::map<const void*, std::size_t> shared_limits;  // of kernels, where they differ from 48 KiB
  Mode mode = Mode::deferred;
  int cards = 2;
  bool driver = true;
  std::size_t memory = std::size_t{8} << 30;
  std::string message;
  cudaError_t sticky = cudaSuccess, last = cudaSuccess;
  std::size_t kernels = 0, stalls = 0;
  std::size_t copies_from_host = 0;
};
extern Runtime runtime;

int current_card();

/// Notes an error; returns it.
cudaError_t fail(cudaError_t error, const std::string& why);
/// An error of work that was done: every call returns it from now on.
void fail_for_good(cudaError_t error, const std::string& why);
/// The error of a call that a capture under way forbids, if one does; that capture is then of no use.
cudaError_t forbidden_in_capture(const char* call);

/// Device memory is open to whoever runs while one of these lives; else touching it is a fault.
class OnCard {
 public:
  OnCard();
  ~OnCard();
  OnCard(const OnCard&) = delete;
  OnCard& operator=(const OnCard&) = delete;
};

/// Memory for a card's allocation, NaN in all of it, or null; its end.
char* map_device_memory(int card, std::size_t bytes);
void unmap_device_memory(char* start, std::size_t bytes);

/// The allocation that holds p, or null.
const std::pair<char* const, Allocation>* allocation_of(const void* p);
/// What is wrong with `bytes` from p on as memory of a card (of the host: card -1), "" when nothing is.
std::string wrong_with(const void* p, std::size_t bytes, int card);

cudaError_t enqueue(cudaStream_t stream, Task task, const char* call);
void drain(CUstream_st* stream);
void drain_all();
/// Counts a stall if the stream, or any stream, has work to do.
void note_stall(const CUstream_st* stream);
void note_stall();
/// Does what stands before the event's mark.
void drain_until(CUevent_st* event, std::uint64_t version);

}  // namespace fake

struct CUevent_st {
  bool timing = true;
  CUstream_st* stream = nullptr;  // that recorded it last
  std::uint64_t recorded = 0, completed = 0;
  std::chrono::steady_clock::time_point time;
  std::shared_ptr<fake::Record> record;  // if it is a mark in a record,
  std::set<std::size_t> after;           // behind these nodes
};

struct CUstream_st {
  int card = 0;
  std::deque<fake::Task> queue;
  std::shared_ptr<fake::Record> record;  // that its work is written to
  std::set<std::size_t> tails;           // the nodes there that its next one comes after
};

struct CUgraph_st {
  std::shared_ptr<fake::Record> record;
};

struct CUgraphExec_st {
  std::shared_ptr<fake::Record> record;
  int card = 0;
};
