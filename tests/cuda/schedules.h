// A computation under every order of threads and blocks: what depends on the order shows in the bits.
#pragma once

#include <doctest/doctest.h>
#include <emulator.h>

#include <cstring>
#include <functional>
#include <vector>

#include "core/tensor.h"

namespace basin::testing {

/// Sets the order for a scope; afterwards it is `forward`.
class WithSchedule {
 public:
  explicit WithSchedule(emu::Schedule schedule, std::uint64_t seed = 0) { emu::set_schedule(schedule, seed); }
  ~WithSchedule() { emu::set_schedule(emu::Schedule::forward); }
  WithSchedule(const WithSchedule&) = delete;
  WithSchedule& operator=(const WithSchedule&) = delete;
};

/// body() on the CUDA double with threads and blocks forward, in reverse and shuffled twice: its tensors must
/// have the same bits each time. Returns the first, in the host's memory.
///
///     const Tensor sums = every_schedule([&] { return std::vector{sum(x, {0})}; }).at(0);
inline std::vector<Tensor> every_schedule(const std::function<std::vector<Tensor>()>& body) {
  struct Order {
    const char* name;
    emu::Schedule schedule;
    std::uint64_t seed;
  };
  std::vector<Tensor> first;
  for (const Order& order :
       {Order{"forward", emu::Schedule::forward, 0}, Order{"reverse", emu::Schedule::reverse, 0},
        Order{"shuffled", emu::Schedule::shuffled, 1}, Order{"shuffled again", emu::Schedule::shuffled, 2}}) {
    const WithSchedule scope(order.schedule, order.seed);
    std::vector<Tensor> results;
    for (const Tensor& t : body()) results.push_back(t.to(Device{}));
    if (first.empty()) first = results;
    CAPTURE(order.name);
    REQUIRE(results.size() == first.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      REQUIRE(results[i].shape() == first[i].shape());
      const bool same =
          results[i].bytes() == 0 || std::memcmp(results[i].raw(), first[i].raw(), results[i].bytes()) == 0;
      CHECK(same);
    }
  }
  return first;
}

}  // namespace basin::testing
