// Whether a text has another one in it: of messages and tables in tests.
#pragma once

#include <string_view>

namespace basin::test {

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace basin::test
