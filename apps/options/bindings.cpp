// Strict readers of numbers, words and intervals: std::from_chars, and nothing may be left over.
#include "apps/options/bindings.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include "apps/options/suggest.h"
#include "core/io/utf8.h"

namespace basin::apps {

namespace {

constexpr std::int64_t kLongest = std::int64_t{1} << 40;  // of a period or duration; steps, epochs or seconds

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string print_bound(double x) {
  return x == std::floor(x) && std::abs(x) < 1e15 ? std::to_string(static_cast<long long>(x)) : print_real(x);
}

std::string describe(const Range& range) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) {
    return std::string("a number in ") + (range.low_open ? "(" : "[") + print_bound(range.low) + ", " +
           print_bound(range.high) + (range.high_open ? ")" : "]");
  }
  if (low) return std::string("a number ") + (range.low_open ? "> " : ">= ") + print_bound(range.low);
  if (high) return std::string("a number ") + (range.high_open ? "< " : "<= ") + print_bound(range.high);
  return "a number";
}

// "10m" -> 10 and "m".
std::optional<std::pair<double, std::string_view>> count_and_unit(std::string_view text) {
  double count = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(count) || count <= 0 || count > static_cast<double>(kLongest))
    return {};
  return std::pair{count, text.substr(static_cast<std::size_t>(stop - text.data()))};
}

std::optional<double> seconds_of(double count, std::string_view unit) {
  const double seconds = unit == "s" ? count : unit == "m" ? count * 60 : unit == "h" ? count * 3600 : -1;
  if (seconds < 1 || seconds > static_cast<double>(kLongest) || seconds != std::floor(seconds)) return {};
  return seconds;
}

std::string print_count(double x) {
  const std::string text = print_real(x);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

Binding make(ValueKind kind, std::string placeholder, std::string allowed) {
  Binding binding;
  binding.kind = kind;
  binding.placeholder = std::move(placeholder);
  binding.allowed = std::move(allowed);
  return binding;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool Range::contains(double x) const {
  return std::isfinite(x) && (low_open ? x > low : x >= low) && (high_open ? x < high : x <= high);
}

std::string print_real(double x) {
  char buffer[64];
  const double size = std::abs(x);
  const auto format =
      x == 0 || (size >= 1e-5 && size < 1e15) ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x, format).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string print_duration(std::int64_t seconds) {
  if (seconds == 0) return "none";
  if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + "h";
  if (seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
  return std::to_string(seconds) + "s";
}

std::string print_period(const Period& p) {
  if (p.never()) return "never";
  switch (p.unit) {
    case Period::Unit::steps:
      return print_count(p.count) + "steps";
    case Period::Unit::epochs:
      return print_count(p.count) + "epochs";
    case Period::Unit::seconds:
      break;
  }
  return print_duration(static_cast<std::int64_t>(p.count));
}

Binding toggle(bool& field) {
  Binding binding = make(ValueKind::flag, "", "true or false");
  binding.assign = [&field, allowed = binding.allowed](const std::string& given) {
    if (given != "true" && given != "false" && given != "1" && given != "0")
      throw ValueError("is not ", allowed);
    field = given == "true" || given == "1";
  };
  binding.print = [&field] { return field ? "true" : "false"; };
  return binding;
}

Binding whole(std::int64_t& field, std::int64_t low, std::int64_t high) {
  Binding binding = make(ValueKind::integer, "N", text("a whole number from ", low, " to ", high));
  binding.assign = [&field, low, high, allowed = binding.allowed](const std::string& given) {
    const auto value = parse<std::int64_t>(given);
    if (!value || *value < low || *value > high) throw ValueError("is not ", allowed);
    field = *value;
  };
  binding.print = [&field] { return std::to_string(field); };
  return binding;
}

Binding natural(std::uint64_t& field) {
  constexpr std::uint64_t kHigh = std::numeric_limits<std::int64_t>::max();
  Binding binding = make(ValueKind::integer, "N", text("a whole number from 0 to ", kHigh));
  binding.assign = [&field, allowed = binding.allowed](const std::string& given) {
    const auto value = parse<std::uint64_t>(given);
    if (!value || *value > kHigh) throw ValueError("is not ", allowed);
    field = *value;
  };
  binding.print = [&field] { return std::to_string(field); };
  return binding;
}

Binding real(double& field, Range range) {
  Binding binding = make(ValueKind::real, "X", describe(range));
  binding.assign = [&field, range, allowed = binding.allowed](const std::string& given) {
    const auto value = parse<double>(given);
    if (!value || !range.contains(*value)) throw ValueError("is not ", allowed);
    field = *value;
  };
  binding.print = [&field] { return print_real(field); };
  return binding;
}

Binding order(double& field) {
  Binding binding = make(ValueKind::text, "P", "2, inf or another number above 1");
  binding.assign = [&field, allowed = binding.allowed](const std::string& given) {
    const auto value = given == "inf" ? std::numeric_limits<double>::infinity() : parse<double>(given);
    if (!value || !(*value > 1)) throw ValueError("is not ", allowed);
    field = *value;
  };
  binding.print = [&field] { return std::isinf(field) ? std::string("inf") : print_count(field); };
  return binding;
}

namespace {

/// It must survive config.toml and one line of a log.
void check_text(const std::string& given) {
  if (!is_utf8(given)) throw ValueError("is not UTF-8");
  for (const char c : given) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) throw ValueError("holds a control character");
  }
  if (!given.empty() && given.find_first_not_of(' ') == std::string::npos) throw ValueError("is blank");
}

}  // namespace

Binding free_text(std::string& field, std::string placeholder, std::string allowed, bool needed) {
  Binding binding = make(ValueKind::text, std::move(placeholder), std::move(allowed));
  binding.assign = [&field, needed, allowed = binding.allowed](const std::string& given) {
    check_text(given);
    if (needed && given.empty()) throw ValueError("is not ", allowed);
    field = given;
  };
  binding.print = [&field] { return field; };
  return binding;
}

Binding name_list(std::string& field) {
  Binding binding = make(ValueKind::text, "NAMES", "names between commas, * for any text");
  binding.assign = [&field](const std::string& given) {
    check_text(given);
    const std::vector<std::string_view> names = split(given, ',');
    for (std::size_t i = 0; i < names.size() && !given.empty(); ++i) {
      if (names[i].find_first_not_of(' ') == std::string_view::npos)
        throw ValueError("has no name before or behind a comma");
      for (std::size_t k = 0; k < i; ++k)
        if (names[k] == names[i]) throw ValueError("has ", quote(names[i]), " twice");
    }
    field = given;
  };
  binding.print = [&field] { return field; };
  return binding;
}

Binding named(std::string& field, std::vector<std::string> names, const std::string& plural,
              const std::string& lister) {
  std::string list;
  for (const std::string& word : names) list += (list.empty() ? "" : ", ") + word;
  const std::string known = lister.empty() ? list : "the " + plural;
  Binding binding = make(ValueKind::text, plural.empty() ? "" : "NAME",
                         "one of " + known + (lister.empty() ? "" : ", which " + lister + " lists"));
  if (plural.empty()) {
    for (const std::string& word : names)
      binding.placeholder += (binding.placeholder.empty() ? "" : "|") + word;
    if (binding.placeholder.size() > 24) binding.placeholder = "NAME";  // help spells them out
  }
  binding.choices = names;
  binding.assign = [&field, names, plural, list, lister](const std::string& given) {
    for (const std::string& word : names) {
      if (word == given) {
        field = given;
        return;
      }
    }
    if (lister.empty())
      throw ValueError("is not one of ", plural.empty() ? "" : "the " + plural + " ", list,
                       did_you_mean(given, names));
    const std::string hint = did_you_mean_one_of(given, names);
    throw ValueError("is not one of the ", plural, hint, hint.empty() ? "; " : " ", lister, " lists them");
  };
  binding.print = [&field] { return field; };
  return binding;
}

Binding period(Period& field) {
  Binding binding =
      make(ValueKind::text, "PERIOD", "a period such as 5steps, 1epochs, 0.5epochs, 30s, 10m, 2h or never");
  binding.assign = [&field, allowed = binding.allowed](const std::string& given) {
    if (given == "never") {
      field = {0, Period::Unit::epochs};
      return;
    }
    if (const auto parts = count_and_unit(given)) {
      const auto [count, unit] = *parts;
      const bool is_whole = count == std::floor(count);
      if ((unit == "steps" || unit == "step") && is_whole) {
        field = {count, Period::Unit::steps};
        return;
      }
      if (unit == "epochs" || unit == "epoch") {
        field = {count, Period::Unit::epochs};
        return;
      }
      if (const auto seconds = seconds_of(count, unit)) {
        field = {*seconds, Period::Unit::seconds};
        return;
      }
    }
    throw ValueError("is not ", allowed);
  };
  binding.print = [&field] { return print_period(field); };
  return binding;
}

Binding duration(std::int64_t& seconds) {
  Binding binding = make(ValueKind::text, "TIME", "a time such as 90s, 10m, 1.5h or none");
  binding.assign = [&seconds, allowed = binding.allowed](const std::string& given) {
    std::optional<double> value;
    if (given == "none") value = 0;
    if (const auto parts = count_and_unit(given)) value = seconds_of(parts->first, parts->second);
    if (!value) throw ValueError("is not ", allowed);
    seconds = static_cast<std::int64_t>(*value);
  };
  binding.print = [&seconds] { return print_duration(seconds); };
  return binding;
}

Binding numbers(std::vector<double>& field, Range range) {
  Binding binding = make(ValueKind::numbers, "X,X,...", "a list like 0.5,0.75, each " + describe(range));
  binding.assign = [&field, range, allowed = binding.allowed](const std::string& given) {
    std::vector<double> values;
    for (const std::string_view part : split(given, ',')) {
      const auto value = parse<double>(part);
      if (!value || !range.contains(*value)) throw ValueError("is not ", allowed);
      values.push_back(*value);
    }
    field = std::move(values);
  };
  binding.print = [&field] {
    std::string all;
    for (const double x : field) all += (all.empty() ? "" : ",") + print_count(x);
    return all;
  };
  return binding;
}

std::vector<std::string> patterns(const std::string& list) {
  std::vector<std::string> all;
  for (const std::string_view part : split(list, ','))
    if (!part.empty()) all.emplace_back(part);
  return all;
}

}  // namespace basin::apps
