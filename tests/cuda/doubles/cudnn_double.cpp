// The functions of cuDNN that need a card. A symbol of the program wins over that of libcudnn.so; what isn't
// here is the real library's. Our code names a handle where the real one would ask the card; here it is told
// the description of one.
#include "tests/cuda/doubles/cudnn_double.h"

#include <cudnn.h>
#include <dlfcn.h>

#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/cuda/doubles/described_cards.h"
#include "tests/cuda/doubles/plan_program.h"
#include "tests/cuda/doubles/runtime_double.h"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

std::string& card() {
  static std::string description = fake::description_of(fake::kH100);
  return description;
}

std::string refusal;  // the double's own words, until they are asked for
cudnnStatus_t refuse(const std::string& why) {
  refusal = why;
  return CUDNN_STATUS_BAD_PARAM;
}

// The real function of that name.
template <class F>
F* real(F*, const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

std::set<cudnnHandle_t> handles;

/// The tensors of a plan, which cuDNN does not give back.
struct Pack {
  std::vector<std::int64_t> ids;
  std::vector<void*> addresses;
  void* workspace = nullptr;
};
std::map<cudnnBackendDescriptor_t, Pack> packs;

struct Compiled {
  fake::PlanProgram program;
  std::size_t workspace = 0;
};
std::map<cudnnBackendDescriptor_t, std::shared_ptr<const Compiled>> compiled;

cudnnStatus_t set_really(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                         cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  static const auto set = real(&cudnnBackendSetAttribute, "cudnnBackendSetAttribute");
  return set(d, name, type, count, values);
}

// The described card, in cuDNN's form; null if it is refused.
cudnnBackendDescriptor_t described() {
  static std::map<std::string, cudnnBackendDescriptor_t> made;
  if (const auto it = made.find(card()); it != made.end()) return it->second;
  cudnnBackendDescriptor_t d = nullptr;
  if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d) != CUDNN_STATUS_SUCCESS ||
      set_really(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                 static_cast<std::int64_t>(card().size()), card().data()) != CUDNN_STATUS_SUCCESS ||
      cudnnBackendFinalize(d) != CUDNN_STATUS_SUCCESS)
    return nullptr;
  return made[card()] = d;
}

cudnnStatus_t set_card(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name) {
  cudnnBackendDescriptor_t properties = described();
  if (properties == nullptr) return CUDNN_STATUS_INTERNAL_ERROR;
  return set_really(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &properties);
}

bool is_handle(std::int64_t count, const void* values) {
  return count == 1 && handles.contains(*static_cast<const cudnnHandle_t*>(values));
}

std::shared_ptr<const Compiled> compiled_of(cudnnBackendDescriptor_t plan) {
  if (const auto it = compiled.find(plan); it != compiled.end()) return it->second;
  std::int64_t length = 0;
  cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &length,
                           nullptr);
  std::string json(static_cast<std::size_t>(length), '\0');
  if (cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, length,
                               &length, json.data()) != CUDNN_STATUS_SUCCESS)
    throw std::runtime_error("a plan without JSON");
  json.resize(std::strlen(json.c_str()));
  std::int64_t workspace = 0, count = 0;
  cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count,
                           &workspace);
  return compiled[plan] = std::make_shared<Compiled>(
             Compiled{fake::program_of(json), static_cast<std::size_t>(workspace)});
}

// The memory of each of a program's tensors. Errors: std::runtime_error for whatever a card would do
// something undefined with.
std::map<std::int64_t, std::byte*> memories_of(const fake::PlanProgram& program, const Pack& pack,
                                               cudaStream_t stream) {
  if (pack.ids.size() != pack.addresses.size()) throw std::runtime_error("as many addresses as ids");
  std::map<std::int64_t, std::byte*> memories;
  for (std::size_t i = 0; i < pack.ids.size(); ++i) {
    const std::string name = "tensor " + std::to_string(pack.ids[i]);
    const auto it = program.tensors.find(pack.ids[i]);
    if (it == program.tensors.end()) throw std::runtime_error(name + " is none of the graph's");
    if (!fake::accessible(pack.addresses[i], it->second.bytes(), stream))
      throw std::runtime_error(name + " is not device memory of its whole size");
    if (reinterpret_cast<std::uintptr_t>(pack.addresses[i]) % 16 != 0)
      throw std::runtime_error(name + " begins at an address that is no multiple of 16");
    memories[pack.ids[i]] = static_cast<std::byte*>(pack.addresses[i]);
  }
  for (const auto& [id, t] : program.tensors)
    if (!memories.contains(id)) throw std::runtime_error("tensor " + std::to_string(id) + " has no address");
  return memories;
}

}  // namespace

namespace fake {

WithDescribedCard::WithDescribedCard(std::string description)
    : before_(std::exchange(card(), std::move(description))) {}
WithDescribedCard::~WithDescribedCard() { card() = before_; }

}  // namespace fake

extern "C" {

// Engines whose code is compiled when a plan is made hand it to the driver: the stand-in of nodriver/ takes
// it.
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  static void* const driver = dlopen(BASIN_NODRIVER, RTLD_NOW | RTLD_GLOBAL);
  if (driver == nullptr) return CUDNN_STATUS_NOT_INITIALIZED;
  *handle = new cudnnContext;
  handles.insert(*handle);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  if (handles.erase(handle) == 0) return refuse("cudnnDestroy: no such handle");
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  if (!handles.contains(handle)) return refuse("cudnnSetStream: no such handle");
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

void cudnnGetLastErrorString(char* words, std::size_t bytes) {
  static const auto get = real(&cudnnGetLastErrorString, "cudnnGetLastErrorString");
  if (refusal.empty()) return get(words, bytes);
  words[refusal.copy(words, bytes - 1)] = '\0';
  refusal.clear();
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count,
                                       const void* values) {
  switch (name) {
    case CUDNN_ATTR_OPERATIONGRAPH_HANDLE:
      return is_handle(count, values) ? CUDNN_STATUS_SUCCESS : refuse("a graph of no handle");
    case CUDNN_ATTR_EXECUTION_PLAN_HANDLE:
      if (!is_handle(count, values)) return refuse("a plan of no handle");
      return set_card(d, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
    case CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH:
      if (const cudnnStatus_t status = set_really(d, name, type, count, values);
          status != CUDNN_STATUS_SUCCESS)
        return status;
      return set_card(d, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
    case CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS:
      packs[d].ids.assign(static_cast<const std::int64_t*>(values),
                          static_cast<const std::int64_t*>(values) + count);
      break;
    case CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS:
      packs[d].addresses.assign(static_cast<void* const*>(values), static_cast<void* const*>(values) + count);
      break;
    case CUDNN_ATTR_VARIANT_PACK_WORKSPACE:
      packs[d].workspace = *static_cast<void* const*>(values);
      break;
    default:
      break;
  }
  return set_really(d, name, type, count, values);
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d) {
  static const auto destroy = real(&cudnnBackendDestroyDescriptor, "cudnnBackendDestroyDescriptor");
  packs.erase(d);
  compiled.erase(d);
  return destroy(d);
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  if (!handles.contains(handle)) return refuse("cudnnBackendExecute: no such handle");
  if (handle->stream == nullptr) return refuse("the handle has no stream");
  if (!packs.contains(pack)) return refuse("no tensors");
  try {
    const std::shared_ptr<const Compiled> c = compiled_of(plan);
    const cudaStream_t stream = handle->stream;
    const Pack tensors = packs[pack];
    auto* workspace = static_cast<std::byte*>(tensors.workspace);
    if (c->workspace > 0 && !fake::accessible(workspace, c->workspace, stream))
      throw std::runtime_error("the workspace is missing or too small");
    const std::map<std::int64_t, std::byte*> memories = memories_of(c->program, tensors, stream);
    const auto check = [c, tensors, workspace, stream]() -> std::string {
      if (c->workspace > 0 && !fake::accessible(workspace, c->workspace, stream))
        return "a plan's workspace is gone";
      for (std::size_t i = 0; i < tensors.ids.size(); ++i)
        if (!fake::accessible(tensors.addresses[i], c->program.tensors.at(tensors.ids[i]).bytes(), stream))
          return "a plan's tensor " + std::to_string(tensors.ids[i]) + " is gone";
      return {};
    };
    const cudaError_t status = fake::enqueue_work(
        stream,
        [c, memories, workspace] {
          if (c->workspace > 0) std::memset(workspace, 0xEE, c->workspace);
          c->program.run(memories);
        },
        check);
    return status == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
  } catch (const std::exception& e) {
    return refuse(e.what());
  }
}

}  // extern "C"
