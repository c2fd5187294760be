// Typed values of options: each binding ties a field of a configuration to its text form, strictly both ways.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/options/names.h"
#include "apps/options/period.h"
#include "core/error.h"

namespace basin::apps {

/// A value that an option does not take; what() continues "--lr '0.05x'": "is not a number >= 0".
struct ValueError : ErrorOf<ExitCode::usage> {
  using ErrorOf::ErrorOf;
};

/// The parts of a text between separators; one, empty, of an empty text.
std::vector<std::string_view> split(std::string_view text, char separator);

/// What a value looks like in TOML.
enum class ValueKind { flag, integer, real, text, numbers };

/// One field of a configuration as an option sees it.
struct Binding {
  ValueKind kind = ValueKind::text;
  std::string placeholder;                              // shown in --help: N, X, DIR; empty for flags
  std::string allowed;                                  // "a whole number from 1 to 256"
  std::vector<std::string> choices;                     // of a value that is one of a few words
  std::function<void(const std::string& text)> assign;  // throws ValueError, the field then unchanged
  std::function<std::string()> print;  // the field's canonical text; assign(print()) changes nothing
};

/// An interval of real numbers; infinite ends are open.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;
  bool contains(double x) const;
};
inline Range at_least(double low) { return {.low = low}; }
inline Range above(double low) { return {.low = low, .low_open = true}; }
inline Range unit_interval() { return {.low = 0, .high = 1}; }
inline Range inside_unit_interval() { return {.low = 0, .high = 1, .low_open = true, .high_open = true}; }
inline Range below_one() { return {.low = 0, .high = 1, .high_open = true}; }

Binding toggle(bool& field);
Binding whole(std::int64_t& field, std::int64_t low, std::int64_t high);
/// 0 to 2^63 - 1: TOML has no larger integers.
Binding natural(std::uint64_t& field);
/// Finite and inside the range.
Binding real(double& field, Range range);
/// The order p of a norm: "2", "inf", any number above 1.
Binding order(double& field);
/// Any one line of UTF-8 that is not blank; also an empty one, unless `needed`.
Binding free_text(std::string& field, std::string placeholder, std::string allowed, bool needed = false);
/// Names or patterns between commas, each once: "conv1.*,fc.bias"; or nothing.
Binding name_list(std::string& field);
/// The names or patterns of such a list.
std::vector<std::string> patterns(const std::string& list);
/// One of `names`; `plural` says what they are: "data sets". Where they are many, `lister` tells who lists
/// them, "`basin info --models`", and messages spell out the nearest.
Binding named(std::string& field, std::vector<std::string> names, const std::string& plural,
              const std::string& lister = "");
/// "5steps", "0.5epochs", "10m" (s, m, h), "never".
Binding period(Period& field);
/// Seconds from "90s", "10m", "1.5h"; "none" is 0.
Binding duration(std::int64_t& seconds);
/// Numbers between commas: "0.5,0.75".
Binding numbers(std::vector<double>& field, Range range);

/// One of a few words, each standing for a value.
template <class T>
Binding choice(T& field, const std::vector<std::pair<std::string, T>>& values) {
  std::vector<std::string> words;
  for (const auto& [word, value] : values) words.push_back(word);
  auto index = std::make_shared<std::string>();
  Binding binding = named(*index, words, "");
  binding.assign = [index, assign = binding.assign, &field, values](const std::string& given) {
    assign(given);
    for (const auto& [word, value] : values) {
      if (word == given) field = value;
    }
  };
  binding.print = [&field, values] {
    for (const auto& [word, value] : values) {
      if (value == field) return word;
    }
    throw InternalError("[options] a configuration holds a value that no option gives");
  };
  return binding;
}

/// A real number in the fewest digits that read back as the same bits; always with a '.' or an 'e', as TOML
/// wants.
std::string print_real(double x);
std::string print_period(const Period& period);
std::string print_duration(std::int64_t seconds);

}  // namespace basin::apps
