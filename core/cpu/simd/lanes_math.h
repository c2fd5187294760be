// Elementary functions of float lanes: abs, exp, log, tanh, erf, erfc, pow. Polynomials are minimax fits
// (Remez, made for this file); the largest errors over all floats are in tests/core/test_lanes.cpp. Special
// values follow <cmath>.
#pragma once

#include <cmath>

#include "core/cpu/simd/lanes.h"

namespace basin::cpu {

/// What <cmath> does, on the one lane of f64.
inline Lanes<F64x1> abs(Lanes<F64x1> x) { return Lanes<F64x1>(__builtin_fabs(x.v)); }
inline Lanes<F64x1> exp(Lanes<F64x1> x) { return Lanes<F64x1>(std::exp(x.v)); }
inline Lanes<F64x1> log(Lanes<F64x1> x) { return Lanes<F64x1>(std::log(x.v)); }
inline Lanes<F64x1> tanh(Lanes<F64x1> x) { return Lanes<F64x1>(std::tanh(x.v)); }
inline Lanes<F64x1> erf(Lanes<F64x1> x) { return Lanes<F64x1>(std::erf(x.v)); }
inline Lanes<F64x1> erfc(Lanes<F64x1> x) { return Lanes<F64x1>(std::erfc(x.v)); }
inline Lanes<F64x1> pow(Lanes<F64x1> x, Lanes<F64x1> z) { return Lanes<F64x1>(std::pow(x.v, z.v)); }

namespace detail {

template <class V>
typename V::U bits(Lanes<V> x) {
  return reinterpret_cast<typename V::U>(x.v);
}
template <class V>
Lanes<V> from_bits(typename V::U u) {
  return Lanes<V>::of(reinterpret_cast<typename V::F>(u));
}

/// Adding this float and taking it away rounds |x| < 2^22 to the nearest integer; the sum's low bits are the
/// integer.
inline constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23

/// c[0] + c[1] x + ... + c[N-1] x^(N-1)
template <class V, int N>
Lanes<V> polynomial(Lanes<V> x, const float (&c)[N]) {
  Lanes<V> y(c[N - 1]);
  for (int i = N - 2; i >= 0; --i) y = fma(y, x, Lanes<V>(c[i]));
  return y;
}

/// x with the sign of s.
template <class V>
Lanes<V> with_sign_of(Lanes<V> x, Lanes<V> s) {
  return from_bits<V>((bits(x) & 0x7fffffffu) | (bits(s) & 0x80000000u));
}

/// x^2 - y, where y is x^2 rounded: what the rounding lost.
template <class V>
Lanes<V> square_error(Lanes<V> x, Lanes<V> y) {
  if constexpr (V::fused) return fma(x, x, -y);
  const Lanes<V> top = from_bits<V>(bits(x) & 0xfffff000u), low = x - top;  // Dekker 1971: exact products
  return (top * top - y) + Lanes<V>(2) * top * low + low * low;
}

}  // namespace detail

template <class V>
Lanes<V> abs(Lanes<V> x) {
  return detail::from_bits<V>(detail::bits(x) & 0x7fffffffu);
}

/// e^x = 2^n e^r, |r| <= ln(2)/2. Underflows gradually below -87.3, to 0 below -104; infinity above 88.7.
template <class V>
Lanes<V> exp(Lanes<V> x) {
  using L = Lanes<V>;
  constexpr float kC[] = {0.499999930509f, 0.166665147891f, 0.0416684567352f, 0.00836941904691f,
                          0.00138131478758f};
  x = select(x < L(-105.0f), L(-105.0f), select(x > L(89.0f), L(89.0f), x));
  const L shifted = fma(x, L(1.44269504089f), L(detail::kRounder));
  const L n = shifted - L(detail::kRounder);
  const L r = fma(n, L(2.12194440e-4f), fma(n, L(-0.693359375f), x));  // ln 2 = 0.693359375 - 2.12194440e-4
  const L y = fma(r * r, detail::polynomial(r, kC), r) + L(1);
  // 2^n as two factors, each a normal number.
  const typename V::U k = detail::bits(shifted) - detail::bits(L(detail::kRounder));
  const typename V::U half = (k + 1024) / 2 - 512;
  return y * detail::from_bits<V>((half + 127) << 23) * detail::from_bits<V>((k - half + 127) << 23);
}

/// ln x = e ln 2 + ln m, m in [sqrt(1/2), sqrt(2)), with s = (m-1)/(m+1): ln m = 2 atanh(s).
template <class V>
Lanes<V> log(Lanes<V> x) {
  using L = Lanes<V>;
  using U = typename V::U;
  constexpr float kC[] = {0.666666656032f, 0.400003455729f, 0.285366028775f, 0.235963331007f};
  const auto tiny = x < L(1.17549435e-38f);  // denormal: scale by 2^23
  const L scaled = select(tiny, x * L(8388608.0f), x);
  const U shifted = detail::bits(scaled) - detail::bits(L(0.70710678f));
  const U exponent = (shifted >> 23) ^ 0x100u;  // two's complement of 9 bits, made positive
  const L m = detail::from_bits<V>((shifted & 0x007fffffu) + detail::bits(L(0.70710678f)));
  // An integer 0 <= i < 2^23 as float: its bits under the exponent of 2^23.
  const L e = detail::from_bits<V>(exponent | 0x4b000000u) -
              select(tiny, L(8388608.0f + 256 + 23), L(8388608.0f + 256));
  const L f = m - L(1), s = f / (L(2) + f), z = s * s;
  // ln(1+f) = f - (f^2/2 - s (f^2/2 + R))
  const L half_square = L(0.5f) * f * f, tail = s * (half_square + z * detail::polynomial(z, kC));
  const L y = fma(e, L(0.693359375f), f - (half_square - fma(e, L(-2.12194440e-4f), tail)));
  const L infinity(__builtin_inff());
  const L special = select(x == L(0), -infinity, select(x == infinity, infinity, L(__builtin_nanf(""))));
  return select(x > L(0), select(x < infinity, y, special), special);
}

/// A polynomial below 0.625, 1 - 2/(e^2x + 1) above.
template <class V>
Lanes<V> tanh(Lanes<V> x) {
  using L = Lanes<V>;
  constexpr float kC[] = {-0.333332839254f, 0.133314912873f, -0.0537434978676f, 0.0206505860974f,
                          -0.00571704337338f};
  const L a = abs(x), z = a * a;
  const L small = fma(a * z, detail::polynomial(z, kC), a);
  const L large = L(1) - L(2) / (exp(a + a) + L(1));
  return detail::with_sign_of(select(a < L(0.625f), small, large), x);
}

namespace detail {

/// erfc(a) for a >= 0: (1 + 2a) e^(a^2) erfc(a) is a polynomial in q = (a-2)/(a+2), to 2^-26.
template <class V>
Lanes<V> erfc_positive(Lanes<V> a) {
  using L = Lanes<V>;
  constexpr float kC[] = {1.27697839397f,     -0.0927639849917f,  -0.166031461169f,  0.164055425218f,
                          -0.0542038819909f,  -0.00806014155169f, 0.00863009154077f, 0.00131330579063f,
                          -0.00122799654401f, -0.000399445069319f};
  a = select(a > L(10.2f), L(10.2f), a);  // erfc is 0 from there on
  const L p = polynomial((a - L(2)) / (a + L(2)), kC) / fma(L(2), a, L(1));
  const L square = a * a, e = exp(-square);
  return p * fma(-e, square_error(a, square), e);
}

}  // namespace detail

template <class V>
Lanes<V> erfc(Lanes<V> x) {
  using L = Lanes<V>;
  const L y = detail::erfc_positive(abs(x));
  return select(x < L(0), L(2) - y, y);
}

template <class V>
Lanes<V> erf(Lanes<V> x) {
  using L = Lanes<V>;
  constexpr float kC[] = {0.12837916563f,    -0.376126199226f,  0.11283392974f,
                          -0.0268354345873f, 0.00511598181525f, -0.00067610969562f};
  const L a = abs(x);
  const L small = fma(x, detail::polynomial(x * x, kC), x);
  return select(a < L(0.75f), small, detail::with_sign_of(L(1) - detail::erfc_positive(a), x));
}

/// x^z, lane by lane.
template <class V>
Lanes<V> pow(Lanes<V> x, Lanes<V> z) {
  float base[V::width], exponent[V::width];
  x.store(base);
  z.store(exponent);
  for (int i = 0; i < V::width; ++i) base[i] = __builtin_powf(base[i], exponent[i]);
  return Lanes<V>::load(base);
}

}  // namespace basin::cpu
