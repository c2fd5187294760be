#include "tests/cuda/doubles/runtime_double.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/cuda/emulator/emulator.h"

extern "C" {
__attribute__((weak)) void __asan_poison_memory_region(const volatile void*, size_t);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void*, size_t);
}

struct Op {
  enum Kind { work, record, wait } kind = work;
  std::function<void()> fn;
  CUevent_st* event = nullptr;
  unsigned long long version = 0;
};
struct CUevent_st {
  unsigned long long recorded = 0, completed = 0;
  CUstream_st* stream = nullptr;
  std::chrono::steady_clock::time_point time;
  CUgraph_st* captured = nullptr;
  bool timing = true;
};
struct CUgraph_st {
  std::vector<Op> ops;
  std::set<CUstream_st*> open;
  bool invalid = false;
};
struct CUgraphExec_st {
  std::vector<Op> ops;
};
struct CUstream_st {
  std::deque<Op> queue;
  CUgraph_st* capture = nullptr;
  bool origin = false;
};

namespace {
enum class Kind { device, pinned };
struct Alloc {
  size_t size;
  Kind kind;
};
std::map<char*, Alloc> allocs;
std::set<CUstream_st*> streams;
std::map<const void*, size_t> shared_limit;
fake::Mode mode = fake::Mode::deferred;
std::string message;
cudaError_t sticky = cudaSuccess, last = cudaSuccess;
int inside = 0;  // > 0 while device work runs
size_t kernels = 0;
int capturing = 0;

cudaError_t fail(cudaError_t e, const std::string& why) {
  message = why;
  last = e;
  return e;
}
void guard(bool closed) {  // host code may not touch device memory outside device work
  if (!__asan_poison_memory_region) return;
  for (auto& [p, a] : allocs)
    if (a.kind == Kind::device)
      (closed ? __asan_poison_memory_region : __asan_unpoison_memory_region)(p, a.size);
}
struct Inside {
  Inside() {
    if (inside++ == 0) guard(false);
  }
  ~Inside() {
    if (--inside == 0) guard(true);
  }
};
const std::pair<char* const, Alloc>* find(const void* q) {
  auto* p = static_cast<char*>(const_cast<void*>(q));
  auto it = allocs.upper_bound(p);
  if (it == allocs.begin()) return nullptr;
  --it;
  return p < it->first + std::max<size_t>(it->second.size, 1) ? &*it : nullptr;
}
bool range_ok(const void* q, size_t n, bool want_device, std::string& why) {
  const auto* a = find(q);
  if (want_device) {
    if (!a || a->second.kind != Kind::device) {
      why = "pointer is not device memory";
      return false;
    }
    if (static_cast<const char*>(q) + n > a->first + a->second.size) {
      why = "range runs past the end of the device allocation";
      return false;
    }
  } else if (a && a->second.kind == Kind::device) {
    why = "device pointer where host memory is meant";
    return false;
  }
  return true;
}
void execute(Op& op);
void drain_until(CUevent_st* e, unsigned long long v) {
  while (e->completed < v && e->stream && !e->stream->queue.empty()) {
    Op op = std::move(e->stream->queue.front());
    e->stream->queue.pop_front();
    execute(op);
  }
}
void execute(Op& op) {
  if (op.kind == Op::wait) {
    drain_until(op.event, op.version);
    return;
  }
  if (op.kind == Op::record) {
    op.event->completed = std::max(op.event->completed, op.version);
    op.event->time = std::chrono::steady_clock::now();
    return;
  }
  if (sticky != cudaSuccess) return;
  Inside in;
  op.fn();
}
void drain(CUstream_st* s) {
  while (!s->queue.empty()) {
    Op op = std::move(s->queue.front());
    s->queue.pop_front();
    execute(op);
  }
}
cudaError_t push(cudaStream_t s, Op op, const char* what) {
  if (sticky != cudaSuccess) return fail(sticky, message);
  if (!s)
    return fail(cudaErrorInvalidResourceHandle,
                std::string(what) + ": the default stream is not used in this project");
  if (!streams.contains(s))
    return fail(cudaErrorInvalidResourceHandle, std::string(what) + ": unknown or destroyed stream");
  if (s->capture) {
    s->capture->ops.push_back(std::move(op));
    return cudaSuccess;
  }
  s->queue.push_back(std::move(op));
  if (mode == fake::Mode::eager) drain(s);
  return sticky;
}
cudaError_t no_capture(const char* what) {  // calls that stream capture forbids
  if (!capturing) return cudaSuccess;
  for (auto* s : streams)
    if (s->capture) s->capture->invalid = true;
  return fail(cudaErrorStreamCaptureUnsupported, std::string(what) + " during stream capture");
}
}  // namespace

namespace fake {
void set_mode(Mode m) { mode = m; }
const std::string& last_message() { return message; }
std::size_t live_allocations() { return allocs.size(); }
std::size_t executed_kernels() { return kernels; }
void reset() {
  for (auto* s : streams) {
    s->queue.clear();
    s->capture = nullptr;
  }
  capturing = 0;
  sticky = last = cudaSuccess;
  message.clear();
}
bool device_accessible(const void* p) { return find(p) != nullptr; }
cudaError_t enqueue_work(cudaStream_t s, std::function<void()> fn) {
  return push(s, {Op::work, std::move(fn)}, "library call");
}
cudaError_t enqueue_kernel(cudaStream_t s, dim3 grid, dim3 block, std::size_t shared, const void* f,
                           const std::string& bad, std::function<void()> body) {
  const size_t threads = size_t{block.x} * block.y * block.z;
  if (!grid.x || !grid.y || !grid.z || !threads || threads > 1024 || block.z > 64 || grid.y > 65535 ||
      grid.z > 65535 || grid.x > 2147483647U)
    return fail(cudaErrorInvalidConfiguration, "launch configuration (empty grid, or over a limit)");
  const size_t limit = shared_limit.contains(f) ? shared_limit[f] : 48 * 1024;
  if (shared > limit)
    return fail(cudaErrorInvalidValue,
                "dynamic shared memory over the kernel's limit (cudaFuncSetAttribute not called?)");
  if (!bad.empty()) {
    sticky = cudaErrorIllegalAddress;
    return fail(sticky, bad);
  }
  return push(s,
              {Op::work,
               [=, body = std::move(body)] {
                 ++kernels;
                 std::string err = emu::run_grid(grid, block, shared, body);
                 if (!err.empty()) {
                   sticky = cudaErrorLaunchFailure;
                   message = err;
                 }
               }},
              "kernel launch");
}
}  // namespace fake

extern "C" {
cudaError_t cudaRuntimeGetVersion(int* v) {
  *v = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* v) {
  *v = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* left, size_t* all) {
  *all = size_t{8} << 30;
  *left = *all;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = cudaDeviceProp{};
  std::strcpy(p->name, "the double of an H100");
  p->major = 9;
  p->multiProcessorCount = 132;
  p->totalGlobalMem = size_t{8} << 30;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* n) {
  *n = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int d) {
  return d == 0 ? cudaSuccess : fail(cudaErrorInvalidDevice, "cudaSetDevice");
}
cudaError_t cudaGetDevice(int* d) {
  *d = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* v, cudaDeviceAttr a, int) {
  switch (a) {
    case cudaDevAttrMultiProcessorCount:
      *v = 132;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *v = 232448;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *v = 9;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *v = 0;
      return cudaSuccess;
    default:
      return fail(cudaErrorInvalidValue, "cudaDeviceGetAttribute: attribute not known to the double");
  }
}
cudaError_t cudaMalloc(void** p, size_t n) {
  if (auto e = no_capture("cudaMalloc")) return e;
  *p = nullptr;
  if (n == 0) return cudaSuccess;
  if (posix_memalign(p, 256, n) != 0) return fail(cudaErrorMemoryAllocation, "cudaMalloc");
  std::memset(*p, 0xFF, n);  // reads of memory nobody wrote give NaN
  allocs[static_cast<char*>(*p)] = {n, Kind::device};
  if (!inside) guard(true);
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  if (!p) return cudaSuccess;
  if (auto e = no_capture("cudaFree")) return e;
  auto it = allocs.find(static_cast<char*>(p));
  if (it == allocs.end() || it->second.kind != Kind::device)
    return fail(cudaErrorInvalidValue, "cudaFree: not the start of a live device allocation");
  for (auto* s : streams) drain(s);
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(p, it->second.size);
  std::memset(p, 0xFF, it->second.size);
  allocs.erase(it);
  std::free(p);
  return sticky;
}
cudaError_t cudaMallocHost(void** p, size_t n) {
  if (posix_memalign(p, 64, n ? n : 1) != 0) return fail(cudaErrorMemoryAllocation, "cudaMallocHost");
  allocs[static_cast<char*>(*p)] = {n, Kind::pinned};
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  auto it = allocs.find(static_cast<char*>(p));
  if (it == allocs.end() || it->second.kind != Kind::pinned)
    return fail(cudaErrorInvalidValue, "cudaFreeHost");
  for (auto* s : streams) drain(s);
  allocs.erase(it);
  std::free(p);
  return sticky;
}
static cudaError_t check_copy(void* d, const void* s, size_t n, cudaMemcpyKind k) {
  std::string why;
  const bool dd = k == cudaMemcpyHostToDevice || k == cudaMemcpyDeviceToDevice,
             sd = k == cudaMemcpyDeviceToHost || k == cudaMemcpyDeviceToDevice;
  if (k == cudaMemcpyDefault)
    return fail(cudaErrorInvalidValue, "cudaMemcpyDefault is not used in this project");
  if (!range_ok(d, n, dd, why)) return fail(cudaErrorInvalidValue, "copy destination: " + why);
  if (!range_ok(s, n, sd, why)) return fail(cudaErrorInvalidValue, "copy source: " + why);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind k) {
  if (auto e = no_capture("cudaMemcpy")) return e;
  if (n == 0) return cudaSuccess;
  if (auto e = check_copy(d, s, n, k)) return e;
  if (sticky) return sticky;
  // Does not wait for non-blocking streams, as on a real device: a missing synchronisation shows.
  Inside in;
  std::memcpy(d, s, n);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st) {
  if (n == 0) return cudaSuccess;
  if (auto e = check_copy(d, s, n, k)) return e;
  if (k == cudaMemcpyHostToDevice && !find(s)) {  // pageable: staged at the call
    auto copy =
        std::make_shared<std::vector<char>>(static_cast<const char*>(s), static_cast<const char*>(s) + n);
    return push(st, {Op::work, [=] { std::memcpy(d, copy->data(), n); }}, "cudaMemcpyAsync");
  }
  return push(st, {Op::work, [=] { std::memcpy(d, s, n); }}, "cudaMemcpyAsync");
}
cudaError_t cudaMemsetAsync(void* p, int v, size_t n, cudaStream_t st) {
  std::string why;
  if (n && !range_ok(p, n, true, why)) return fail(cudaErrorInvalidValue, "cudaMemsetAsync: " + why);
  return push(st, {Op::work, [=] { std::memset(p, v, n); }}, "cudaMemsetAsync");
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned flags) {
  if (flags != cudaStreamNonBlocking)
    return fail(cudaErrorInvalidValue, "streams of this project are non-blocking");
  *s = new CUstream_st;
  streams.insert(*s);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  if (!streams.contains(s)) return fail(cudaErrorInvalidResourceHandle, "cudaStreamDestroy");
  drain(s);
  streams.erase(s);
  delete s;
  return sticky;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  if (auto e = no_capture("cudaStreamSynchronize")) return e;
  if (!streams.contains(s)) return fail(cudaErrorInvalidResourceHandle, "cudaStreamSynchronize");
  drain(s);
  return sticky;
}
cudaError_t cudaDeviceSynchronize() {
  if (auto e = no_capture("cudaDeviceSynchronize")) return e;
  for (auto* s : streams) drain(s);
  return sticky;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned f) {
  *e = new CUevent_st;
  (*e)->timing = !(f & cudaEventDisableTiming);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  drain_until(e, e->recorded);
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  if (s && s->capture) {
    e->captured = s->capture;
    return cudaSuccess;
  }
  e->captured = nullptr;
  e->stream = s;
  return push(s, {Op::record, {}, e, ++e->recorded}, "cudaEventRecord");
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  if (e->captured) {  // joins the capture; program order of the captured work is a valid order
    if (!s->capture) {
      s->capture = e->captured;
      s->capture->open.insert(s);
    } else if (s->origin)
      for (auto* o : s->capture->open) o->capture = nullptr, s->capture->open = {};
    return cudaSuccess;
  }
  if (s && s->capture && e->recorded)
    return fail(cudaErrorStreamCaptureIsolation, "captured work waits for work outside the capture");
  if (!e->recorded) return cudaSuccess;
  return push(s, {Op::wait, {}, e, e->recorded}, "cudaStreamWaitEvent");
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  if (auto err = no_capture("cudaEventSynchronize")) return err;
  drain_until(e, e->recorded);
  return sticky;
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  if (!a->timing || !b->timing)
    return fail(cudaErrorInvalidResourceHandle, "cudaEventElapsedTime: event without timing");
  if (a->completed < a->recorded || b->completed < b->recorded)
    return fail(cudaErrorNotReady, "cudaEventElapsedTime: not reached");
  *ms = std::chrono::duration<float, std::milli>(b->time - a->time).count();
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) {
  if (!s || s->capture) return fail(cudaErrorIllegalState, "cudaStreamBeginCapture");
  s->capture = new CUgraph_st;
  s->origin = true;
  ++capturing;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* g) {
  *g = nullptr;
  if (!s || !s->capture || !s->origin) return fail(cudaErrorIllegalState, "cudaStreamEndCapture");
  CUgraph_st* c = s->capture;
  const bool unjoined = !c->open.empty();
  for (auto* o : c->open) o->capture = nullptr;
  s->capture = nullptr;
  s->origin = false;
  --capturing;
  if (c->invalid || unjoined) {
    delete c;
    return fail(unjoined ? cudaErrorStreamCaptureUnjoined : cudaErrorStreamCaptureInvalidated,
                "cudaStreamEndCapture: " + message);
  }
  *g = c;
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus* st) {
  *st = s && s->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* x, cudaGraph_t g, unsigned long long) {
  *x = new CUgraphExec_st{g->ops};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t x, cudaStream_t s) {
  for (const Op& op : x->ops)
    if (auto e = push(s, op, "cudaGraphLaunch")) return e;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) {
  delete g;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t x) {
  delete x;
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* f, cudaFuncAttribute a, int v) {
  if (a != cudaFuncAttributeMaxDynamicSharedMemorySize)
    return fail(cudaErrorInvalidValue, "cudaFuncSetAttribute");
  if (v > 232448) return fail(cudaErrorInvalidValue, "more shared memory than the device has");
  shared_limit[f] = static_cast<size_t>(v);
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  auto e = sticky ? sticky : last;
  last = cudaSuccess;
  return e;
}
cudaError_t cudaPeekAtLastError() { return sticky ? sticky : last; }
const char* cudaGetErrorName(cudaError_t e) {
  switch (e) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    default:
      return "cudaError(double)";
  }
}
const char* cudaGetErrorString(cudaError_t) { return message.c_str(); }
}
