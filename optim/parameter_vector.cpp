#include "optim/parameter_vector.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/ops.h"

namespace basin::optim {
namespace {

/// Where all parameters live; Device{} if there are none. Errors: they live in more than one place.
Device common_device(const std::vector<NamedParameter>& parameters) {
  Device device;
  const NamedParameter* first = nullptr;
  for (const NamedParameter& p : parameters) {
    const Tensor& value = p.parameter->value();
    if (!value.defined()) continue;
    if (first && value.device() != device)
      throw ArgumentError("[parameter vector] all parameters share one buffer: '", first->name, "' is on ",
                          device, ", '", p.name, "' on ", value.device(),
                          "; name the device that all shall be on");
    first = &p;
    device = value.device();
  }
  return device;
}

/// Checks that the parameters can live in one buffer, and returns how many numbers they have.
Index check(const std::vector<NamedParameter>& parameters) {
  if (parameters.empty()) throw ArgumentError("[parameter vector] the object describes no parameters");
  const NamedParameter& front = parameters.front();
  std::set<std::string> names;
  std::map<const Node*, std::string> owners;
  Index count = 0;
  for (const NamedParameter& p : parameters) {
    const Tensor& value = p.parameter->value();
    if (!value.defined())
      throw ArgumentError("[parameter vector] parameter '", p.name, "' has no values yet");
    if (!is_floating(value.dtype()))
      throw ArgumentError("[parameter vector] parameter '", p.name, "' is ", value.dtype(),
                          "; derivatives need f32 or f64");
    if (value.dtype() != front.parameter->dtype())
      throw ArgumentError("[parameter vector] all parameters share one buffer: '", front.name, "' is ",
                          front.parameter->dtype(), ", '", p.name, "' is ", value.dtype());
    if (!names.insert(p.name).second)
      throw ArgumentError("[parameter vector] two parameters are named '", p.name,
                          "'; describe the parts under different names");
    if (p.parameter->tracked()) {
      const auto [owner, fresh] = owners.emplace(p.parameter->node().get(), p.name);
      if (!fresh)
        throw ArgumentError("[parameter vector] '", owner->second, "' and '", p.name,
                            "' are the same parameter; describe it once");
    }
    count += value.elements();
  }
  return count;
}

}  // namespace

ParameterVector::ParameterVector(const std::vector<NamedParameter>& parameters, Decay decay)
    : ParameterVector(parameters, common_device(parameters), decay) {}

ParameterVector::ParameterVector(const std::vector<NamedParameter>& parameters, Device device, Decay decay) {
  const Index count = check(parameters);
  values_ = Tensor::empty({count}, parameters.front().parameter->dtype(), device);
  Index offset = 0;
  for (const NamedParameter& p : parameters) {
    Tensor view = values_.view(offset, p.parameter->shape());
    view.copy_from(p.parameter->value());
    const bool decays = decay == Decay::all || p.role == ParameterRole::weight;
    segments_.push_back({p.name, offset, view.shape(), p.role, p.layout, decays});
    offset += view.elements();
    leaves_.push_back(Variable::parameter(std::move(view), p.name));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) *parameters[i].parameter = leaves_[i];

  if (std::all_of(segments_.begin(), segments_.end(), [](const Segment& s) { return s.decay; })) return;
  decay_mask_ = Tensor::empty({count}, dtype(), values_.device());
  for (const Segment& s : segments_) decay_mask_.view(s.offset, s.shape).fill(s.decay ? 1 : 0);
}

Tensor ParameterVector::flatten(const Tensors& parts) const {
  if (parts.size() != segments_.size())
    throw ArgumentError("[flatten] ", parts.size(), " tensors for ", segments_.size(), " parameters");
  Tensor flat = Tensor::empty({size()}, dtype(), values_.device());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Segment& s = segments_[i];
    if (parts[i].shape() != s.shape || parts[i].dtype() != dtype())
      throw ArgumentError("[flatten] parameter '", s.name, "' is ", dtype(), " ", s.shape, ", its tensor ",
                          parts[i].dtype(), " ", parts[i].shape());
  }
  concatenate(parts, flat);
  return flat;
}

Tensors ParameterVector::split(const Tensor& flat) const {
  if (flat.elements() != size())
    throw ArgumentError("[split] a vector ", flat.shape(), " for ", size(), " weights");
  Tensors parts;
  parts.reserve(segments_.size());
  for (const Segment& s : segments_) parts.push_back(flat.view(s.offset, s.shape));
  return parts;
}

}  // namespace basin::optim
