// Test double of the CUDA runtime: cards of host memory, streams whose work is done only when somebody waits
// for it, events, recorded graphs, and strict checks of every call. Linked in place of libcudart; NVIDIA's
// headers and our own host code stay as they are.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>

namespace fake {

/// When work is done: at once, or as late as the rules of streams allow. A recorded graph does its work in
/// the order of its record, or in the most distant one that its edges allow.
enum class Mode : std::uint8_t { eager, deferred };
/// `deferred` at first. The tests run under both.
void set_mode(Mode mode);

/// As many cards as there are (0, 1 or 2; at first 2), each with this much memory (at first 8 GiB).
void set_cards(int count);
void set_memory(std::size_t bytes);
/// Whether a driver is loaded; without one no call succeeds.
void set_driver(bool loaded);

/// Why the last call failed.
const std::string& last_message();
/// Of all cards: live allocations, their bytes.
std::size_t live_allocations();
std::size_t live_bytes();
/// Kernels run so far, alone or by a graph.
std::size_t executed_kernels();
/// How often the host waited until a stream had nothing left to do, or may have: also by a copy from or to
/// memory of the host that is not pinned, and by freeing memory, while something was under way. A program
/// that runs on the double writes the number to the file DOUBLE_STALLS at its end.
std::size_t stalls();
/// Copies from the host to a card that were asked for so far.
std::size_t copies_from_host();
/// What was written down in records since the last clear(): kernels by their address, all else by its name.
struct Recorded {
  std::map<const void*, std::size_t> kernels;
  std::map<std::string, std::size_t> others;

  std::size_t total() const;
  void clear() { kernels.clear(), others.clear(); }
};
Recorded& recorded();
/// Forgets errors, pending work and records that were begun: between tests.
void reset();

/// Whether p lies in live memory of any card; of the stream's card.
bool device_accessible(const void* p);
bool accessible(const void* p, cudaStream_t stream);
/// Whether all `bytes` from p on are one allocation of the stream's card.
bool accessible(const void* p, std::size_t bytes, cudaStream_t stream);

/// Runs `work` at its place in the stream: what libraries do. `check` says what is wrong with its operands,
/// "" when nothing is; it is asked now and when the work is done.
cudaError_t enqueue_work(cudaStream_t stream, std::function<void()> work,
                         std::function<std::string()> check = {});

/// Hands each address among a kernel's arguments to a function, with the argument's place.
using Pointers = std::function<void(const std::function<void(int, const void*)>&)>;

cudaError_t enqueue_kernel(cudaStream_t stream, dim3 grid, dim3 block, std::size_t dynamic_shared,
                           const void* function, const Pointers& pointers, std::function<void()> body);

/// The addresses in a tuple of arguments: pointers, and those that a struct shows by for_each_pointer().
template <class... A>
Pointers pointers_of(const std::tuple<A...>& arguments) {
  return [arguments](const std::function<void(int, const void*)>& visit) {
    int place = 0;
    const auto one = [&](const auto& a) {
      using T = std::decay_t<decltype(a)>;
      if constexpr (std::is_pointer_v<T>) {
        visit(place, a);
      } else if constexpr (requires { a.for_each_pointer([](const void*) {}); }) {
        a.for_each_pointer([&](const void* p) { visit(place, p); });
      } else {
        static_assert(std::is_trivially_copyable_v<T>, "kernel arguments are copied byte by byte");
      }
      ++place;
    };
    std::apply([&](const auto&... a) { (one(a), ...); }, arguments);
  };
}

}  // namespace fake
