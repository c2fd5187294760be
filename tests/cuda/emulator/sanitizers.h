// What the sanitizers offer to programs that switch stacks, where the program has them: the emulator itself
// is never compiled with one, for what it does is not the kernel's.
#pragma once

#include <cstddef>

extern "C" {
__attribute__((weak)) void* __tsan_create_fiber(unsigned flags);
__attribute__((weak)) void __tsan_destroy_fiber(void* fiber);
__attribute__((weak)) void __tsan_switch_to_fiber(void* fiber, unsigned flags);
__attribute__((weak)) void* __tsan_get_current_fiber();
__attribute__((weak)) void __tsan_acquire(void* address);
__attribute__((weak)) void __tsan_release(void* address);
__attribute__((weak)) void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom, size_t size);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void* fake_stack, const void** old_bottom,
                                                           size_t* old_size);
__attribute__((weak)) void __asan_poison_memory_region(const volatile void* address, size_t size);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void* address, size_t size);
}

namespace emu {

inline bool tsan() { return __tsan_create_fiber != nullptr; }
inline bool asan() { return __asan_poison_memory_region != nullptr; }

/// acquire(p) sees all that was done before a release(p).
inline void acquire(void* p) {
  if (tsan()) __tsan_acquire(p);
}
inline void release(void* p) {
  if (tsan()) __tsan_release(p);
}

/// Bytes that nobody may touch from now on, and bytes that may be touched again.
inline void poison(const volatile void* p, std::size_t bytes) {
  if (asan()) __asan_poison_memory_region(p, bytes);
}
inline void unpoison(const volatile void* p, std::size_t bytes) {
  if (asan()) __asan_unpoison_memory_region(p, bytes);
}

}  // namespace emu
