#include "optim/buffer_guard.h"

#include <map>
#include <utility>

#include "core/ops.h"

namespace basin::optim {
namespace {

std::vector<NamedBuffer> those(const std::vector<NamedBuffer>& buffers, bool on_device) {
  std::vector<NamedBuffer> some;
  for (const NamedBuffer& b : buffers)
    if ((b.buffer->defined() && !b.buffer->device().is_host()) == on_device) some.push_back(b);
  return some;
}

}  // namespace

std::vector<NamedBuffer> on_device(const std::vector<NamedBuffer>& buffers) { return those(buffers, true); }
std::vector<NamedBuffer> not_on_device(const std::vector<NamedBuffer>& buffers) {
  return those(buffers, false);
}

Tensors side_by_side(const std::vector<NamedBuffer>& buffers) {
  constexpr Index kApart = 64;  // elements: every view begins where vectors of a card may
  const auto room = [](const Tensor& t) { return (t.elements() + kApart - 1) / kApart * kApart; };
  std::map<std::pair<Dtype, int>, std::vector<Tensor*>> kinds;
  for (const NamedBuffer& b : buffers)
    kinds[{b.buffer->dtype(), b.buffer->device().index}].push_back(b.buffer);
  Tensors all;
  for (auto& [kind, some] : kinds) {
    Index size = 0, at = 0;
    for (const Tensor* t : some) size += room(*t);
    const Tensor together = Tensor::zeros({size}, kind.first, some.front()->device());
    for (Tensor* t : some) {
      Tensor view = together.view(at, t->shape());
      at += room(*t);
      view.copy_from(*t);
      *t = view;
    }
    all.push_back(together);
  }
  return all;
}

BufferGuard::BufferGuard(const std::vector<NamedBuffer>& buffers) {
  before_.reserve(buffers.size());
  for (const NamedBuffer& b : buffers) before_.push_back({b.buffer, *b.buffer, b.buffer->clone()});
}

BufferGuard::~BufferGuard() { take_back(); }

void BufferGuard::take_back() {
  for (Before& b : before_) {
    *b.buffer = b.own;
    if (b.own.defined()) b.own.copy_from(b.values);
  }
  before_.clear();
}

void BufferGuard::settle(const Scalar& condition) {
  if (!possibly(condition)) return take_back();
  if (!certainly(condition))
    for (Before& b : before_)
      if (b.own.defined()) assign_if(opposite(condition), b.values, *b.buffer);
  keep();
}

Scalar BufferGuard::finite() const {
  Scalar all = true;
  for (const Before& b : before_) {
    if (!b.buffer->defined() || !is_floating(b.buffer->dtype())) continue;
    all = both(all, all_finite(*b.buffer));
    if (!possibly(all)) break;
  }
  return all;
}

}  // namespace basin::optim
