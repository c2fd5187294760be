// Moves an object's tensors between devices.
#include "autograd/inventory.h"

#include <utility>

namespace basin {

void move_to(Device device, const Entries& entries) {
  for (const NamedParameter& p : entries.parameters) {
    const Tensor& value = p.parameter->value();
    if (!value.defined() || value.device() == device) continue;
    Tensor there = value.to(device);
    *p.parameter =
        p.parameter->tracked() ? Variable::parameter(std::move(there), p.name) : Variable(std::move(there));
  }
  for (const NamedBuffer& b : entries.buffers)
    if (b.buffer->defined()) *b.buffer = b.buffer->to(device);
}

}  // namespace basin
