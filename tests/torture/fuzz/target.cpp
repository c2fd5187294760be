#include "tests/torture/fuzz/target.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "core/error.h"

// Of the sanitizers' allocator (sanitizer/allocator_interface.h).
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* p);

namespace basin::fuzz {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{64} << 20, kMostPerByte = 10;

std::atomic<std::int64_t> held{0}, most_held{0};

void allocated(const volatile void*, std::size_t bytes) {
  const std::int64_t now = held += static_cast<std::int64_t>(bytes);
  std::int64_t most = most_held.load();
  while (now > most && !most_held.compare_exchange_weak(most, now)) {
  }
}
void freed(const volatile void* p) {
  if (p != nullptr) held -= static_cast<std::int64_t>(__sanitizer_get_allocated_size(p));
}

[[noreturn]] void end(const char* what, const char* why) {
  std::fprintf(stderr, "fuzz: %s: %s\n", what, why);
  std::abort();
}

}  // namespace

void expect(bool holds, const char* what) {
  if (!holds) end("does not hold", what);
}

const std::string& file_with(std::string_view bytes) {
  static const int descriptor = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  expect(ftruncate(descriptor, 0) == 0 &&
             pwrite(descriptor, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
         "a file in memory can be written");
  return path;
}

}  // namespace basin::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  return __sanitizer_install_malloc_and_free_hooks(basin::fuzz::allocated, basin::fuzz::freed) > 0 ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  const std::int64_t before = fuzz::held;
  fuzz::most_held = before;
  try {
    fuzz::read({reinterpret_cast<const char*>(data), size});
  } catch (const Error& error) {
    if (error.code() == ExitCode::internal || error.code() == ExitCode::out_of_memory)
      fuzz::end("an error that doesn't blame the file", error.what());
    if (*error.what() == '\0') fuzz::end("an error", "without a word");
  } catch (const std::exception& error) {
    fuzz::end("an exception that is none of Basin's", error.what());
  }
  if (fuzz::most_held - before > fuzz::kMostBytes + fuzz::kMostPerByte * static_cast<std::int64_t>(size))
    fuzz::end("too much memory", "more than 64 MB and 10 bytes for each byte of the file");
  return 0;
}
