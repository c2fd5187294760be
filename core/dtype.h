// Element types of a Tensor.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ostream>

#include "core/bfloat16.h"
#include "core/error.h"

namespace basin {

/// bf16 is for activations: it is stored, and what computes on it does so in f32. Parameters and everything
/// else are f32 (docs/engine.md, "Mixed precision").
enum class Dtype : std::uint8_t { f32, f64, bf16, i64, u8 };

constexpr std::size_t size_of(Dtype t) {
  switch (t) {
    case Dtype::f32:
      return 4;
    case Dtype::f64:
      return 8;
    case Dtype::bf16:
      return 2;
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
    case Dtype::bf16:
      return "bf16";
    case Dtype::i64:
      return "i64";
    case Dtype::u8:
      return "u8";
  }
  return "?";
}

inline std::ostream& operator<<(std::ostream& out, Dtype t) { return out << name_of(t); }
/// f32 and f64: the dtypes of parameters.
constexpr bool is_floating(Dtype t) { return t == Dtype::f32 || t == Dtype::f64; }
/// f32, f64 and bf16: the dtypes of numbers that derivatives flow through.
constexpr bool has_derivatives(Dtype t) { return is_floating(t) || t == Dtype::bf16; }
/// The dtype that an op on such numbers computes in, and that their parameters, statistics and moments have:
/// f32 for bf16, else t itself.
constexpr Dtype compute_dtype(Dtype t) { return t == Dtype::bf16 ? Dtype::f32 : t; }

/// The C++ types of a Tensor's numbers.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, bfloat16> ||
    std::same_as<T, std::int64_t> || std::same_as<T, std::uint8_t>;

/// dtype_of<float> == Dtype::f32, and so on; of any other type it does not compile.
template <Element T>
inline constexpr Dtype dtype_of = Dtype::f32;
template <>
inline constexpr Dtype dtype_of<double> = Dtype::f64;
template <>
inline constexpr Dtype dtype_of<bfloat16> = Dtype::bf16;
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

/// Calls body(T{}) for any of the five element types.
template <class Body>
decltype(auto) dispatch_all(Dtype t, Body&& body) {
  switch (t) {
    case Dtype::f32:
      return body(float{});
    case Dtype::f64:
      return body(double{});
    case Dtype::bf16:
      return body(bfloat16{});
    case Dtype::i64:
      return body(std::int64_t{});
    case Dtype::u8:
      break;
  }
  return body(std::uint8_t{});
}

}  // namespace basin
