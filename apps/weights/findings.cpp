#include "apps/weights/findings.h"

#include "core/error.h"

namespace basin::apps {

void Findings::add(const std::string& finding) {
  if (++count_ <= shown_) all_ += (count_ > 1 ? ", " : "") + finding;
}

std::string Findings::line(const char* title) const {
  if (empty()) return "";
  return text("; ", title, ": ", all_, count_ > shown_ ? text(" and ", count_ - shown_, " more") : "");
}

std::string in_words(std::string_view dtype, const Shape& shape) { return text(dtype, ' ', shape); }

}  // namespace basin::apps
