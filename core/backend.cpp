// The registry of backends, by kind and index: the CPU's is always there, others are installed by a call.
#include "core/backend.h"

#include <array>
#include <atomic>

namespace basin {
namespace {

constexpr int kMostOfAKind = 16;

std::atomic<Backend*>& cpu_slot() {
  static std::atomic<Backend*> slot{&cpu_backend()};
  return slot;
}

/// Null where there can be none: the host is one device, and of the others there are at most 16 of a kind.
std::atomic<Backend*>* slot_of(Device d) {
  if (d.is_host()) return d.index == 0 ? &cpu_slot() : nullptr;
  static std::array<std::atomic<Backend*>, kMostOfAKind* static_cast<int>(Device::Kind::count_)> slots{};
  if (d.index < 0 || d.index >= kMostOfAKind) return nullptr;
  return &slots[static_cast<std::size_t>(static_cast<int>(d.kind) * kMostOfAKind + d.index)];
}

class Arrived final : public Arrival {
 public:
  Arrived(Backend& backend, const std::byte* from, std::size_t bytes) : bytes_(bytes) {
    backend.download(bytes_.data(), from, bytes);
  }
  const std::byte* wait() override { return bytes_.data(); }

 private:
  std::vector<std::byte> bytes_;
};

// What batch normalisation gives, in memory of its own.
Tensor normalised(Backend& backend, const BatchNormForward& f) {
  Tensor z = Tensor::empty(f.x.shape(), f.x.dtype(), f.x.device());
  backend.batch_norm(f, z);
  return z;
}

}  // namespace

std::unique_ptr<Arrival> Backend::send_home(const std::byte* from, std::size_t bytes) {
  return std::make_unique<Arrived>(*this, from, bytes);
}

void Backend::conv2d_in_parts(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) {
  conv2d({call.geometry}, call.norm != nullptr ? normalised(*this, *call.norm) : x, w, y);
  if (call.moments != nullptr) moments(y, call.moments->mean, call.moments->var);
}

void Backend::conv2d_weight_grad_in_parts(const ConvCall& call, const Tensor& dy, Tensor& dw) {
  conv2d_weight_grad({call.geometry}, normalised(*this, *call.norm), dy, dw);
}

void Backend::conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                               const ConvGradients& out) {
  if (out.norm == nullptr) {
    conv2d_input_grad(g, dy, w, out.dx);
    conv2d_weight_grad({g}, x, dy, out.dw);
    return;
  }
  const BatchNormForward forward = out.norm->forward();
  conv2d_weight_grad({.geometry = g, .norm = &forward}, x, dy, out.dw);
  conv2d_input_grad(g, dy, w, out.dx);
  batch_norm_grad(*out.norm, out.dx, *out.dgamma, *out.dbeta, nullptr);
}

Backend& backend(Device device) {
  std::atomic<Backend*>* slot = slot_of(device);
  Backend* b = slot == nullptr ? nullptr : slot->load(std::memory_order_acquire);
  if (b == nullptr)
    throw UsageError("[backend] no backend is installed for ", device,
                     ": this program was built or started without it; use the cpu");
  return *b;
}

void install_backend(Device device, Backend& b) {
  std::atomic<Backend*>* slot = slot_of(device);
  if (slot == nullptr)
    throw ArgumentError("[backend] there is no device ", device, ", index ", device.index,
                        ": the cpu has index 0, others 0 to ", kMostOfAKind - 1);
  slot->store(&b, std::memory_order_release);
}

}  // namespace basin
