// Which type a kernel is made for, from what a tensor holds.
#pragma once

#include "core/dtype.h"

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

}  // namespace basin::cuda
