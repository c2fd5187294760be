// Test double of the CUDA runtime: host memory, deferred streams, events, graph capture, strict argument
// checks. Linked INSTEAD of libcudart into the g++ build of the CUDA backend; the backend's host code and
// NVIDIA's headers stay as they are.
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>

namespace fake {

enum class Mode { eager, deferred };  // run work when it is enqueued, or only when somebody waits for it
void set_mode(Mode);
const std::string& last_message();  // why the last call failed
std::size_t live_allocations();
std::size_t executed_kernels();
void reset();  // forgets errors and pending work (between tests)

bool device_accessible(const void*);
// Runs `fn` as device work at its place in the stream. Used by launch() and by the library doubles.
cudaError_t enqueue_work(cudaStream_t, std::function<void()> fn);
cudaError_t enqueue_kernel(cudaStream_t, dim3 grid, dim3 block, std::size_t shared, const void* function,
                           const std::string& bad_argument, std::function<void()> body);

template <class T>
std::string check_argument(const T& a, int index) {
  if constexpr (std::is_pointer_v<T>) {
    if (a && !device_accessible(a))
      return "kernel argument " + std::to_string(index) + " is not a device pointer";
  } else if constexpr (requires { a.for_each_pointer([](const void*) {}); }) {
    std::string bad;
    a.for_each_pointer([&](const void* p) {
      if (p && !device_accessible(p))
        bad = "kernel argument " + std::to_string(index) + " holds a pointer that is not a device pointer";
    });
    return bad;
  } else {
    static_assert(std::is_trivially_copyable_v<T>, "kernel arguments are copied bytewise");
  }
  return {};
}
template <class... A>
std::string check_arguments(const A&... a) {
  std::string bad;
  int i = 0;
  ((bad = bad.empty() ? check_argument(a, i++) : bad), ...);
  return bad;
}

}  // namespace fake
