// Descriptors of cuDNN's graph API, owned. Each is made, its attributes are set, it is finished, and others
// may point to it.
#pragma once

#include <cudnn.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/error.h"

namespace basin::cuda::dnn {

/// What cuDNN does not do: a wrong description, or one without an engine.
struct Refusal : InternalError {
  using InternalError::InternalError;
};

/// Throws unless `status` is success: MemoryError where memory ran out, else Refusal with `what`, the name of
/// the status and cuDNN's own words: [cuda] cuDNN, forward convolution: CUDNN_STATUS_BAD_PARAM (...).
void check(cudnnStatus_t status, const char* what);

/// The word that cuDNN wants beside a value of type T.
template <class T>
constexpr cudnnBackendAttributeType_t attribute_type() {
  if constexpr (std::same_as<T, std::int64_t>)
    return CUDNN_TYPE_INT64;
  else if constexpr (std::same_as<T, bool>)
    return CUDNN_TYPE_BOOLEAN;
  else if constexpr (std::same_as<T, float>)
    return CUDNN_TYPE_FLOAT;
  else if constexpr (std::same_as<T, double>)
    return CUDNN_TYPE_DOUBLE;
  else if constexpr (std::same_as<T, cudnnHandle_t>)
    return CUDNN_TYPE_HANDLE;
  else if constexpr (std::same_as<T, cudnnDataType_t>)
    return CUDNN_TYPE_DATA_TYPE;
  else if constexpr (std::same_as<T, cudnnConvolutionMode_t>)
    return CUDNN_TYPE_CONVOLUTION_MODE;
  else if constexpr (std::same_as<T, cudnnPointwiseMode_t>)
    return CUDNN_TYPE_POINTWISE_MODE;
  else if constexpr (std::same_as<T, cudnnBackendHeurMode_t>)
    return CUDNN_TYPE_HEUR_MODE;
  else if constexpr (std::same_as<T, cudnnBackendNumericalNote_t>)
    return CUDNN_TYPE_NUMERICAL_NOTE;
  else {
    static_assert(std::same_as<T, cudnnBackendBehaviorNote_t>, "no such attribute");
    return CUDNN_TYPE_BEHAVIOR_NOTE;
  }
}

/// A handle on a descriptor; copies share it. What it points to lives as long.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(cudnnBackendDescriptorType_t type);

  cudnnBackendDescriptor_t get() const { return owned_.get(); }

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, const T& value) {
    return put(name, attribute_type<T>(), 1, &value);
  }
  template <std::size_t n>
  Descriptor& set(cudnnBackendAttributeName_t name, const std::array<std::int64_t, n>& values) {
    return put(name, CUDNN_TYPE_INT64, n, values.data());
  }
  template <std::size_t n>
  Descriptor& set(cudnnBackendAttributeName_t name, const std::array<void*, n>& addresses) {
    return put(name, CUDNN_TYPE_VOID_PTR, n, addresses.data());
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other);
  Descriptor& set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& others);
  /// Nothing is set after this. Errors: Refusal that says `what` is wrong.
  Descriptor& finish(const char* what);

  /// Up to `most` values of an attribute.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name, std::int64_t most) const {
    std::vector<T> out(static_cast<std::size_t>(most));
    out.resize(static_cast<std::size_t>(take(name, attribute_type<T>(), most, out.data())));
    return out;
  }
  std::int64_t integer(cudnnBackendAttributeName_t name) const;
  /// All descriptors of an attribute, which are of this type.
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptorType_t type) const;

 private:
  Descriptor& put(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                  const void* values);
  /// Returns how many there are, at most `most`.
  std::int64_t take(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t most,
                    void* values) const;

  std::shared_ptr<void> owned_;
  std::vector<std::shared_ptr<void>> kept_;
};

}  // namespace basin::cuda::dnn
