// Numbers that are none: which tensor holds one, and means of nothing.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "core/io/archive.h"

namespace basin::apps {

/// part / whole; NaN where whole is 0: the mean of nothing is no number, and certainly not 0.
inline double ratio(double part, double whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : part / whole;
}

/// The name of the first tensor that holds a NaN or an infinity; empty if all numbers are finite. Whole
/// numbers always are.
std::string first_not_finite(const std::vector<ArchiveEntry>& tensors);

}  // namespace basin::apps
