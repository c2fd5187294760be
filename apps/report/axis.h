// Axis: values on one side of a picture, where they are on the page, and the round ones among them.
#pragma once

#include <string>
#include <vector>

namespace basin::apps {

/// Round numbers (1, 2 or 5 times a power of ten apart, and at least `apart`), about `wanted` of them, that
/// enclose [low, high].
std::vector<double> ticks(double low, double high, int wanted, double apart = 0);

/// Round numbers within [low, high], both above 0: powers of ten, all or every second, third, ...; where they
/// are fewer than three, also 2 and 5 times these, or ticks() where all is within a third of a decade.
std::vector<double> log_ticks(double low, double high, int wanted);

/// How the numbers of ticks() or log_ticks() are written: "0.25", "10⁻⁵".
std::string tick_text(double value, const std::vector<double>& marks, bool log);

struct Axis {
  double low = 0, high = 1;   // values, above 0 on an axis of powers of ten
  double begin = 0, end = 1;  // page
  bool log = false;
  std::vector<double> marks{};

  /// Where a value is; of one that has() takes.
  double at(double value) const;
  /// Whether there is a place for the value on a page.
  bool has(double value) const;
  std::string words(double mark) const { return tick_text(mark, marks, log); }
};

/// The axis that has all the values for which there is a place; `whole`: marks at whole numbers only.
Axis axis_over(const std::vector<double>& values, bool log, bool whole, int wanted, double begin, double end);

}  // namespace basin::apps
