#include "apps/weights/finite.h"

#include "core/ops.h"

namespace basin::apps {

std::string first_not_finite(const std::vector<ArchiveEntry>& tensors) {
  for (const ArchiveEntry& entry : tensors)
    if (is_floating(entry.tensor.dtype()) && !all_finite(entry.tensor)) return entry.name;
  return {};
}

}  // namespace basin::apps
