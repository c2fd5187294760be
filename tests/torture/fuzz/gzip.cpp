// Packed files, read front to back.
#include <array>

#include "data/formats/byte_stream.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  data::GzipStream stream(file_with(bytes));
  std::array<char, 4096> block{};
  while (stream.read(block.data(), block.size()) == block.size()) {
  }
  stream.close();
}
