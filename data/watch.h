// Long loops that can be watched and stopped from outside.
#pragma once

#include <cstdint>
#include <functional>

namespace basin::data {

/// Told how far a long loop is: `done` of `total` pictures, bytes or whatever it counts. May throw, which
/// stops the loop; what was thrown comes out of it.
using Watch = std::function<void(std::int64_t done, std::int64_t total)>;

/// parallel_for() over [0, n) that `watch` sees: it is called by the calling thread alone, before the first
/// index and before each of those that fall to this thread. When it or a body throws, no further body is
/// begun.
void watched_for(std::int64_t n, const Watch& watch, const std::function<void(std::int64_t index)>& body);

}  // namespace basin::data
