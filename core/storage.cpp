#include "core/storage.h"

#include "core/backend.h"

namespace basin {
namespace {
std::atomic<std::int64_t> live{0};
}

Storage::Storage(std::size_t bytes, Device device)
    : data_(backend(device).allocate(bytes)), bytes_(bytes), device_(device) {
  ++live;
}

Storage::~Storage() {
  backend(device_).release(data_, bytes_);
  --live;
}

std::int64_t Storage::live_count() { return live; }

}  // namespace basin
