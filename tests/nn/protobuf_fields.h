// The reading half of the protobuf wire format, for tests: a message as its fields.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace basin::test {

/// Number of the field -> what it holds, in order: varints in decimal, everything else as its bytes.
class Fields {
 public:
  explicit Fields(std::string_view message) {
    for (std::size_t at = 0; at < message.size();) {
      const std::uint64_t key = varint(message, at);
      std::string value;
      if ((key & 7) == 0) {
        value = std::to_string(static_cast<std::int64_t>(varint(message, at)));
      } else {
        const std::uint64_t length = (key & 7) == 5 ? 4 : varint(message, at);
        if ((key & 7) != 5 && (key & 7) != 2) throw std::runtime_error("wire type");
        if (length > message.size() - at) throw std::runtime_error("length");
        value = message.substr(at, length);
        at += length;
      }
      fields_[static_cast<int>(key >> 3)].push_back(value);
    }
  }

  std::vector<std::string> all(int field) const {
    const auto found = fields_.find(field);
    return found == fields_.end() ? std::vector<std::string>() : found->second;
  }
  /// The only entry of the field.
  std::string one(int field) const {
    const std::vector<std::string> entries = all(field);
    if (entries.size() != 1) throw std::runtime_error("field " + std::to_string(field) + " not once");
    return entries[0];
  }

 private:
  static std::uint64_t varint(std::string_view message, std::size_t& at) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
  }

  std::map<int, std::vector<std::string>> fields_;
};

}  // namespace basin::test
