// UTF-8: what counts as well-formed (Unicode 15, table 3-7: no surrogates, no overlong forms, nothing past
// U+10FFFF).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace basin {

/// Bytes of the well-formed sequence that starts at `at`; 0 if there is none.
inline std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const auto within = [](unsigned b, unsigned low, unsigned high) { return b >= low && b <= high; };
  const auto continues = [&](std::size_t i) { return within(byte(i), 0x80, 0xBF); };
  if (at >= text.size()) return 0;
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (within(lead, 0xC2, 0xDF)) return continues(1) ? 2 : 0;
  if (within(lead, 0xE0, 0xEF)) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return within(byte(1), low, high) && continues(2) ? 3 : 0;
  }
  if (within(lead, 0xF0, 0xF4)) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return within(byte(1), low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// Offset of the first byte that is not part of a well-formed sequence; npos if all are.
inline std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

inline bool is_utf8(std::string_view text) { return first_invalid_utf8(text) == std::string_view::npos; }

/// Untrusted text for an error message: on one line, at most about `most` bytes.
inline std::string excerpt(std::string_view text, std::size_t most = 60) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, at), 1);
    if (out.size() + length > most) return out + "...";
    const bool printable = length > 1 || (text[at] >= 0x20 && text[at] < 0x7F);
    out += printable ? text.substr(at, length) : "?";
    at += length;
  }
  return out;
}

/// The excerpt in quotation marks, as messages show what was given: 'resnet21'.
inline std::string quote(std::string_view text) { return "'" + excerpt(text) + "'"; }

}  // namespace basin
