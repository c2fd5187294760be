// What a device does while the host goes on: work that is written down once and made again, bytes on their
// way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/tensor.h"

namespace basin {

/// The calls that a piece of work makes of a device, as the device's own list: to play it costs the host one
/// call. First the work is done as always, inside the recording's memory, then written down, then played:
///
///     recording->rehearse(work);  // done: memory, plans and the like are there now
///     recording->record(work);    // not done: written down
///     recording->play();          // done, and again with each call
///
/// Tensors keep their addresses in a record: those that are made inside the work stay the record's own, whose
/// memory nobody else gets while it lives; those from outside must stay where they are. A number that the
/// host gives a kernel stays what it was, so whatever changes from one time to the next is a tensor that is
/// written to before play().
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void rehearse(const std::function<void()>& work) = 0;
  /// Errors: InternalError where the work brings a number to the host or sends one, which a record can't do;
  /// it names what was asked for, and nothing is recorded. What the work throws passes through.
  virtual void record(const std::function<void()>& work) = 0;
  /// Asks for all of it, in the order of the device's other work. Nobody waits.
  virtual void play() = 0;
};

/// What Backend::send_home() gives for bytes on their way.
class Arrival {
 public:
  virtual ~Arrival() = default;
  /// The bytes, which stay as long as the arrival lives. Waits for them, but not for what was asked of the
  /// device later.
  virtual const std::byte* wait() = 0;
};

}  // namespace basin
