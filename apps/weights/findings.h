// What of a file does not fit, in the words of an error.
#pragma once

#include <string>
#include <string_view>

#include "core/shape.h"

namespace basin::apps {

/// Names for one line of an error: the first few, and how many more there are.
class Findings {
 public:
  explicit Findings(int shown = 4) : shown_(shown) {}
  void add(const std::string& finding);
  bool empty() const { return count_ == 0; }
  /// "; title: a, b and 7 more", or nothing.
  std::string line(const char* title) const;

 private:
  int shown_;
  int count_ = 0;
  std::string all_;
};

/// "F32 {4,2,3,3}".
std::string in_words(std::string_view dtype, const Shape& shape);

}  // namespace basin::apps
