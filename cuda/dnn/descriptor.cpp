#include "cuda/dnn/descriptor.h"

#include <algorithm>

namespace basin::cuda::dnn {

void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 1024> words{};
  cudnnGetLastErrorString(words.data(), words.size());
  std::string why = words.data();
  std::replace(why.begin(), why.end(), '\n', ' ');
  why = text("[cuda] cuDNN, ", what, ": ", cudnnGetErrorString(status), why.empty() ? "" : " (", why,
             why.empty() ? "" : ")");
  if (status == CUDNN_STATUS_ALLOC_FAILED) throw MemoryError(why);
  throw Refusal(why);
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t made = nullptr;
  check(cudnnBackendCreateDescriptor(type, &made), "cudnnBackendCreateDescriptor");
  owned_ = std::shared_ptr<void>(made, [](void* d) { static_cast<void>(cudnnBackendDestroyDescriptor(d)); });
}

Descriptor& Descriptor::put(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                            std::int64_t count, const void* values) {
  check(cudnnBackendSetAttribute(get(), name, type, count, values), "cudnnBackendSetAttribute");
  return *this;
}

Descriptor& Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& other) {
  return set(name, std::vector<Descriptor>{other});
}

Descriptor& Descriptor::set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& others) {
  std::vector<cudnnBackendDescriptor_t> addresses;
  for (const Descriptor& d : others) {
    addresses.push_back(d.get());
    kept_.push_back(d.owned_);
    kept_.insert(kept_.end(), d.kept_.begin(), d.kept_.end());
  }
  return put(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(addresses.size()),
             addresses.data());
}

Descriptor& Descriptor::finish(const char* what) {
  check(cudnnBackendFinalize(get()), what);
  return *this;
}

std::int64_t Descriptor::take(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                              std::int64_t most, void* values) const {
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(get(), name, type, most, &count, values), "cudnnBackendGetAttribute");
  return std::min(count, most);
}

std::int64_t Descriptor::integer(cudnnBackendAttributeName_t name) const {
  const std::vector<std::int64_t> one = values<std::int64_t>(name, 1);
  return one.empty() ? 0 : one[0];
}

std::vector<Descriptor> Descriptor::descriptors(cudnnBackendAttributeName_t name,
                                                cudnnBackendDescriptorType_t type) const {
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr),
        "cudnnBackendGetAttribute");
  std::vector<Descriptor> made;
  std::vector<cudnnBackendDescriptor_t> addresses;
  for (std::int64_t i = 0; i < count; ++i) addresses.push_back(made.emplace_back(type).get());
  if (count > 0)
    made.resize(static_cast<std::size_t>(take(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, addresses.data())));
  return made;
}

}  // namespace basin::cuda::dnn
