// Tar archives built byte by byte, so that a test can break them anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>

namespace basin::test {

struct TarEntry {
  std::string name{};
  std::string content{};
  char type = '0';
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
  std::string prefix{};
  std::string size{};  // the field's bytes; empty: the content's size in octal
};

/// The header with its checksum.
inline std::string tar_header(const TarEntry& entry) {
  std::string block(512, '\0');
  const auto put = [&block](std::size_t at, const std::string& field) {
    std::copy(field.begin(), field.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  char octal[16];
  std::snprintf(octal, sizeof octal, "%011llo", static_cast<unsigned long long>(entry.content.size()));
  put(0, entry.name.substr(0, 100));
  put(100, "0000644");
  put(124, entry.size.empty() ? octal : entry.size);
  put(136, "00000000000");
  block[156] = entry.type;
  put(257, entry.magic);
  put(345, entry.prefix);
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  put(148, std::string(octal, 6) + std::string("\0 ", 2));
  return block;
}

/// Header and content, padded to whole blocks.
inline std::string tar_member(const TarEntry& entry) {
  return tar_header(entry) + entry.content + std::string((512 - entry.content.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

/// A pax record, with the length that counts itself.
inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

}  // namespace basin::test
