// Archives of data sets, shards of pictures.
#include "data/formats/tar.h"

#include <array>

#include "data/formats/byte_stream.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  data::PlainStream stream(file_with(bytes));
  data::TarReader reader(stream);
  std::array<char, 1000> block{};
  while (const std::optional<data::TarMember> member = reader.next()) {
    if (member->bytes % 2 == 1) continue;  // passed over
    std::uint64_t there = 0;
    for (std::size_t n = 0; (n = reader.read(block.data(), block.size())) > 0;) there += n;
    expect(there == member->bytes, "a member has as many bytes as it says");
  }
}
