// CRC-32C and SHA-256 against published vectors, and their streaming forms.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/io/hash.h"

using namespace basin;

namespace {

std::string sha256(std::string_view message) {
  Sha256 sum;
  sum.update(message.data(), message.size());
  return sum.hex();
}

}  // namespace

TEST_CASE("crc32c: the vectors of RFC 3720 B.4") {
  std::array<std::uint8_t, 32> bytes{};
  const auto sum = [&] { return crc32c(bytes.data(), bytes.size()); };
  CHECK(sum() == 0x8a9136aa);
  bytes.fill(0xff);
  CHECK(sum() == 0x62a8ab43);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  CHECK(sum() == 0x46dd794e);
  CHECK(crc32c("123456789", 9) == 0xe3069283);
  CHECK(crc32c(nullptr, 0) == 0);
}

TEST_CASE("crc32c: tables and instruction agree at every length, offset and cut") {
  std::vector<std::uint8_t> bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * i * 31 + i / 7);
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t length = 0; length + offset <= 100; ++length) {
      CHECK(crc32c(bytes.data() + offset, length) == crc32c_by_table(bytes.data() + offset, length));
    }
  }
  const std::uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const std::uint32_t head = crc32c(bytes.data(), cut);
    CHECK(crc32c(bytes.data() + cut, bytes.size() - cut, head) == whole);
    CHECK(crc32c_by_table(bytes.data() + cut, bytes.size() - cut, head) == whole);
  }
}

TEST_CASE("sha256: the examples of FIPS 180-4") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: cut anywhere it is the same, and hex() does not end the stream") {
  std::string message;
  for (int i = 0; i < 200; ++i) message += static_cast<char>(i * 7);
  for (std::size_t length : {55u, 56u, 57u, 63u, 64u, 65u, 119u, 120u, 128u, 200u}) {
    const std::string_view part(message.data(), length);
    const std::string whole = sha256(part);
    for (std::size_t cut = 0; cut <= length; cut += 3) {
      Sha256 sum;
      sum.update(part.data(), cut);
      CHECK(sum.hex() == sha256(part.substr(0, cut)));
      sum.update(part.data() + cut, length - cut);
      CHECK(sum.hex() == whole);
      Sha256 portable = Sha256::portable();
      portable.update(part.data(), cut);
      portable.update(part.data() + cut, length - cut);
      CHECK(portable.hex() == whole);
    }
  }
}

TEST_CASE("sha256_file: contents, and the error for a missing file") {
  const std::string path = (std::filesystem::temp_directory_path() / "basin_test_hash.txt").string();
  std::ofstream(path, std::ios::binary) << "abc";
  CHECK(sha256_file(path) == sha256("abc"));
  std::filesystem::remove(path);
  CHECK_THROWS_WITH_AS(sha256_file(path), (path + ": cannot be opened: No such file or directory").c_str(),
                       DataError);
}
