#include "apps/report/axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "apps/cli/format.h"

namespace basin::apps {
namespace {

constexpr double kMost = 1e300;  // differences of values must be finite
constexpr double kLeast = 1e-300;

/// 10 to the k; the nearest double, whatever pow() makes of it.
double power_of_ten(int k) { return std::stod("1e" + std::to_string(k)); }

std::string superscript(int k) {
  static const std::array<const char*, 10> digits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out;
  for (const char c : std::to_string(k)) out += c == '-' ? "⁻" : digits.at(static_cast<std::size_t>(c - '0'));
  return out;
}

std::string log_text(double value) {
  if (value >= 0.00099 && value < 10001) return significant(value, 3);
  const int k = static_cast<int>(std::floor(std::log10(value) + 1e-9));
  const double factor = value / power_of_ten(k);
  return (std::abs(factor - 1) < 1e-6 ? "" : significant(factor, 3) + "·") + "10" + superscript(k);
}

/// The round number below a value, or above it: 1, 2 or 5 times a power of ten.
double rounded(double value, bool up) {
  const int k = static_cast<int>(std::floor(std::log10(value) + 1e-9));
  double best = power_of_ten(k);
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    const double round = factor * power_of_ten(k);
    if (up && round >= value * (1 - 1e-9)) return round;
    if (!up && round <= value * (1 + 1e-9)) best = round;
  }
  return best;
}

}  // namespace

std::vector<double> ticks(double low, double high, int wanted, double apart) {
  const double raw = std::max(apart, (high - low) / std::max(1, wanted - 1));
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> marks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double i = first; i <= last; ++i) marks.push_back(i * step);
  return marks;
}

std::vector<double> log_ticks(double low, double high, int wanted) {
  const auto within = [&](double value) { return value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9); };
  const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9)),
            last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  std::vector<double> marks;
  if (last - first >= 2) {
    const int stride = std::max(1, (last - first + wanted - 1) / wanted);
    for (int k = first; k <= last; ++k)
      if (k % stride == 0) marks.push_back(power_of_ten(k));
    return marks;
  }
  for (int k = first - 1; k <= last; ++k)
    for (const double factor : {1.0, 2.0, 5.0})
      if (within(factor * power_of_ten(k))) marks.push_back(factor * power_of_ten(k));
  if (marks.size() >= 3) return marks;
  marks.clear();
  for (const double mark : ticks(low, high, wanted))
    if (within(mark)) marks.push_back(mark);
  return marks;
}

std::string tick_text(double x, const std::vector<double>& marks, bool log) {
  if (log) return log_text(x);
  const double step = marks.size() > 1 ? marks[1] - marks[0] : 1;
  const int decimals = static_cast<int>(std::clamp(-std::floor(std::log10(step) + 1e-9), 0.0, 8.0));
  if (std::abs(x) >= 1e6 || (x != 0 && step < 1e-5)) return significant(x, 4);
  return fixed(x == 0 ? 0 : x, decimals);
}

double Axis::at(double value) const {
  const double part = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return begin + part * (end - begin);
}

bool Axis::has(double value) const { return std::abs(value) < kMost && (!log || value > kLeast); }

Axis axis_over(const std::vector<double>& values, bool log, bool whole, int wanted, double begin,
               double end) {
  Axis axis{.begin = begin, .end = end, .log = log};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!axis.has(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) low = log ? 1 : 0, high = log ? 10 : 1;  // no points
  // Apart by rounding errors is not apart: marks between them could not be told from each other.
  if (high - low <= 1e-9 * std::max(std::abs(low), std::abs(high))) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.5;
    low -= room, high += room;
  }
  if (log && high / low < 5) {
    axis.marks = ticks(low, high, wanted);
    axis.low = axis.marks.front() > 0 ? axis.marks.front() : low;
    axis.high = axis.marks.back();
    if (axis.marks.front() <= 0) axis.marks.erase(axis.marks.begin());
    return axis;
  }
  if (log) {
    axis.low = rounded(low, false);
    axis.high = rounded(high, true);
    axis.marks = log_ticks(axis.low, axis.high, wanted);
    return axis;
  }
  axis.marks = ticks(low, high, wanted, whole ? 1 : 0);
  axis.low = axis.marks.front();
  axis.high = axis.marks.back();
  return axis;
}

}  // namespace basin::apps
