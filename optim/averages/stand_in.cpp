// Buffers change hands as handles: the model's own are kept and others put in their place, so that whatever
// is written meanwhile goes to the others, and putting back cannot fail.
#include "optim/averages/stand_in.h"

#include <utility>

namespace basin::optim {
namespace {

/// What the model holds in place of its buffers: copies of the state, and the statistics, if any.
Tensors others(const std::vector<NamedBuffer>& buffers, const Tensors* statistics) {
  Tensors all;
  std::size_t given = 0;
  for (const NamedBuffer& b : buffers) {
    if (b.kind == BufferKind::state) {
      all.push_back(b.buffer->clone());
    } else if (!statistics) {
      all.emplace_back();
    } else {
      if (given == statistics->size() || !(*statistics)[given].defined())
        throw ArgumentError("[stand-in] no statistics were given for '", b.name,
                            "': take them from statistics() after recalibration");
      const Tensor& x = (*statistics)[given++];
      if (b.buffer->defined() && (x.shape() != b.buffer->shape() || x.dtype() != b.buffer->dtype()))
        throw ArgumentError("[stand-in] '", b.name, "' is ", b.buffer->dtype(), " ", b.buffer->shape(),
                            ", its statistics are ", x.dtype(), " ", x.shape());
      all.push_back(x.clone());
    }
  }
  if (statistics && given != statistics->size())
    throw ArgumentError("[stand-in] ", statistics->size(), " statistics for a model that has ", given);
  return all;
}

}  // namespace

StandIn::StandIn(ParameterVector& w, const std::vector<NamedBuffer>& buffers, const Tensor& values) : w_(w) {
  enter(buffers, values, nullptr);
}

StandIn::StandIn(ParameterVector& w, const std::vector<NamedBuffer>& buffers, const Tensor& values,
                 const Tensors& statistics)
    : w_(w) {
  enter(buffers, values, &statistics);
}

void StandIn::enter(const std::vector<NamedBuffer>& buffers, const Tensor& values,
                    const Tensors* statistics) {
  const Tensor& now = w_.values();
  if (!values.defined() || values.elements() != w_.size() || values.dtype() != w_.dtype() ||
      !(values.device() == now.device()))
    throw ArgumentError("[stand-in] the values are ", values.dtype(), " ", values.shape(), " on ",
                        values.device(), ", the weights are ", now.dtype(), " ", now.shape(), " on ",
                        now.device());
  Tensors held = others(buffers, statistics);
  kept_.reserve(buffers.size());
  weights_ = now.clone();
  w_.values().copy_from(values);
  // From here on nothing throws: a destructor that does not run has nothing to put back.
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const NamedBuffer& b = buffers[i];
    kept_.push_back({b.buffer, b.kind, std::exchange(*b.buffer, std::move(held[i]))});
  }
}

StandIn::~StandIn() {
  w_.values().copy_from(weights_);
  for (Kept& k : kept_) *k.buffer = std::move(k.own);
}

Tensors StandIn::statistics() const {
  Tensors all;
  for (const Kept& k : kept_)
    if (k.kind == BufferKind::statistics) all.push_back(k.buffer->clone());
  return all;
}

}  // namespace basin::optim
