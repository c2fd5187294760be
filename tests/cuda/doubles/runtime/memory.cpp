// Memory of the double's cards: real addresses, but the host faults where it touches them, new memory is NaN,
// and an address is never handed out twice. Between two allocations lies a gap whose bytes nobody may write.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "tests/cuda/doubles/runtime/state.h"
#include "tests/cuda/emulator/sanitizers.h"

namespace fake {
namespace {

constexpr std::size_t kRegion = std::size_t{256} << 30;  // addresses of a card, all it will ever hand out
constexpr std::size_t kAlignment = 256, kGap = 256;
constexpr std::size_t kPage = 4096;
constexpr unsigned char kGapByte = 0xA5, kNewByte = 0xFF;  // of floats, 0xFF is NaN

struct Region {
  char* start = nullptr;
  std::size_t used = 0;
};
std::array<Region, 2> regions;
int visitors = 0;  // OnCard scopes

std::size_t pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

void protect(int access) {
  for (const Region& r : regions)
    if (r.start != nullptr && mprotect(r.start, pages(r.used), access) != 0) throw std::bad_alloc();
}

/// Under ASan a gap is poisoned, else it is looked at when its allocation ends.
bool gap_is_whole(const char* end) {
  return emu::asan() ||
         std::all_of(end, end + kGap, [](char c) { return static_cast<unsigned char>(c) == kGapByte; });
}

}  // namespace

OnCard::OnCard() {
  if (visitors++ == 0) protect(PROT_READ | PROT_WRITE);
}
OnCard::~OnCard() {
  if (--visitors == 0) protect(PROT_NONE);
}

char* map_device_memory(int card, std::size_t bytes) {
  Region& r = regions.at(static_cast<std::size_t>(card));
  if (r.start == nullptr) {
    void* start = mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    r.start = static_cast<char*>(start);
  }
  const std::size_t all = pages(bytes + kGap);
  if (r.used + all > kRegion) return nullptr;
  char* p = r.start + r.used;
  r.used += all;
  const OnCard scope;
  protect(PROT_READ | PROT_WRITE);  // also where other scopes are open: the region grew
  std::memset(p, kNewByte, bytes);
  std::memset(p + bytes, kGapByte, all - bytes);
  emu::poison(p + bytes, all - bytes);
  return p;
}

void unmap_device_memory(char* start, std::size_t bytes) {
  const OnCard scope;
  if (!gap_is_whole(start + bytes))
    fail_for_good(cudaErrorIllegalAddress,
                  "somebody wrote past the end of an allocation of " + std::to_string(bytes) + " bytes");
  madvise(start, pages(bytes + kGap), MADV_DONTNEED);  // back to the system; the addresses stay
  emu::poison(start, bytes);
}

const std::pair<char* const, Allocation>* allocation_of(const void* p) {
  const auto* at = static_cast<const char*>(p);
  auto it = runtime.allocations.upper_bound(const_cast<char*>(at));
  if (it == runtime.allocations.begin()) return nullptr;
  --it;
  return at < it->first + std::max<std::size_t>(it->second.bytes, 1) ? &*it : nullptr;
}

std::string wrong_with(const void* p, std::size_t bytes, int card) {
  const auto* a = allocation_of(p);
  if (card < 0)
    return a != nullptr && a->second.kind == Kind::device ? "memory of a card, not of the host" : "";
  if (a == nullptr || a->second.kind != Kind::device) return "not live memory of a card";
  if (a->second.card != card)
    return "memory of card " + std::to_string(a->second.card) + " on card " + std::to_string(card);
  if (static_cast<const char*>(p) + bytes > a->first + a->second.bytes)
    return "past the end of an allocation of " + std::to_string(a->second.bytes) + " bytes";
  return "";
}

bool device_accessible(const void* p) {
  const Call call;
  const auto* a = allocation_of(p);
  return a != nullptr && a->second.kind == Kind::device;
}
bool accessible(const void* p, cudaStream_t stream) { return accessible(p, 1, stream); }
bool accessible(const void* p, std::size_t bytes, cudaStream_t stream) {
  const Call call;
  return runtime.streams.contains(stream) && wrong_with(p, bytes, stream->card).empty();
}

std::size_t copies_from_host() { return runtime.copies_from_host; }
std::size_t live_allocations() { return runtime.allocations.size(); }
std::size_t live_bytes() {
  const Call call;
  std::size_t sum = 0;
  for (const auto& [start, a] : runtime.allocations) sum += a.kind == Kind::device ? a.bytes : 0;
  return sum;
}

namespace {

std::size_t used_on(int card) {
  std::size_t sum = 0;
  for (const auto& [start, a] : runtime.allocations)
    if (a.kind == Kind::device && a.card == card) sum += a.bytes;
  return sum;
}

/// The cards that the two ends of a copy are on; -1 for the host.
struct Ends {
  int to, from;
};
Ends ends_of(cudaMemcpyKind kind, int card) {
  return {kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice ? card : -1,
          kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice ? card : -1};
}

std::string wrong_copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, int card) {
  if (kind == cudaMemcpyDefault || kind == cudaMemcpyHostToHost)
    return "the direction of a copy must be said";
  const Ends ends = ends_of(kind, card);
  const std::string destination = wrong_with(to, bytes, ends.to), source = wrong_with(from, bytes, ends.from);
  if (!destination.empty()) return "destination: " + destination;
  return source.empty() ? "" : "source: " + source;
}

cudaError_t pinned(void** p, std::size_t bytes, const char* call) {
  if (const cudaError_t e = forbidden_in_capture(call)) return e;
  if (posix_memalign(p, kAlignment, std::max<std::size_t>(bytes, 1)) != 0)
    return fail(cudaErrorMemoryAllocation, call);
  std::memset(*p, kNewByte, bytes);
  runtime.allocations[static_cast<char*>(*p)] = {bytes, Kind::pinned, -1};
  return cudaSuccess;
}

}  // namespace
}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaMemGetInfo(std::size_t* left, std::size_t* all) {
  const Call call;
  *all = runtime.memory;
  *left = runtime.memory - std::min(runtime.memory, used_on(current_card()));
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  const Call call;
  if (const cudaError_t e = forbidden_in_capture("cudaMalloc")) return e;
  *p = nullptr;
  if (bytes == 0) return cudaSuccess;
  const int card = current_card();
  if (used_on(card) + bytes > runtime.memory) return fail(cudaErrorMemoryAllocation, "out of memory");
  char* start = map_device_memory(card, bytes);
  if (start == nullptr) return fail(cudaErrorMemoryAllocation, "the double has no more addresses");
  runtime.allocations[start] = {bytes, Kind::device, card};
  *p = start;
  return cudaSuccess;
}
// Waits for all the work of all streams, as the real one does.
cudaError_t cudaFree(void* p) {
  const Call call;
  if (p == nullptr) return cudaSuccess;
  if (const cudaError_t e = forbidden_in_capture("cudaFree")) return e;
  const auto it = runtime.allocations.find(static_cast<char*>(p));
  if (it == runtime.allocations.end() || it->second.kind != Kind::device)
    return fail(cudaErrorInvalidValue, "cudaFree: not the start of a live allocation of a card");
  note_stall();
  drain_all();
  unmap_device_memory(it->first, it->second.bytes);
  runtime.allocations.erase(it);
  return runtime.sticky;
}

cudaError_t cudaMallocHost(void** p, std::size_t bytes) {
  const Call call;
  return pinned(p, bytes, "cudaMallocHost");
}
cudaError_t cudaHostAlloc(void** p, std::size_t bytes, unsigned) {
  const Call call;
  return pinned(p, bytes, "cudaHostAlloc");
}
cudaError_t cudaFreeHost(void* p) {
  const Call call;
  if (p == nullptr) return cudaSuccess;
  if (const cudaError_t e = forbidden_in_capture("cudaFreeHost")) return e;
  const auto it = runtime.allocations.find(static_cast<char*>(p));
  if (it == runtime.allocations.end() || it->second.kind != Kind::pinned)
    return fail(cudaErrorInvalidValue, "cudaFreeHost: not the start of live pinned memory");
  note_stall();
  drain_all();
  runtime.allocations.erase(it);
  std::free(p);
  return runtime.sticky;
}

// Doesn't wait for streams, which are all non-blocking: a forgotten wait shows.
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const Call call;
  if (const cudaError_t e = forbidden_in_capture("cudaMemcpy")) return e;
  if (bytes == 0) return cudaSuccess;
  if (const std::string wrong = wrong_copy(to, from, bytes, kind, current_card()); !wrong.empty())
    return fail(cudaErrorInvalidValue, "cudaMemcpy: " + wrong);
  if (runtime.sticky != cudaSuccess) return runtime.sticky;
  const OnCard scope;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Call call;
  if (bytes == 0) return cudaSuccess;
  if (!runtime.streams.contains(stream)) return enqueue(stream, {}, "cudaMemcpyAsync");
  runtime.copies_from_host += kind == cudaMemcpyHostToDevice;
  const int card = stream->card;
  const auto check = [=] {
    const std::string wrong = wrong_copy(to, from, bytes, kind, card);
    return wrong.empty() ? wrong : "cudaMemcpyAsync: " + wrong;
  };
  if (const std::string wrong = check(); !wrong.empty()) return fail(cudaErrorInvalidValue, wrong);
  const void* host = kind == cudaMemcpyHostToDevice ? from : kind == cudaMemcpyDeviceToHost ? to : nullptr;
  const bool pageable = host != nullptr && allocation_of(host) == nullptr;
  if (pageable && stream->record != nullptr) {
    stream->record->invalid = "cudaMemcpyAsync of memory that is not pinned, while a record is written";
    return fail(cudaErrorStreamCaptureUnsupported, stream->record->invalid);
  }
  if (pageable) note_stall(stream);
  if (pageable && kind == cudaMemcpyHostToDevice) {  // has been read when the call returns
    const auto* bytes_of = static_cast<const char*>(from);
    const auto copy = std::make_shared<std::vector<char>>(bytes_of, bytes_of + bytes);
    const auto check_there = [=] {
      const std::string wrong = wrong_with(to, bytes, card);
      return wrong.empty() ? wrong : "cudaMemcpyAsync, destination: " + wrong;
    };
    return enqueue(stream, {.work = {[=] { std::memcpy(to, copy->data(), bytes); }, check_there}},
                   "cudaMemcpyAsync");
  }
  return enqueue(stream, {.work = {[=] { std::memcpy(to, from, bytes); }, check}}, "cudaMemcpyAsync");
}

cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t stream) {
  const Call call;
  if (bytes == 0) return cudaSuccess;
  if (!runtime.streams.contains(stream)) return enqueue(stream, {}, "cudaMemsetAsync");
  const auto check = [=, card = stream->card] {
    const std::string wrong = wrong_with(p, bytes, card);
    return wrong.empty() ? wrong : "cudaMemsetAsync: " + wrong;
  };
  if (const std::string wrong = check(); !wrong.empty()) return fail(cudaErrorInvalidValue, wrong);
  return enqueue(stream, {.work = {[=] { std::memset(p, value, bytes); }, check}}, "cudaMemsetAsync");
}

}  // extern "C"
