// Inventory: the one walk over what an object owns. Parameters, buffers, weight-decay groups, files, SWA
// copies and device moves all go through describe(Inventory&).
#pragma once

#include <string>
#include <vector>

#include "autograd/variable.h"

namespace basin {

/// What a parameter is for: rules (no decay on biases, perturb norms only) select by it.
enum class ParameterRole { weight, bias, norm_weight, norm_bias };

/// How a parameter is laid out in files: convolution weights are {KH,KW,I,O} in memory, {O,I,KH,KW} in files.
enum class ParameterLayout { plain, convolution };

/// What a buffer is. Statistics are numbers that depend on the weights and are estimated from data (a batch
/// norm's running mean and variance): other weights need others, and while nobody has estimated those the
/// handle is undefined ("stale"; nn/recalibration.h). State is everything else (counters, momentum).
enum class BufferKind { state, statistics };

class Inventory {
 public:
  virtual ~Inventory() = default;

  void parameter(const std::string& name, Variable& parameter, ParameterRole role = ParameterRole::weight,
                 ParameterLayout layout = ParameterLayout::plain) {
    on_parameter(path(name), parameter, role, layout);
  }
  /// Numbers that are state but not trained (running statistics, momentum).
  void buffer(const std::string& name, Tensor& buffer, BufferKind kind = BufferKind::state) {
    on_buffer(path(name), buffer, kind);
  }

  /// Describes a part under `name`: its entries are called "name.entry". An empty name adds no level.
  template <class Part>
  void child(const std::string& name, Part& part) {
    const std::string before = prefix_;
    if (!name.empty()) prefix_ = path(name);
    on_enter(prefix_, &part);
    part.describe(*this);
    prefix_ = before;
  }
  /// Several parts, each after its name: `it.children("conv1", conv1, "bn1", bn1)`.
  template <class Part, class... More>
  void children(const std::string& name, Part& part, More&... more) {
    child(name, part);
    if constexpr (sizeof...(more) > 0) children(more...);
  }

 protected:
  virtual void on_parameter(const std::string& path, Variable& parameter, ParameterRole role,
                            ParameterLayout layout) = 0;
  virtual void on_buffer(const std::string& path, Tensor& buffer, BufferKind kind) = 0;
  virtual void on_enter(const std::string& /*path*/, const void* /*part*/) {}

 private:
  std::string path(const std::string& name) const { return prefix_.empty() ? name : prefix_ + "." + name; }
  std::string prefix_;
};

struct NamedParameter {
  std::string name;
  Variable* parameter;
  ParameterRole role;
  ParameterLayout layout;
};

struct NamedBuffer {
  std::string name;
  Tensor* buffer;
  BufferKind kind = BufferKind::state;
};

/// All entries of an object, in the order of description.
struct Entries {
  std::vector<NamedParameter> parameters;
  std::vector<NamedBuffer> buffers;
};

/// Collects the entries; `object` has describe(Inventory&). Pointers stay valid while the object does not
/// move.
template <class Object>
Entries entries_of(Object& object) {
  struct Collector : Inventory {
    Entries all;
    void on_parameter(const std::string& path, Variable& p, ParameterRole role,
                      ParameterLayout layout) override {
      all.parameters.push_back({path, &p, role, layout});
    }
    void on_buffer(const std::string& path, Tensor& b, BufferKind kind) override {
      all.buffers.push_back({path, &b, kind});
    }
  } collector;
  object.describe(collector);
  return std::move(collector.all);
}

/// Brings all tensors of an object to a device. Those that live elsewhere are replaced by new ones with the
/// same numbers: a parameter stays one, a frozen one a constant; a vector that viewed the old ones
/// (optim/parameter_vector.h) views them still. A buffer that is not there yet stays so.
void move_to(Device device, const Entries& entries);

}  // namespace basin
