// Element types of a Tensor.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ostream>

#include "core/error.h"

namespace basin {

enum class Dtype : std::uint8_t { f32, f64, i64, u8 };

constexpr std::size_t size_of(Dtype t) {
  switch (t) {
    case Dtype::f32:
      return 4;
    case Dtype::f64:
      return 8;
    case Dtype::i64:
      return 8;
    case Dtype::u8:
      return 1;
  }
  return 0;
}

constexpr const char* name_of(Dtype t) {
  switch (t) {
    case Dtype::f32:
      return "f32";
    case Dtype::f64:
      return "f64";
    case Dtype::i64:
      return "i64";
    case Dtype::u8:
      return "u8";
  }
  return "?";
}

inline std::ostream& operator<<(std::ostream& out, Dtype t) { return out << name_of(t); }
constexpr bool is_floating(Dtype t) { return t == Dtype::f32 || t == Dtype::f64; }

/// The C++ types of a Tensor's numbers.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::uint8_t>;

/// dtype_of<float> == Dtype::f32, and so on; of any other type it does not compile.
template <Element T>
inline constexpr Dtype dtype_of = Dtype::f32;
template <>
inline constexpr Dtype dtype_of<double> = Dtype::f64;
template <>
inline constexpr Dtype dtype_of<std::int64_t> = Dtype::i64;
template <>
inline constexpr Dtype dtype_of<std::uint8_t> = Dtype::u8;

/// Other integers all of whose values i64 holds: int, short, unsigned, long long. Not bool, not the types of
/// characters (a char may be text, a sign or a byte), not unsigned long.
template <class T>
concept OtherInteger =
    !Element<T> && (std::same_as<T, short> || std::same_as<T, unsigned short> || std::same_as<T, int> ||
                    std::same_as<T, unsigned> || std::same_as<T, long> || std::same_as<T, long long>);

/// Calls body(float{}) or body(double{}) by dtype; `op` names the caller in the error for the other types.
template <class Body>
decltype(auto) dispatch_floating(Dtype t, const char* op, Body&& body) {
  if (t == Dtype::f32) return body(float{});
  if (t == Dtype::f64) return body(double{});
  throw ArgumentError("[", op, "] expects f32 or f64, got ", t);
}

/// Calls body(T{}) for any of the four element types.
template <class Body>
decltype(auto) dispatch_all(Dtype t, Body&& body) {
  switch (t) {
    case Dtype::f32:
      return body(float{});
    case Dtype::f64:
      return body(double{});
    case Dtype::i64:
      return body(std::int64_t{});
    case Dtype::u8:
      break;
  }
  return body(std::uint8_t{});
}

}  // namespace basin
