// apps/examples/cifar_sam.cpp, the whole job in one file, ends with the weights of `basin train`.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/io/files.h"
#include "core/io/hash.h"
#include "core/random.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
namespace fs = std::filesystem;

namespace {

/// A file of CIFAR-10's binary version: 10,000 records of a label and 32 x 32 x 3 bytes, all drawn.
void write_records(const fs::path& path, std::uint64_t number) {
  constexpr std::size_t kRecord = 1 + 3 * 32 * 32;
  std::string bytes;
  bytes.reserve(10'000 * kRecord);
  Random draw(/*seed=*/5, Stream::user, number);
  for (int record = 0; record < 10'000; ++record) {
    bytes += static_cast<char>(draw.below(10));
    for (std::size_t i = 1; i < kRecord; i += 4) {
      const std::uint32_t four = draw.bits();
      bytes.append(reinterpret_cast<const char*>(&four), 4);
    }
  }
  std::ofstream(path, std::ios::binary) << bytes;
}

int call(const fs::path& folder, const std::string& command) {
  return std::system(("cd '" + folder.string() + "' && " + command + " > out.txt 2>&1").c_str());
}

}  // namespace

TEST_CASE("slow: cifar_sam ends with the bits of basin train") {
  const test::TemporaryDirectory dir;
  const fs::path folder = dir.path();
  for (int i = 1; i <= 5; ++i)
    write_records(folder / ("data_batch_" + std::to_string(i) + ".bin"), static_cast<std::uint64_t>(i));
  write_records(folder / "test_batch.bin", 0);
  REQUIRE(call(folder, std::string(BASIN_CIFAR_SAM) + " . 2 300") == 0);
  REQUIRE(call(folder, std::string(BASIN_PROGRAM) +
                           " train --data cifar10 --data-dir . --model resnet20 --sharpness sam --epochs 2 "
                           "--seed 1 --limit 300 --run run") == 0);
  const std::string own = read_file((folder / "final.safetensors").string());
  CHECK(sha256_text(own) == sha256_text(read_file((folder / "run/final.safetensors").string())));
}
