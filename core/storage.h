// Counted buffers. A Storage knows its device, its size and a version number that every mutable access
// raises.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/device.h"

namespace basin {

/// A buffer of numbers, shared by the Tensors that view it (through std::shared_ptr). 64-byte aligned.
class Storage {
 public:
  /// Takes `bytes` from the device's caching allocator. Errors: MemoryError.
  Storage(std::size_t bytes, Device device);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const std::byte* data() const { return data_; }
  /// Mutable access: whoever saved this storage's version can tell that it may have changed.
  std::byte* mutable_data() {
    ++version_;
    return data_;
  }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  std::uint64_t version() const { return version_; }

  /// Storages alive in this process (leak tests: zero at exit), and the bytes that they were asked for.
  static std::int64_t live_count();
  static std::int64_t live_bytes();

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_;
  Device device_;
  std::uint64_t version_ = 0;
};

}  // namespace basin
