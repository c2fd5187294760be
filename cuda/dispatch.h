// From what is known when a call comes to what a kernel is compiled for.
#pragma once

#include <type_traits>

#include "core/dtype.h"
#include "cuda/kernels/channels.cuh"

namespace basin::cuda {

/// Calls body(T{}) for f32, f64 and bf16; `op` names the caller in the error for the other types.
template <class Body>
void dispatch_activations(Dtype t, const char* op, Body&& body) {
  if (t == Dtype::bf16)
    body(bfloat16{});
  else
    dispatch_floating(t, op, body);
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
