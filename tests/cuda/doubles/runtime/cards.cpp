// The double's cards and driver, its errors, and what tests set and ask.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "tests/cuda/doubles/runtime/state.h"

namespace fake {

namespace {

// DOUBLE_MEMORY=BYTES: the memory of each card, for a program on the double, which can't set_memory().
Runtime first_runtime() {
  Runtime r;
  if (const char* bytes = std::getenv("DOUBLE_MEMORY")) r.memory = std::stoull(bytes);
  return r;
}

}  // namespace

Runtime runtime = first_runtime();

namespace {

// DOUBLE_STALLS=FILE
class AtTheEnd {
 public:
  AtTheEnd() = default;
  ~AtTheEnd() {
    if (const char* file = std::getenv("DOUBLE_STALLS")) std::ofstream(file) << runtime.stalls << '\n';
  }
  AtTheEnd(const AtTheEnd&) = delete;
  AtTheEnd& operator=(const AtTheEnd&) = delete;
};
const AtTheEnd at_the_end;

thread_local int card_of_thread = 0;

}  // namespace

std::recursive_mutex& Call::mutex() {
  static std::recursive_mutex all;
  return all;
}

int current_card() { return card_of_thread; }

cudaError_t fail(cudaError_t error, const std::string& why) {
  runtime.message = why;
  runtime.last = error;
  return error;
}

void fail_for_good(cudaError_t error, const std::string& why) {
  if (runtime.sticky != cudaSuccess) return;
  runtime.sticky = error;
  runtime.message = why;
}

void set_mode(Mode mode) {
  const Call call;
  runtime.mode = mode;
}
void set_cards(int count) {
  const Call call;
  runtime.cards = count;
}
void set_memory(std::size_t bytes) {
  const Call call;
  runtime.memory = bytes;
}
void set_driver(bool loaded) {
  const Call call;
  runtime.driver = loaded;
}

const std::string& last_message() { return runtime.message; }
std::size_t executed_kernels() { return runtime.kernels; }
std::size_t stalls() { return runtime.stalls; }

void reset() {
  const Call call;
  for (CUstream_st* s : runtime.streams) {
    s->queue.clear();
    s->record = nullptr;
  }
  runtime.sticky = runtime.last = cudaSuccess;
  runtime.message.clear();
}

}  // namespace fake

using fake::Call;
using fake::fail;
using fake::runtime;

namespace {

constexpr int kSharedOptIn = 232448;  // bytes a block of an H100 may have if its kernel asks

/// The error of a card that isn't there, if it isn't.
cudaError_t no_card(int card) {
  if (!runtime.driver) return fail(cudaErrorInsufficientDriver, "no driver is loaded");
  if (runtime.cards == 0) return fail(cudaErrorNoDevice, "no card");
  if (card < 0 || card >= runtime.cards) return fail(cudaErrorInvalidDevice, "there is no such card");
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = runtime.driver ? CUDART_VERSION : 0;
  return cudaSuccess;
}

// As the real one: where there is no card, the count stays what it was.
cudaError_t cudaGetDeviceCount(int* count) {
  const Call call;
  if (const cudaError_t e = no_card(0)) return e;
  *count = runtime.cards;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int card) {
  const Call call;
  if (const cudaError_t e = no_card(card)) return e;
  fake::card_of_thread = card;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* card) {
  const Call call;
  if (const cudaError_t e = no_card(0)) return e;
  *card = fake::card_of_thread;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int card) {
  const Call call;
  if (const cudaError_t e = no_card(card)) return e;
  *p = cudaDeviceProp{};
  std::strcpy(p->name, "double of an H100");
  p->major = 9;
  p->multiProcessorCount = 132;
  p->totalGlobalMem = runtime.memory;
  p->warpSize = 32;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int card) {
  const Call call;
  if (const cudaError_t e = no_card(card)) return e;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 132;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = kSharedOptIn;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      return cudaSuccess;
    default:
      return fail(cudaErrorInvalidValue, "cudaDeviceGetAttribute: the double doesn't know this attribute");
  }
}
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  const Call call;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
    return fail(cudaErrorInvalidValue, "cudaFuncSetAttribute: the double doesn't know this attribute");
  if (value > kSharedOptIn) return fail(cudaErrorInvalidValue, "more shared memory than a card has");
  runtime.shared_limits[function] = static_cast<std::size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const Call call;
  const cudaError_t e = runtime.sticky != cudaSuccess ? runtime.sticky : runtime.last;
  runtime.last = cudaSuccess;
  return e;
}
cudaError_t cudaPeekAtLastError() {
  const Call call;
  return runtime.sticky != cudaSuccess ? runtime.sticky : runtime.last;
}
const char* cudaGetErrorName(cudaError_t e) {
  switch (e) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureUnjoined:
      return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    default:
      return "cudaError (see the double)";
  }
}
// The double's own words for the last error, which say more than NVIDIA's.
const char* cudaGetErrorString(cudaError_t) { return runtime.message.c_str(); }

}  // extern "C"
