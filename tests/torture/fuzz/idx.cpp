// MNIST's format, packed or not.
#include "data/formats/idx.h"

#include "core/error.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const std::string& path = file_with(bytes);
  for (int rank = 1; rank <= 3; ++rank) {
    try {
      const data::IdxArray array = data::read_idx(path, rank);
      std::int64_t values = 1;
      for (const std::int64_t extent : array.extents) values *= extent;
      expect(values == static_cast<std::int64_t>(array.values.size()), "an array has what its extents say");
    } catch (const DataError&) {
      if (rank == 3) throw;
    }
  }
}
