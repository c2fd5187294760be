// A computation under every order of threads and blocks: what depends on the order shows in the bits.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "core/tensor.h"

#if __has_include(<emulator.h>)
#include <emulator.h>
#endif

namespace basin::testing {

/// An order for a scope, afterwards it is forward again. On a card it is the card's own: there a computation
/// is made again and again.
class WithOrder {
 public:
#if __has_include(<emulator.h>)
  explicit WithOrder(int which) {
    emu::set_schedule(which == 0   ? emu::Schedule::forward
                      : which == 1 ? emu::Schedule::reverse
                                   : emu::Schedule::shuffled,
                      static_cast<std::uint64_t>(which));
  }
  ~WithOrder() { emu::set_schedule(emu::Schedule::forward); }
#else
  explicit WithOrder(int) {}
#endif
  WithOrder(const WithOrder&) = delete;
  WithOrder& operator=(const WithOrder&) = delete;
};

/// body() four times, on the double with threads and blocks forward, in reverse and shuffled twice: its
/// tensors must have the same bits each time. Returns the first, in the host's memory.
///
///     const Tensor sums = every_schedule([&] { return std::vector{sum(x, {0})}; }).at(0);
inline std::vector<Tensor> every_schedule(const std::function<std::vector<Tensor>()>& body) {
  std::vector<Tensor> first;
  // TSan judges by what orders what, not by what came first: once is enough, and dear.
  const int orders = std::getenv("BASIN_TEST_ONE_ORDER") == nullptr ? 4 : 1;
  for (int which = 0; which < orders; ++which) {
    const WithOrder order(which);
    std::vector<Tensor> results;
    for (const Tensor& t : body()) results.push_back(t.to(Device{}));
    if (which == 0) first = results;
    CAPTURE(which);
    REQUIRE(results.size() == first.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      REQUIRE(results[i].shape() == first[i].shape());
      const std::size_t bytes = results[i].bytes();
      const bool same = bytes == 0 || std::memcmp(results[i].raw(), first[i].raw(), bytes) == 0;
      CHECK(same);
    }
  }
  return first;
}

}  // namespace basin::testing
