// Trigonometric functions and their inverses.
#pragma once

#include "math_core.h"

namespace TT_NS {

// The binary digits of 2/pi after the point, behind 64 zeros, for arguments too large for the quick reduction.
static constexpr uint32_t two_over_pi[] = {
    0,          0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
    0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
    0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b,
    0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
    0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab};

struct Reduced {
  double hi, lo;
  int quadrant;
};

// Payne and Hanek: x 2/pi modulo 4 from the digits that matter, for finite |x| >= 2^29.
[[maybe_unused]] static TT_NOINLINE Reduced reduce_large(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, 8);
  int exponent = int(bits >> 52 & 2047) - 1075;
  uint64_t m = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  // 192 digits, the first of which has weight 2 in the product with m * 2^exponent.
  int start = exponent - 2 + 64;
  uint32_t w[6], product[6] = {};
  for (int i = 0; i < 6; i++) {
    int at = start + 32 * (5 - i), word = at >> 5, shift = at & 31;
    w[i] = uint32_t(((uint64_t(two_over_pi[word]) << 32) | two_over_pi[word + 1]) >> (32 - shift));
  }
  uint32_t factor[2] = {uint32_t(m), uint32_t(m >> 32)};
  for (int j = 0; j < 2; j++) {
    uint64_t carry = 0;
    for (int i = 0; i + j < 6; i++) {
      carry += uint64_t(factor[j]) * w[i] + product[i + j];
      product[i + j] = uint32_t(carry);
      carry >>= 32;
    }
  }
  int quadrant = int(product[5] >> 30);
  for (int i = 5; i > 0; i--) product[i] = product[i] << 2 | product[i - 1] >> 30;
  product[0] <<= 2;
  bool negative = product[5] >> 31;
  if (negative) {
    quadrant++;
    uint64_t carry = 1;
    for (int i = 0; i < 6; i++) {
      carry += uint32_t(~product[i]);
      product[i] = uint32_t(carry);
      carry >>= 32;
    }
  }
  // The fraction as a pair; a leading run of zeros can be 60 digits long, so five words take part.
  double hi = 0, lo = 0, weight = 1;
  for (int i = 5; i > 0; i--) {
    weight *= 1.0 / 4294967296.0;
    double d = double(product[i]) * weight, s = hi + d;
    lo += d - (s - hi);
    hi = s;
  }
  if (negative != (x < 0)) hi = -hi, lo = -lo;
  // Times pi/2, with the leading product split in exact parts.
  uint64_t top_bits;
  __builtin_memcpy(&top_bits, &hi, 8);
  top_bits &= ~uint64_t(0x7ffffff);
  double top;
  __builtin_memcpy(&top, &top_bits, 8);
  double rest = (hi - top) + lo;
  double a = top * 1.5707963109016418;
  double b = top * 1.5893254773528196e-08 + rest * 1.5707963267948966;
  double sum = a + b;
  return {sum, b - (sum - a), x < 0 ? -quadrant : quadrant};
}

// x = n pi/2 + r. The quick way holds to 1e9, the lanes beyond it are done one by one.
struct Reduction {
  VD hi, lo, n;
};

template <bool precise>
TT_INLINE Reduction reduce_half_pi(VD x) {
  VD n = round_small(x * C<VD>(0.63661977236758138));
  VD hi, lo{};
#if TT_FUSED
  VD t = v_mad(n, C<VD>(-1.5707963267948966), x);
  if constexpr (precise) {
    Pair<VD> p = two_prod(n, C<VD>(-6.123233995736766e-17));
    Pair<VD> s = two_sum(t, p.hi);
    hi = s.hi;
    lo = v_mad(n, C<VD>(1.4973849048591698e-33), s.lo + p.lo);
  } else {
    hi = v_mad(n, C<VD>(-6.123233995736766e-17), t);
  }
#else
  // pi/2 in parts of 23 bits: their products with n < 2^30 are exact.
  VD t = (x - n * C<VD>(1.5707962512969971)) - n * C<VD>(7.5497894158615964e-08);
  if constexpr (precise) {
    Pair<VD> s = two_sum(t, n * C<VD>(-5.3903025299577648e-15));
    Pair<VD> u = two_sum(s.hi, n * C<VD>(-3.2820031633724233e-22));
    Pair<VD> v = fast_two_sum(u.hi, s.lo + (u.lo - n * C<VD>(3.7950107727212256e-29)));
    hi = v.hi;
    lo = v.lo;
  } else {
    hi = t - n * C<VD>(5.3903028581580811e-15);
  }
#endif
  auto far = v_abs(x) > C<VD>(1e9);
  if (__builtin_expect(any(far), 0)) {
    double xs[lanes<double>], his[lanes<double>], los[lanes<double>], ns[lanes<double>];
    store(xs, x);
    store(his, hi);
    store(los, lo);
    store(ns, n);
    for (int i = 0; i < lanes<double>; i++) {
      if (!(__builtin_fabs(xs[i]) > 1e9)) continue;
      if (__builtin_fabs(xs[i]) == __builtin_inf()) {
        his[i] = los[i] = __builtin_nan("");
        ns[i] = 0;
        continue;
      }
      Reduced r = reduce_large(xs[i]);
      his[i] = r.hi;
      los[i] = r.lo;
      ns[i] = r.quadrant;
    }
    hi = load<VD>(his);
    lo = load<VD>(los);
    n = load<VD>(ns);
  }
  return {hi, lo, n};
}

// sin and cos of hi + lo, |hi| <= pi/4, as pairs (the scheme of fdlibm's kernels).
TT_INLINE Pair<VD> sin_kernel(VD x, VD y) {
  static constexpr double c[] = {-0.1666666666666663,     0.0083333333333218407,   -0.00019841269829358531,
                                 2.7557313538514441e-06, -2.5050734388911173e-08, 1.5895433245451372e-10};
  VD z = x * x;
  VD v = z * x;
  VD r = poly2(z, z * z, c);
  return {x, v_mad(v, r, y - C<VD>(0.5) * z * y)};
}
TT_INLINE Pair<VD> cos_kernel(VD x, VD y) {
  static constexpr double c[] = {0.041666666666666595,    -0.001388888888887334,  2.4801587288999579e-05,
                                 -2.7557314216038276e-07, 2.087570522769298e-09, -1.1358739071050366e-11};
  VD z = x * x;
  VD h = C<VD>(0.5) * z;
  VD w = C<VD>(1) - h;
  VD r = z * z * poly2(z, z * z, c);
  return {w, ((C<VD>(1) - w) - h) + (r - x * y)};
}

TT_INLINE Mask<VD> is_odd(VD n) { return v_trunc(n * C<VD>(0.5)) * C<VD>(2) != n; }

// Bit `bit` of the whole number n as a lane's sign bit.
template <int bit>
TT_INLINE VD quadrant_sign(VD n) {
  return as<VD>(as<Bits<VD>>(n + C<VD>(Format<VD>::magic)) << (63 - bit));
}

TT_INLINE VD sin_shifted(VD x, double shift) {
  Reduction r = reduce_half_pi<true>(x);
  VD n = r.n + C<VD>(shift);
  Pair<VD> s = sin_kernel(r.hi, r.lo), c = cos_kernel(r.hi, r.lo);
  VD v = v_where(is_odd(n), c.hi + c.lo, s.hi + s.lo);
  return v_mulsign(v, quadrant_sign<1>(n));
}
TT_HEAVY VD v_sin(VD x) { return v_where(x == VD{}, x, sin_shifted(x, 0)); }
TT_HEAVY VD v_cos(VD x) { return sin_shifted(x, 1); }
TT_HEAVY VD v_tan(VD x) {
  Reduction r = reduce_half_pi<true>(x);
  Pair<VD> s = sin_kernel(r.hi, r.lo), c = cos_kernel(r.hi, r.lo);
  s = fast_two_sum(s.hi, s.lo);
  c = fast_two_sum(c.hi, c.lo);
  auto odd = is_odd(r.n);
  Pair<VD> q = pair_div(Pair<VD>{v_where(odd, -c.hi, s.hi), v_where(odd, -c.lo, s.lo)},
                        Pair<VD>{v_where(odd, s.hi, c.hi), v_where(odd, s.lo, c.lo)});
  return v_where(x == VD{}, x, q.hi + q.lo);
}

// Float sine and cosine: reduced and summed in double with short polynomials.
TT_INLINE VD sin_for_float(VD x, double shift) {
  static constexpr double sc[] = {-0.16666666640588937, 0.0083333292805938385, -0.00019839304433800681,
                                  2.7180466210600666e-06};
  static constexpr double cc[] = {-0.49999999999484146, 0.041666666552502993, -0.0013888880609253358,
                                  2.4798950100934683e-05, -2.7174019205752463e-07};
  Reduction r = reduce_half_pi<false>(x);
  VD n = r.n + C<VD>(shift);
  VD z = r.hi * r.hi;
  VD s = v_mad(z * r.hi, poly(z, sc), r.hi);
  VD c = v_mad(z, poly(z, cc), C<VD>(1));
  // The lane's sign bit, spread by comparison, picks the kernel.
  auto odd = as<Bits<VD>>(as<VD>((as<Bits<VD>>(n + C<VD>(Format<VD>::magic)) << 63) | as<Bits<VD>>(C<VD>(1)))) <
             Bits<VD>{};
  return v_mulsign(v_where(odd, c, s), quadrant_sign<1>(n));
}
TT_HEAVY VF v_sin(VF x) {
  VF r = through_double(x, [](VD d) { return sin_for_float(d, 0); });
  return v_where(x == VF{}, x, r);
}
TT_HEAVY VF v_cos(VF x) {
  return through_double(x, [](VD d) { return sin_for_float(d, 1); });
}

// (atan(x) - x) / x^3 in z = x^2 for |x| <= 7/16.
TT_INLINE VD atan_tail(VD z) {
  static constexpr double c[] = {
      -0.33333333333333315, 0.19999999999993209, -0.1428571428485344, 0.11111111056529666,
      -0.090909070625232222, 0.076922595982017755, -0.066659030482145457, 0.058740207239111962,
      -0.052001044282469606, 0.044330097612826636, -0.03191637026083214, 0.013692461295303389};
  return poly2(z, z * z, c);
}
// atan(num / den) for num, den >= 0, the five intervals of fdlibm's atan; each is atan(base) + atan(t).
TT_INLINE Pair<VD> atan_ratio(VD num, VD den) {
  VD q = num / den;
  auto i0 = q >= C<VD>(0.4375), i1 = q >= C<VD>(0.6875), i2 = q >= C<VD>(1.1875), i3 = q >= C<VD>(2.4375);
  const VD one = C<VD>(1);
  VD top = v_where(i3, -one, v_where(i2, q - C<VD>(1.5), v_where(i1, q - one, (q + q) - one)));
  VD bottom = v_where(i3, q, v_where(i2, one + C<VD>(1.5) * q, v_where(i1, q + one, q + C<VD>(2))));
  VD t = v_where(i0, top / bottom, q);
  VD hi = v_where(i3, C<VD>(1.5707963267948966),
                  v_where(i2, C<VD>(0.98279372324732905),
                          v_where(i1, C<VD>(0.78539816339744828), C<VD>(0.46364760900080609))));
  VD lo = v_where(i3, C<VD>(6.123233995736766e-17),
                  v_where(i2, C<VD>(1.3903311031230998e-17),
                          v_where(i1, C<VD>(3.061616997868383e-17), C<VD>(2.2698777452961687e-17))));
  VD tail = t * t * t * atan_tail(t * t) + v_where(i0, lo, VD{});
  Pair<VD> r = fast_two_sum(v_where(i0, hi, t), v_where(i0, t, VD{}));
  return {r.hi, r.lo + tail};
}
TT_HEAVY VD v_atan(VD x) {
  Pair<VD> r = atan_ratio(v_abs(x), C<VD>(1));
  return v_copysign(r.hi + r.lo, x);
}
TT_HEAVY VD v_atan2(VD y, VD x) {
  const VD inf = C<VD>(__builtin_inf());
  VD a = v_abs(y), b = v_abs(x);
  auto infinite = (a == inf) & (b == inf);
  auto none = a == VD{};
  VD num = v_where(infinite, C<VD>(1), a);
  VD den = v_where(infinite | (none & (b == VD{})), C<VD>(1), b);
  Pair<VD> r = atan_ratio(num, den);
  VD sum = r.hi + r.lo;
  Pair<VD> back = fast_two_sum(C<VD>(3.1415926535897931), -r.hi);
  VD other = back.hi + (back.lo + (C<VD>(1.2246467991473532e-16) - r.lo));
  auto left = as<Bits<VD>>(x) < Bits<VD>{};
  VD v = v_copysign(v_where(left, other, sum), y);
  return v_where((x == x) & (y == y), v, x + y);
}

// (asin(x) - x) / x^3 in z = x^2 for z <= 1/4.
TT_INLINE VD asin_tail(VD z) {
  static constexpr double c[] = {
      0.1666666666666676, 0.074999999999708647, 0.044642857174563476, 0.030381942709701414,
      0.022372214941365886, 0.017351612744368715, 0.013980812698782838, 0.01139897059906287,
      0.010779952036956328, 0.0037074625271584318, 0.021705050244938528, -0.020995870634561636,
      0.032626734653746124};
  return poly2(z, z * z, c);
}
// The scheme of fdlibm: above 1/2, asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)), the root as a pair.
TT_HEAVY VD v_asin(VD x) {
  VD a = v_abs(x);
  auto small = a < C<VD>(0.5);
  VD z = v_where(small, a * a, (C<VD>(1) - a) * C<VD>(0.5));
  VD s = v_sqrt(z);
  VD tail = z * asin_tail(z);
  VD f = upper_half(s);
  VD c = v_where(z > VD{}, (z - f * f) / (s + f), VD{});
  VD p = C<VD>(2) * s * tail - (C<VD>(6.123233995736766e-17) - C<VD>(2) * c);
  VD q = C<VD>(0.78539816339744828) - C<VD>(2) * f;
  VD large = C<VD>(0.78539816339744828) - (p - q);
  VD r = v_copysign(v_where(small, v_mad(a, tail, a), large), x);
  return v_where(a <= C<VD>(1), r, x + C<VD>(__builtin_nan("")));
}
TT_HEAVY VD v_acos(VD x) {
  VD a = v_abs(x);
  auto small = a < C<VD>(0.5);
  VD z = v_where(small, a * a, (C<VD>(1) - a) * C<VD>(0.5));
  VD s = v_sqrt(z);
  VD tail = z * asin_tail(z);
  VD middle = C<VD>(1.5707963267948966) - (x - (C<VD>(6.123233995736766e-17) - x * tail));
  VD low = C<VD>(2) * (C<VD>(1.5707963267948966) - (s + (tail * s - C<VD>(6.123233995736766e-17))));
  VD f = upper_half(s);
  VD c = v_where(z > VD{}, (z - f * f) / (s + f), VD{});
  VD high = C<VD>(2) * (f + (tail * s + c));
  VD r = v_where(small, middle, v_where(x < VD{}, low, high));
  return v_where(a <= C<VD>(1), r, x + C<VD>(__builtin_nan("")));
}

#define TT_VIA_DOUBLE(name)                                       \
  TT_INLINE VF name(VF x) {                                       \
    return through_double(x, [](VD d) { return name(d); });       \
  }
TT_VIA_DOUBLE(v_tan)
TT_VIA_DOUBLE(v_atan)
TT_VIA_DOUBLE(v_asin)
TT_VIA_DOUBLE(v_acos)
TT_INLINE VF v_atan2(VF y, VF x) {
  return narrow(v_atan2(widen_low(y), widen_low(x)), v_atan2(widen_high(y), widen_high(x)));
}

}  // namespace TT_NS
