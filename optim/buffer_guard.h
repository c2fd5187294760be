// BufferGuard: running statistics and other buffers, taken back if a step fails.
#pragma once

#include <vector>

#include "autograd/inventory.h"
#include "core/scalar.h"

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
  /// They stay if the condition holds, and else are taken back, now.
  void settle(const Scalar& condition);
  /// Condition: the buffers' numbers are finite as they are now. A batch whose variance overflows has a
  /// finite loss all the same, and would leave an infinite running variance behind.
  Scalar finite() const;

 private:
  struct Before {
    Tensor* buffer;
    Tensor own;     // the handle that it held, undefined for state that was not there
    Tensor values;  // a copy of the numbers
  };
  void take_back();

  std::vector<Before> before_;
};

/// Those that a guard can put back without the host: they are there, on a device. A step that is recorded
/// (optim/gradient/step_graph.h) guards these inside its record, the others outside.
std::vector<NamedBuffer> on_device(const std::vector<NamedBuffer>& buffers);
std::vector<NamedBuffer> not_on_device(const std::vector<NamedBuffer>& buffers);

/// Moves buffers of a device next to each other: they become views into one tensor for each dtype, which a
/// guard keeps by one copy in place of many small ones.
Tensors side_by_side(const std::vector<NamedBuffer>& buffers);

}  // namespace basin::optim
