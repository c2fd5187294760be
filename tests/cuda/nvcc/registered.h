// Kernels by the names that nvcc gives them: each has an emulated twin, compiled by the host compiler from
// the same source.
#pragma once

#include <runtime_double.h>

#include <functional>
#include <tuple>
#include <utility>

namespace fake {

/// A kernel's arguments, as nvcc's code hands them over, bound to the emulated twin.
struct BoundCall {
  std::function<void()> run;
  Pointers pointers;
};
using Bind = BoundCall (*)(const void* twin, void** arguments);

/// `Kernel` is the type of a pointer to it.
template <class Kernel>
struct Binder;
template <class... P>
struct Binder<void (*)(P...)> {
  static BoundCall bind(const void* twin, void** arguments) {
    auto* kernel = reinterpret_cast<void (*)(P...)>(reinterpret_cast<std::uintptr_t>(twin));
    const auto copy = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::tuple<std::decay_t<P>...>(*static_cast<std::decay_t<P>*>(arguments[I])...);
    }
    (std::index_sequence_for<P...>{});
    return {[kernel, copy] { std::apply(kernel, copy); }, pointers_of(copy)};
  }
};

/// The twin of the kernel that nvcc calls `name`. The program's table (made by twins.sh) registers all of
/// them.
void register_twin(const char* name, const void* twin, Bind bind);

}  // namespace fake
