// Exponentials, logarithms and powers.
#pragma once

#include "math_core.h"

namespace TT_NS {

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
TT_INLINE VF exp_tail(VF r) {
  static constexpr float c[] = {0.49999994f, 0.166665167f, 0.0416681059f, 0.00836914033f, 0.00138367643f};
  return poly(r, c);
}
TT_INLINE VD exp_tail(VD r) {
  static constexpr double c[] = {0.5,
                                 0.16666666666666688,
                                 0.041666666666666824,
                                 0.0083333333333139477,
                                 0.0013888888888778609,
                                 0.00019841269902999475,
                                 2.4801587552906527e-05,
                                 2.7557229474841887e-06,
                                 2.7557084424523818e-07,
                                 2.5113406134150171e-08,
                                 2.0965155378438459e-09};
  return poly2(r, r * r, c);
}

// e^x = (hi + lo) 2^n; x is clamped to where the result over- or underflows anyway.
template <class V>
TT_INLINE Pair<V> exp_parts(V x, V& n) {
  using F = Format<V>;
  x = v_max_fast(C<V>(is_float<V> ? -105 : -747), x);
  x = v_min_fast(C<V>(is_float<V> ? 90 : 711), x);
  n = round_small(x * C<V>(1.4426950408889634));
  V a = v_mad(n, C<V>(-F::ln2_hi), x);
  Pair<V> r = fast_two_sum(a, n * C<V>(-F::ln2_lo));
  V p = v_mad(r.hi * r.hi, exp_tail(r.hi), r.lo) + r.hi;
  return fast_two_sum(C<V>(1), p);
}

// e^x * 2^shift, for a whole shift.
template <class V>
TT_INLINE V exp_shifted(V x, double shift) {
  V n;
  V p = exp_parts(x, n).hi;
  return scale(p, shift == 0 ? n : n + C<V>(shift));
}

template <class V>
TT_INLINE V v_exp(V x) {
  return exp_shifted(x, 0);
}

template <class V>
TT_INLINE V v_exp2(V x) {
  x = v_max_fast(C<V>(is_float<V> ? -152 : -1080), x);
  x = v_min_fast(C<V>(is_float<V> ? 130 : 1026), x);
  V n = round_small(x);
  V r = (x - n) * C<V>(0.69314718055994531);
  return scale(v_mad(r * r, exp_tail(r), r) + C<V>(1), n);
}

// e^(x.hi + x.lo) = (hi + lo) 2^n.
template <class V>
TT_INLINE Pair<V> exp_pair(Pair<V> x, V& n) {
  using F = Format<V>;
  const V limit = C<V>(is_float<V> ? 200 : 1400);
  V hi = v_min_fast(limit, v_max_fast(-limit, x.hi));
  n = round_small(hi * C<V>(1.4426950408889634));
  V a = v_mad(n, C<V>(-F::ln2_hi), hi);
  Pair<V> r = two_sum(a, n * C<V>(-F::ln2_lo));
  r = fast_two_sum(r.hi, r.lo + v_where(hi == x.hi, x.lo, V{}));
  V p = v_mad(r.hi * r.hi, exp_tail(r.hi), v_mad(r.lo, r.hi, r.lo)) + r.hi;
  return fast_two_sum(C<V>(1), p);
}

// e^x - 1 as a pair, for x that is not NaN and below the point of overflow.
template <class V>
TT_INLINE Pair<V> expm1_pair(V x, V& n) {
  using F = Format<V>;
  n = round_small(x * C<V>(1.4426950408889634));
  V a = v_mad(n, C<V>(-F::ln2_hi), x);
  V b = n * C<V>(-F::ln2_lo);
  Pair<V> r = fast_two_sum(a, b);
  // With r = x - n ln(2): 2^-n (e^x - 1) = (1 - 2^-n) + (e^r - 1); the first term is exact or does not matter.
  V one = C<V>(1) - power_of_two(-v_min_fast(n, C<V>(100)));
  Pair<V> s = two_sum(one, r.hi);
  V tail = v_mad(r.hi * r.hi, exp_tail(r.hi), r.lo);
  return {s.hi, s.lo + tail};
}

template <class V>
TT_INLINE V v_expm1(V x) {
  V c = v_max_fast(C<V>(is_float<V> ? -30 : -50), x);
  c = v_min_fast(C<V>(is_float<V> ? 90 : 711), c);
  V n;
  Pair<V> e = expm1_pair(c, n);
  return v_copysign(scale(e.hi + e.lo, n), x);
}

// 1 / (1 + z) or z / (1 + z) with z = e^-|x|, so that neither tail loses digits. The rounding errors of z and of
// 1 + z are known and corrected, with 1 / (1 + z) taken from the quotient itself.
template <class V>
TT_INLINE V v_sigmoid(V x) {
  V n;
  Pair<V> z = exp_parts(-v_abs(x), n);
  z = {scale(z.hi, n), scale(z.lo, n)};
  auto left = x < V{};
  Pair<V> d = fast_two_sum(C<V>(1), z.hi);
  V q = v_where(left, z.hi, C<V>(1)) / d.hi;
  V error = v_where(left, z.lo, V{}) - q * (d.lo + z.lo);
  return v_mad(error, v_where(left, C<V>(1) - q, q), q);
}

TT_INLINE VF v_tanh(VF x) {
  static constexpr float c[] = {-0.333332807f, 0.133314058f, -0.0537365153f, 0.020628171f, -0.00569230225f};
  VF a = v_abs(x), z = x * x;
  VF small = v_mad(z * poly(z, c), a, a);
  VF large = C<VF>(1) - C<VF>(2) / (v_exp(a + a) + C<VF>(1));
  return v_copysign(v_where(a < C<VF>(0.625), small, large), x);
}

// tanh |x| = -t / (2 + t) with t = e^(-2|x|) - 1, kept as a pair.
TT_INLINE VD v_tanh(VD x) {
  VD a = v_abs(x), n;
  VD c = v_min_fast(C<VD>(20), a);
  Pair<VD> e = expm1_pair(C<VD>(-2) * c, n);
  VD s = power_of_two(n);
  Pair<VD> t = fast_two_sum(e.hi, e.lo);
  t = {t.hi * s, t.lo * s};
  Pair<VD> d = fast_two_sum(C<VD>(2), t.hi);
  d.lo = d.lo + t.lo;
  Pair<VD> q = pair_div(t, d);
  VD r = v_where(a < C<VD>(20), v_abs(q.hi + q.lo), C<VD>(1));
  return v_copysign(v_where(x == x, r, x), x);
}

// x = m 2^k with m around 1: [2/3, 4/3) for float, [sqrt(1/2), sqrt(2)) for double. x > 0, normal.
template <class V>
TT_INLINE V split_power(V x, V& k) {
  using F = Format<V>;
  using B = Bits<V>;
  using T = Elem<B>;
  const B low = as<B>(C<V>(is_float<V> ? 0.66666669 : 0.70710678118654757));
  const B one = splat<B>(T(1) << F::mantissa);
  B up = as<B>(x) - low + one * T(F::bias);
  using U = Vec<decltype([] {
    if constexpr (is_float<V>)
      return uint32_t(0);
    else
      return uint64_t(0);
  }())>;
  B biased = (B)((U)up >> F::mantissa);
  const V base = C<V>(is_float<V> ? 8388608.0 : 4503599627370496.0);
  k = as<V>(biased + as<B>(base)) - (base + C<V>(F::bias));
  return as<V>(as<B>(x) - ((up & ~(one - T(1))) - one * T(F::bias)));
}

// log(1 + f) + k ln(2) + c, for 1 + f as split_power gives it.
TT_INLINE VF log_of(VF f, VF k, VF c) {
  static constexpr float p[] = {0.333333343f, -0.249998108f, 0.199997649f, -0.166800857f, 0.142989501f,
                                -0.121878333f, 0.108221367f, -0.128828362f, 0.117276981f};
  VF ff = f * f;
  VF y = v_mad(f * ff, poly2(f, ff, p), v_mad(k, C<VF>(Format<VF>::ln2_lo), c));
  y = v_mad(ff, C<VF>(-0.5), y);
  return v_mad(k, C<VF>(Format<VF>::ln2_hi), f + y);
}
// (2 atanh(s) - 2s) / s as a polynomial in z = s^2, |s| <= 3 - 2 sqrt(2).
TT_INLINE VD log_series(VD z) {
  static constexpr double p[] = {0.66666666666667351, 0.39999999999409336, 0.28571428743692467, 0.22222198428193438,
                                 0.18183572402306411, 0.1531383082993365,  0.14798272985342964};
  return z * poly2(z, z * z, p);
}
// The form of fdlibm's log: s = f / (2 + f), log(1 + f) = f - (f^2/2 - s (f^2/2 + R)).
TT_INLINE VD log_of(VD f, VD k, VD c) {
  VD h = C<VD>(0.5) * f * f;
  VD s = f / (C<VD>(2) + f);
  VD t = s * (h + log_series(s * s)) + (k * C<VD>(Format<VD>::ln2_lo) + c);
  return k * C<VD>(Format<VD>::ln2_hi) - ((h - t) - f);
}

// Puts the results of a logarithm right where its argument is not a positive finite number.
template <class V>
TT_INLINE V log_special(V x, V r) {
  r = v_where(x < C<V>(__builtin_inf()), r, x);
  return v_where(x > V{}, r, v_where(x == V{}, C<V>(-__builtin_inf()), x + C<V>(__builtin_nan(""))));
}
// split_power for any positive finite x: subnormal numbers are scaled up first.
template <class V>
TT_INLINE V split_any(V x, V& k) {
  auto tiny = x < C<V>(Format<V>::min_normal);
  constexpr int up = is_float<V> ? 24 : 54;
  V m = split_power(v_where(tiny, x * C<V>(double(int64_t(1) << up)), x), k);
  k = k - v_where(tiny, C<V>(up), V{});
  return m;
}

template <class V>
TT_INLINE V v_log(V x) {
  V k;
  V m = split_any(x, k);
  return log_special(x, log_of(m - C<V>(1), k, V{}));
}

// log(1 + x + low) for x > -1, low far smaller than 1 + x.
template <class V>
TT_INLINE V log1p_sum(V x, V low) {
  Pair<V> u = two_sum(C<V>(1), x);
  V k;
  V m = split_power(u.hi, k);
  auto plain = k == V{};
  V f = v_where(plain, x, m - C<V>(1));
  V c = v_where(plain, low, u.lo + low) / u.hi;
  return log_of(f, k, c);
}

template <class V>
TT_INLINE V v_log1p(V x) {
  V r = v_copysign(log1p_sum(x, V{}), x);
  V u = x + C<V>(1);
  r = v_where(u < C<V>(__builtin_inf()), r, x);
  return v_where(u > V{}, r, v_where(u == V{}, C<V>(-__builtin_inf()), x + C<V>(__builtin_nan(""))));
}

// log(x) * scale + k * step, with the logarithm of the mantissa in two parts (as in FreeBSD's e_log2.c).
TT_INLINE VD log_scaled(VD x, double scale_hi, double scale_lo, double step_hi, double step_lo) {
  VD k;
  VD f = split_any(x, k) - C<VD>(1);
  VD h = C<VD>(0.5) * f * f;
  VD s = f / (C<VD>(2) + f);
  VD hi = upper_half(f - h);
  VD lo = ((f - hi) - h) + s * (h + log_series(s * s));
  VD top = hi * C<VD>(scale_hi);
  VD low = k * C<VD>(step_lo) + ((lo + hi) * C<VD>(scale_lo) + lo * C<VD>(scale_hi));
  VD whole = k * C<VD>(step_hi);
  VD sum = whole + top;
  low = low + ((whole - sum) + top);
  return log_special(x, low + sum);
}
TT_HEAVY VD v_log2(VD x) { return log_scaled(x, 1.442695040255785, 6.3317841895660438e-10, 1, 0); }
TT_HEAVY VD v_log10(VD x) {
  return log_scaled(x, 0.43429448176175356, 1.414982685385801e-10, 0.30102999566224753, 1.7336659603752853e-12);
}
TT_INLINE VF v_log2(VF x) {
  return through_double(x, [](VD d) { return v_log2(d); });
}
TT_INLINE VF v_log10(VF x) {
  return through_double(x, [](VD d) { return v_log10(d); });
}

// The cases of C's pow that the exponential of y log|x| does not settle.
TT_INLINE VD pow_special(VD x, VD y, VD r) {
  const VD far = C<VD>(1.7976931348623157e308);
  if (!any(~((x > VD{}) & (x <= far) & (v_abs(y) <= far)))) return r;
  const VD one = C<VD>(1), inf = C<VD>(__builtin_inf()), nan = C<VD>(__builtin_nan(""));
  VD a = v_abs(x);
  VD half = y * C<VD>(0.5);
  auto whole = v_trunc(y) == y;
  auto odd = whole & (v_trunc(half) != half);
  auto down = (a < one) ^ (y < VD{});
  auto edge = (a == VD{}) | (a == inf);
  r = v_where(edge, v_where(down, VD{}, inf), r);
  r = v_where((x < VD{}) & ~whole & ~edge, nan, r);
  r = v_where(odd, v_mulsign(r, x), r);
  r = v_where((x == x) & (y == y), r, x + y);
  return v_where((y == VD{}) | (x == one), one, r);
}

// y log|x| needs a logarithm of about 65 bits: 2 atanh(s) with s = (m - 1) / (m + 1), all leading terms as pairs.
TT_HEAVY VD v_pow(VD x, VD y) {
  static constexpr double p[] = {0.3999999999999998,  0.28571428571443869, 0.22222222217778603, 0.18181818845735731,
                                 0.15384558290670669, 0.1333627036444901,  0.11675652599855021, 0.11982881752890677};
  VD k;
  VD m = split_any(v_abs(x), k);
  VD top = m - C<VD>(1);
  Pair<VD> s = pair_div(Pair<VD>{top, VD{}}, fast_two_sum(C<VD>(1), m));
  s = fast_two_sum(s.hi, s.lo);
  Pair<VD> z = pair_mul(s, s);
  Pair<VD> c = fast_two_sum(C<VD>(0.66666666666666663), z.hi * poly2(z.hi, z.hi * z.hi, p));
  c.lo = c.lo + C<VD>(3.7007434154171883e-17);
  Pair<VD> t = pair_mul(s, pair_mul(z, c));
  Pair<VD> l = two_sum(k * C<VD>(Format<VD>::ln2_hi), s.hi + s.hi);
  l.lo = l.lo + (k * C<VD>(Format<VD>::ln2_lo) + (s.lo + s.lo));
  Pair<VD> u = two_sum(l.hi, t.hi);
  u = fast_two_sum(u.hi, u.lo + (l.lo + t.lo));
  const VD limit = C<VD>(1.8446744073709552e19);
  VD yy = v_min_fast(limit, v_max_fast(-limit, y));
  Pair<VD> e = two_prod(u.hi, yy);
  e.lo = e.lo + u.lo * yy;
  VD n;
  VD r = exp_pair(e, n).hi;
  return pow_special(x, y, scale(r, n));
}

// For operands that came from float: plain double arithmetic is precise enough.
TT_HEAVY VD pow_for_float(VD x, VD y) {
  VD k;
  VD m = split_power(v_abs(x), k);
  const VD limit = C<VD>(1e39);
  VD e = log_of(m - C<VD>(1), k, VD{}) * v_min_fast(limit, v_max_fast(-limit, y));
  return pow_special(x, y, v_exp(e));
}
TT_INLINE VF v_pow(VF x, VF y) {
  return narrow(pow_for_float(widen_low(x), widen_low(y)), pow_for_float(widen_high(x), widen_high(y)));
}

}  // namespace TT_NS
