#include "optim/buffer_guard.h"

namespace basin::optim {

BufferGuard::BufferGuard(const std::vector<NamedBuffer>& buffers) {
  before_.reserve(buffers.size());
  for (const NamedBuffer& b : buffers) before_.push_back({b.buffer, b.buffer->clone()});
}

BufferGuard::~BufferGuard() {
  for (Before& b : before_)
    if (b.values.defined()) b.buffer->copy_from(b.values);
}

}  // namespace basin::optim
