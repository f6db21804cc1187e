// What the vector functions share: number formats, error-free sums and products, scaling by powers of two.
// Polynomial coefficients in math_*.h are minimax (Remez) fits with rounded leading terms, unless a source is named.
#pragma once

#include "vec.h"

namespace TT_NS {

// Large functions stay out of line, so that they are compiled once and not into each kernel that uses them.
#define TT_HEAVY [[maybe_unused]] static TT_NOINLINE

template <class V>
struct Format;
template <>
struct Format<VF> {
  static constexpr int mantissa = 23, bias = 127;
  static constexpr float magic = 12582912.0f, min_normal = 1.17549435e-38f;
  static constexpr float ln2_hi = 0.693145751953125f, ln2_lo = 1.428606820309417e-6f;
};
template <>
struct Format<VD> {
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double magic = 6755399441055744.0, min_normal = 2.2250738585072014e-308;
  static constexpr double ln2_hi = 0.69314718036912382, ln2_lo = 1.9082149292705877e-10;
};

template <class V>
constexpr bool is_float = same<V, VF>;

// c[0] + c[1] x + c[2] x^2 + ...
template <class V, class T, int n>
TT_INLINE V poly(V x, const T (&c)[n]) {
  V r = C<V>(c[n - 1]);
#pragma GCC unroll 32
  for (int i = n - 2; i >= 0; i--) r = v_mad(r, x, C<V>(c[i]));
  return r;
}

// The same value with the even and odd terms side by side, for a shorter chain of dependent steps.
template <class V, class T, int n>
TT_INLINE V poly2(V x, V xx, const T (&c)[n]) {
  V even = C<V>(c[(n - 1) & ~1]);
  V odd = C<V>(c[((n - 2) & ~1) + 1]);
#pragma GCC unroll 16
  for (int i = ((n - 1) & ~1) - 2; i >= 0; i -= 2) even = v_mad(even, xx, C<V>(c[i]));
#pragma GCC unroll 16
  for (int i = ((n - 2) & ~1) - 1; i >= 1; i -= 2) odd = v_mad(odd, xx, C<V>(c[i]));
  return v_mad(odd, x, even);
}

// An unevaluated sum, |lo| at most half a unit in the last place of hi.
template <class V>
struct Pair {
  V hi, lo;
};

// Knuth's two-sum: exact for any a and b.
template <class V>
TT_INLINE Pair<V> two_sum(V a, V b) {
  V s = a + b;
  V t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
// Dekker's: needs |a| >= |b|.
template <class V>
TT_INLINE Pair<V> fast_two_sum(V a, V b) {
  V s = a + b;
  return {s, b - (s - a)};
}
// a * b exactly. Without a fused multiply-add the factors are split in halves (Dekker).
template <class V>
TT_INLINE Pair<V> two_prod(V a, V b) {
  V p = a * b;
#if TT_FUSED
  return {p, v_mad(a, b, -p)};
#else
  const V split = C<V>(same<V, VF> ? 4097.0 : 134217729.0);
  V ta = a * split, tb = b * split;
  V ah = ta - (ta - a), bh = tb - (tb - b);
  V al = a - ah, bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
#endif
}
template <class V>
TT_INLINE Pair<V> pair_mul(Pair<V> a, Pair<V> b) {
  Pair<V> p = two_prod(a.hi, b.hi);
  return fast_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
// The quotient of two pairs, correct to about half a unit in the last place.
template <class V>
TT_INLINE Pair<V> pair_div(Pair<V> a, Pair<V> b) {
  V q = a.hi / b.hi;
  Pair<V> p = two_prod(q, b.hi);
  V r = ((a.hi - p.hi) - p.lo) + a.lo - q * b.lo;
  return {q, r / b.hi};
}

// 2^n for whole n within the exponents of normal numbers.
template <class V>
TT_INLINE V power_of_two(V n) {
  using F = Format<V>;
  return as<V>((as<Bits<V>>(n + C<V>(F::magic)) << F::mantissa) + as<Bits<V>>(C<V>(1)));
}

// p * 2^n for whole n, |n| up to twice the largest exponent; rounds once.
template <class V>
TT_INLINE V scale(V p, V n) {
#if defined(__AVX512F__)
  if constexpr (is_float<V>)
    return (VF)_mm512_scalef_ps(p, n);
  else
    return (VD)_mm512_scalef_pd(p, n);
#else
  const V magic = C<V>(Format<V>::magic);
  V half = (n * C<V>(0.5) + magic) - magic;
  return p * power_of_two(half) * power_of_two(n - half);
#endif
}

// To the nearest whole number, for |x| < 2^22 (float) or 2^51 (double).
template <class V>
TT_INLINE V round_small(V x) {
#if defined(__AVX2__)
  return v_round(x);
#else
  const V magic = C<V>(Format<V>::magic);
  return (x + magic) - magic;
#endif
}

// x with the lower half of its mantissa cleared, so that products of two such numbers are exact.
TT_INLINE VD upper_half(VD x) { return as<VD>(as<Bits<VD>>(x) & splat<Bits<VD>>(-(int64_t(1) << 32))); }

}  // namespace TT_NS
