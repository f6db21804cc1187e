// Hyperbolic functions and their inverses, and the error function.
#pragma once

#include "math_exp.h"
#include "math_trig.h"

namespace TT_NS {

TT_HEAVY VD v_sinh(VD x) {
  static constexpr double c[] = {0.16666666666666669,    0.0083333333333329117,  0.00019841269841593411,
                                 2.7557319106757079e-06, 2.5052130998612282e-08, 1.6056659182457163e-10,
                                 7.7765994288078232e-13};
  VD a = v_abs(x), z = x * x;
  VD small = v_mad(z * a, poly2(z, z * z, c), a);
  VD e = exp_shifted(a, -1);
  return v_copysign(v_where(a < C<VD>(1), small, e - C<VD>(0.25) / e), x);
}
TT_HEAVY VD v_cosh(VD x) {
  VD e = exp_shifted(v_abs(x), -1);
  return e + C<VD>(0.25) / e;
}

// log(2a) for large a, where a^2 could overflow.
TT_INLINE VD log_twice(VD a) { return v_log(a) + C<VD>(0.69314718055994531); }

TT_HEAVY VD v_asinh(VD x) {
  VD a = v_abs(x);
  VD b = v_min_fast(a, C<VD>(1e9));
  Pair<VD> s = two_sum(b, b * b / (C<VD>(1) + v_sqrt(v_mad(b, b, C<VD>(1)))));
  VD r = v_where(a > C<VD>(1e9), log_twice(a), log1p_sum(s.hi, s.lo));
  return v_copysign(v_where(x == x, r, x), x);
}
TT_HEAVY VD v_acosh(VD x) {
  VD t = x - C<VD>(1);
  VD b = v_min_fast(t, C<VD>(1e9));
  Pair<VD> s = two_sum(b, v_sqrt(v_mad(b, b, b + b)));
  VD r = v_where(x > C<VD>(1e9), log_twice(x), log1p_sum(s.hi, s.lo));
  return v_where(x >= C<VD>(1), r, x + C<VD>(__builtin_nan("")));
}
TT_HEAVY VD v_atanh(VD x) {
  VD a = v_abs(x);
  VD d = C<VD>(2) * a / (C<VD>(1) - a);
  Pair<VD> near = fast_two_sum(C<VD>(2) * a, d * a);
  auto far = a >= C<VD>(0.5);
  VD r = C<VD>(0.5) * log1p_sum(v_where(far, d, near.hi), v_where(far, VD{}, near.lo));
  r = v_where(a < C<VD>(1), r, v_where(a == C<VD>(1), C<VD>(__builtin_inf()), x + C<VD>(__builtin_nan(""))));
  return v_copysign(r, x);
}

// erf(x) / x - 1 in z = x^2 for |x| <= 1.
TT_INLINE VD erf_small(VD z) {
  static constexpr double c[] = {0.12837916709551259,    -0.37612638903184098,    0.11283791670971101,
                                 -0.026866170648032341,  0.0052239776527113289,   -0.00085483285372876285,
                                 0.00012055386262284422, -1.4926883458148498e-05, 1.6481096064495111e-06,
                                 -1.6557576768133398e-07, 1.601657689083333e-08,  -1.6478945205891063e-09,
                                 1.4369619457658782e-10};
  return poly2(z, z * z, c);
}
// erfc(x) = e^(-x^2) p(q) / (1 + 2x) with q = (x - 4) / (x + 4): Shepherd and Laframboise, for 0.6 <= x <= 28.
TT_INLINE VD erfc_large(VD x) {
  static constexpr double c[] = {
      -0.13962111684056247, 0.015379652102619466, 0.068097054254685596, -0.10103906603627526,
      0.093732834998664138, -0.066330365813149952, 0.037167515531235373, -0.016197734043433647,
      0.0050319700456209985, -0.00075777341433546708, -0.00019925713515795332, 0.00015062235432663029,
      -2.4397396521610614e-05, -1.1224371973078576e-05, 5.7048787192426984e-06, 2.9899770558305418e-07,
      -8.1709616091583587e-07, 6.7508646754765197e-08, 1.0124808575843008e-07, -1.2402345373647348e-08,
      -8.9374464703551382e-09};
  VD q = (x - C<VD>(4)) / (x + C<VD>(4));
  Pair<VD> p = fast_two_sum(C<VD>(1.2329951186255526), q * poly2(q, q * q, c));
  p.lo = p.lo + C<VD>(-4.6253189210087172e-17);
  Pair<VD> f = pair_div(p, fast_two_sum(x + x, C<VD>(1)));
  Pair<VD> s = two_prod(x, x);
  VD n;
  Pair<VD> e = exp_pair(Pair<VD>{-s.hi, -s.lo}, n);
  return scale(v_mad(e.hi, f.hi, e.hi * f.lo + e.lo * f.hi), n);
}
TT_HEAVY VD v_erf(VD x) {
  VD a = v_abs(x);
  VD b = v_min_fast(a, C<VD>(6));
  VD l = erfc_large(v_max_fast(b, C<VD>(0.65)));
  VD z = x * x;
  VD r = v_where(a < C<VD>(0.9), v_mad(a, erf_small(z), a), C<VD>(1) - l);
  return v_where(x == x, v_copysign(r, x), x);
}
TT_HEAVY VD v_erfc(VD x) {
  VD a = v_abs(x);
  VD z = x * x;
  VD tail = x * erf_small(z);
  auto low = x < C<VD>(0.25);
  Pair<VD> m = fast_two_sum(v_where(low, x, x - C<VD>(0.5)), tail);
  VD middle = (v_where(low, C<VD>(1), C<VD>(0.5)) - m.hi) - m.lo;
  VD large = erfc_large(v_min_fast(v_max_fast(a, C<VD>(0.65)), C<VD>(28)));
  VD r = v_where(x < VD{}, C<VD>(2) - large, large);
  r = v_where(a < C<VD>(0.65), middle, r);
  return v_where(x == x, r, x);
}

// Two fits: erf(x) / x - 1 in x^2, and log(erfc(x)) / x + 1 in x.
TT_INLINE VF v_erf(VF x) {
  static constexpr float s[] = {0.128379166f,   -0.376126289f,    0.112836257f,   -0.0268557314f,
                                0.0051924088f, -0.000804982672f, 7.99692498e-05f};
  static constexpr float l[] = {-0.128648505f,   -0.635151267f,   -0.10623695f,    0.0237621199f,
                                -0.00364248641f, 0.000322811102f, -1.12321277e-05f};
  VF a = v_abs(x), z = x * x;
  VF small = v_mad(a, poly(z, s), a);
  VF b = v_min_fast(a, C<VF>(4));
  VF t = v_mad(b, poly2(b, v_min_fast(z, C<VF>(16)), l), -b);
  VF large = C<VF>(1) - v_exp(t);
  VF r = v_where(a < C<VF>(0.92), small, large);
  return v_where(x == x, v_copysign(r, x), x);
}

TT_VIA_DOUBLE(v_sinh)
TT_VIA_DOUBLE(v_cosh)
TT_VIA_DOUBLE(v_asinh)
TT_VIA_DOUBLE(v_acosh)
TT_VIA_DOUBLE(v_atanh)
TT_VIA_DOUBLE(v_erfc)

}  // namespace TT_NS
