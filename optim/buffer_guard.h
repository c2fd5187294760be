// BufferGuard: running statistics and other buffers, taken back if a step fails.
#pragma once

#include <utility>
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
  /// Whether the buffers' numbers are finite as they are now. A batch whose variance overflows has a finite
  /// loss all the same, and would leave an infinite running variance behind.
  bool finite() const;

 private:
  struct Before {
    Tensor* buffer;
    Tensor values;
  };
  std::vector<Before> before_;
};

/// The same for a gradient rule's state, which the rule replaces and never writes into: handles are kept, not
/// numbers. For a step whose direction was formed, and then not applied.
class HandleGuard {
 public:
  explicit HandleGuard(const std::vector<NamedBuffer>& buffers);
  ~HandleGuard();
  HandleGuard(const HandleGuard&) = delete;
  HandleGuard& operator=(const HandleGuard&) = delete;

  void keep() { before_.clear(); }

 private:
  std::vector<std::pair<Tensor*, Tensor>> before_;
};

}  // namespace basin::optim
