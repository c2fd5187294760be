// All by std::to_chars, which knows no locale.
#include "apps/cli/format.h"

#include <charconv>
#include <cmath>

namespace basin::apps {

namespace {

std::string spaces(int count) { return std::string(static_cast<std::size_t>(count > 0 ? count : 0), ' '); }

std::string two_digits(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

}  // namespace

std::string fixed(double x, int decimals) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  if (std::abs(x) >= 1e15) return significant(x, decimals + 1);
  char buffer[64];
  return std::string(
      buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::fixed, decimals).ptr);
}

std::string significant(double x, int digits) {
  if (!std::isfinite(x)) return fixed(x, 0);
  char buffer[64];
  return std::string(
      buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::general, digits).ptr);
}

std::string percent(double fraction, int decimals) { return fixed(100 * fraction, decimals); }

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95) return fixed(seconds, 1) + "s";
  if (seconds >= 1000 * 86400.0) return significant(seconds / (365.25 * 86400), 3) + "y";
  const auto s = static_cast<std::int64_t>(std::llround(seconds));
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m" + two_digits(s % 60) + "s";
  if (s < 86400) return std::to_string(s / 3600) + "h" + two_digits(s / 60 % 60) + "m";
  return std::to_string(s / 86400) + "d" + two_digits(s / 3600 % 24) + "h";
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=@%+,-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::string shell_path(const std::string& path) {
  return shell_word(path.starts_with('-') ? "./" + path : path);
}

int columns(std::string_view utf8) {
  int count = 0;
  for (const char c : utf8)
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // all but continuation bytes
  return count;
}

std::string padded_right(std::string_view text, int width) {
  return std::string(text) + spaces(width - columns(text));
}

std::string padded_left(std::string_view text, int width) {
  return spaces(width - columns(text)) + std::string(text);
}

}  // namespace basin::apps
