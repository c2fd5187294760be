// A device that records, around one that doesn't: for the test device.
#pragma once

#include <memory>

#include "core/backend.h"

namespace basin::testing {

/// Asks `inner` for everything, at once or, while a recording is made, each time that it is played. A record
/// keeps tensors by their addresses: memory that is given back while it is made stays as it is until it goes.
/// While it is made nothing comes to the host and nothing is sent. `inner` must outlive this.
std::unique_ptr<Backend> recording_backend(Backend& inner);

}  // namespace basin::testing
