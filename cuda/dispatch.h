// From what is known when a call comes to what a kernel is compiled for.
#pragma once

#include <type_traits>

#include "core/dtype.h"
#include "cuda/kernels/channels.cuh"

namespace basin::cuda {

/// Calls body(float{}), body(double{}) or body(bfloat16{}): the types that derivatives flow through. `op`
/// names the caller in the error for the others.
template <class Body>
decltype(auto) dispatch_activations(Dtype t, const char* op, Body&& body) {
  if (t == Dtype::bf16) return body(bfloat16{});
  return dispatch_floating(t, op, body);
}

/// Calls body(T{}) with an unsigned integer of `size` bytes: copies do not ask what they copy.
template <class Body>
void dispatch_size(std::size_t size, Body&& body) {
  switch (size) {
    case 1:
      return body(std::uint8_t{});
    case 2:
      return body(std::uint16_t{});
    case 4:
      return body(std::uint32_t{});
    default:
      return body(std::uint64_t{});
  }
}

template <int n>
using Constant = std::integral_constant<int, n>;

/// Calls body(Constant<group>{}): how many of n neighbouring numbers a thread has at once.
template <class T, class Body>
void dispatch_group(std::int64_t n, Body&& body) {
  if (n % kGroup<T> == 0)
    body(Constant<kGroup<T>>{});
  else
    body(Constant<1>{});
}

/// Calls body(Constant<width>{}): how many threads work on a row of n steps.
template <class Body>
void dispatch_width(std::int64_t n, Body&& body) {
  if (n <= 16)
    body(Constant<4>{});
  else if (n <= 1024)
    body(Constant<32>{});
  else
    body(Constant<kThreads>{});
}

}  // namespace basin::cuda
