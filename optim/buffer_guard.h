// BufferGuard: running statistics and other buffers, taken back if a step fails.
#pragma once

#include <vector>

#include "autograd/inventory.h"

namespace basin::optim {

/// The buffers of an object as they are now. Unless keep() is called the destructor puts the same bits back,
/// also when an exception passes through. A step that meets a non-finite loss has already moved the running
/// statistics in its first pass; with a guard it changes nothing at all:
///
///     BufferGuard statistics(buffers);   // buffers = entries_of(model).buffers
///     const Direction d = rule.direction(objective, w);
///     if (d.report.finite) {
///       update.apply(w, d.vector, lr);
///       statistics.keep();
///     }
class BufferGuard {
 public:
  /// The object must not move while the guard lives.
  explicit BufferGuard(const std::vector<NamedBuffer>& buffers);
  ~BufferGuard();
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;

  /// The changes since construction stay.
  void keep() { before_.clear(); }

 private:
  struct Before {
    Tensor* buffer;
    Tensor values;
  };
  std::vector<Before> before_;
};

}  // namespace basin::optim
