// Archives of data sets unpacked into folders, whatever their members are called.
#pragma once

#include <cstdint>
#include <string>

#include "data/watch.h"

namespace basin::data {

struct Unpacked {
  std::int64_t files = 0;
  std::uint64_t bytes = 0;
  std::int64_t passed_over = 0;  // links, devices
};

/// Unpacks a tar archive, gzip or not, into `folder`, which must exist. Only files and folders are made, with
/// the modes of new ones; links and devices are passed over. Errors: DataError for what GzipStream and
/// TarReader refuse, a member whose name leaves the folder, one that is there already, more than `most_bytes`
/// in all; OutputError when a file cannot be written. `watch` is told the bytes
/// written, with 0 for their total, which is not known.
Unpacked unpack_tar(const std::string& archive, const std::string& folder,
                    std::uint64_t most_bytes = std::uint64_t{1} << 40, const Watch& watch = {});

}  // namespace basin::data
