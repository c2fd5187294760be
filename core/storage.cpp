#include "core/storage.h"

#include "core/backend.h"

namespace basin {
namespace {
std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> bytes_alive{0};
}  // namespace

Storage::Storage(std::size_t bytes, Device device)
    : data_(backend(device).allocate(bytes)), bytes_(bytes), device_(device) {
  ++live;
  bytes_alive += static_cast<std::int64_t>(bytes_);
}

Storage::~Storage() {
  backend(device_).release(data_, bytes_);
  --live;
  bytes_alive -= static_cast<std::int64_t>(bytes_);
}

std::int64_t Storage::live_count() { return live; }
std::int64_t Storage::live_bytes() { return bytes_alive; }

}  // namespace basin
