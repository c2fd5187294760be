#include "core/shape.h"

#include <algorithm>

namespace basin {

void Shape::push_back(Index extent) {
  if (rank_ == kMaxRank) throw ArgumentError("[shape] at most ", kMaxRank, " axes, one more was given");
  if (extent < 0) throw ArgumentError("[shape] extents are 0 or more, got ", extent);
  extents_[static_cast<std::size_t>(rank_++)] = extent;
}

Index Shape::elements() const {
  Index n = 1;
  for (Index e : *this)
    if (__builtin_mul_overflow(n, e, &n))
      throw ArgumentError("[shape] element count of ", *this, " overflows");
  return n;
}

int Shape::axis(int a, const char* op) const {
  const int r = a < 0 ? a + rank_ : a;
  if (r < 0 || r >= rank_) throw ArgumentError("[", op, "] axis ", a, " is outside shape ", *this);
  return r;
}

bool Shape::operator==(const Shape& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  out << '{';
  for (int i = 0; i < s.rank(); ++i) out << (i ? "," : "") << s[i];
  return out << '}';
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const Index ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    if (ea != eb && ea != 1 && eb != 1)
      throw ArgumentError("[", op, "] shapes ", a, " and ", b, " do not broadcast: ", ea, " against ", eb);
    out.push_back(ea == 1 ? eb : ea);
  }
  return out;
}

std::array<Index, Shape::kMaxRank> contiguous_strides(const Shape& s) {
  std::array<Index, Shape::kMaxRank> strides{};
  Index step = 1;
  for (int i = s.rank() - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = step;
    step *= s[i];
  }
  return strides;
}

Shape reduced_shape(const Shape& s, const Axes& axes, bool keep, const char* op) {
  std::array<bool, Shape::kMaxRank> gone{};
  if (axes.empty()) gone.fill(true);
  for (int a : axes) gone[static_cast<std::size_t>(s.axis(a, op))] = true;
  Shape out;
  for (int i = 0; i < s.rank(); ++i) {
    if (!gone[static_cast<std::size_t>(i)])
      out.push_back(s[i]);
    else if (keep)
      out.push_back(1);
  }
  return out;
}

}  // namespace basin
