#include "optim/buffer_guard.h"

#include <algorithm>

#include "core/ops.h"

namespace basin::optim {

BufferGuard::BufferGuard(const std::vector<NamedBuffer>& buffers) {
  before_.reserve(buffers.size());
  for (const NamedBuffer& b : buffers) before_.push_back({b.buffer, b.buffer->clone()});
}

BufferGuard::~BufferGuard() {
  for (Before& b : before_)
    if (b.values.defined()) b.buffer->copy_from(b.values);
}

bool BufferGuard::finite() const {
  return std::all_of(before_.begin(), before_.end(), [](const Before& b) {
    return !b.buffer->defined() || !is_floating(b.buffer->dtype()) || all_finite(*b.buffer);
  });
}

HandleGuard::HandleGuard(const std::vector<NamedBuffer>& buffers) {
  before_.reserve(buffers.size());
  for (const NamedBuffer& b : buffers) before_.emplace_back(b.buffer, *b.buffer);
}

HandleGuard::~HandleGuard() {
  for (auto& [buffer, value] : before_) *buffer = value;
}

}  // namespace basin::optim
