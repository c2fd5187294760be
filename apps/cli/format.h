// Numbers as people read them. Locale-independent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace basin::apps {

/// x with `decimals` digits after the point: 0.4301; "nan", "inf", "-inf" as such.
std::string fixed(double x, int decimals);
/// x with about `digits` significant digits, short: 0.0991, 1.31, 12.5, 1.2e-05.
std::string significant(double x, int digits);
/// A fraction in percent: 0.8512 with 2 decimals is "85.12".
std::string percent(double fraction, int decimals);
/// 50000 is "50,000".
std::string grouped(std::int64_t n);
/// "9.4s", "3m12s", "2h05m", "3d04h", from 1000 days on "2.74y"; "?" if not finite or negative.
std::string duration_text(double seconds);

/// `text` as one word of a POSIX shell's command line: itself, or in quotation marks.
std::string shell_word(const std::string& text);
/// The same of a path, so that none looks like an option: ./--run.
std::string shell_path(const std::string& path);

/// Columns that a UTF-8 text takes on a terminal, each code point one.
int columns(std::string_view utf8);
/// `text` filled up with spaces to `width` columns, on the right or on the left.
std::string padded_right(std::string_view text, int width);
std::string padded_left(std::string_view text, int width);

}  // namespace basin::apps
