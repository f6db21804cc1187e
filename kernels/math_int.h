// Remainders, quotients rounded down, signs, and the integer operations.
#pragma once

#include "math_core.h"

namespace TT_NS {

template <class V>
constexpr bool is_real = same<Elem<V>, float> || same<Elem<V>, double>;

// Set when an integer division by zero was asked for; the driver reads and clears it.
extern int32_t divided_by_zero;

// x mod y for finite x >= 0 and y > 0 by long division on the mantissas: exact for any ratio.
[[maybe_unused]] static TT_NOINLINE double fmod_scalar(double x, double y) {
  if (x != x || y != y || x == __builtin_inf() || y == 0) return __builtin_nan("");
  if (x < y) return x;
  uint64_t ux, uy;
  __builtin_memcpy(&ux, &x, 8);
  __builtin_memcpy(&uy, &y, 8);
  const uint64_t one = uint64_t(1) << 52;
  int ex = int(ux >> 52), ey = int(uy >> 52);
  uint64_t mx = ux & (one - 1), my = uy & (one - 1);
  if (ex) mx |= one;
  else ex = 1;
  if (ey) my |= one;
  else ey = 1;
  while (my < one) my <<= 1, ey--;
  while (mx < one) mx <<= 1, ex--;
  for (; ex > ey; ex--) {
    if (mx >= my) mx -= my;
    mx <<= 1;
  }
  if (mx >= my) mx -= my;
  if (mx == 0) return 0;
  while (mx < one) mx <<= 1, ex--;
  if (ex > 0)
    mx = (mx - one) | uint64_t(ex) << 52;
  else
    mx >>= 1 - ex;
  double r;
  __builtin_memcpy(&r, &mx, 8);
  return r;
}

// |x| mod |y|. For doubles the product q y is exact as a pair, for floats in double arithmetic it is exact as it is.
template <bool from_float>
TT_INLINE VD fmod_positive(VD x, VD y) {
  VD q = v_trunc(x / y);
  auto ok = (q < C<VD>(from_float ? 536870912.0 : 4503599627370496.0)) & (y < C<VD>(__builtin_inf()));
  VD r;
  if constexpr (from_float) {
    r = x - q * y;
  } else {
    ok = ok & (x < C<VD>(1e290)) & (y < C<VD>(1e290)) & (y > C<VD>(1e-270));
    Pair<VD> p = two_prod(q, y);
    r = (x - p.hi) - p.lo;
  }
  r = v_where(r < VD{}, r + y, r);
  if (__builtin_expect(any(~ok), 0)) r = v_where(ok, r, by_lane(x, y, fmod_scalar));
  return r;
}
TT_HEAVY VD fmod_of_double(VD x, VD y) { return fmod_positive<false>(x, y); }
TT_HEAVY VD fmod_of_float(VD x, VD y) { return fmod_positive<true>(x, y); }

TT_INLINE VD v_fmod(VD x, VD y) { return v_copysign(fmod_of_double(v_abs(x), v_abs(y)), x); }
TT_INLINE VF v_fmod(VF x, VF y) {
  VF a = v_abs(x), b = v_abs(y);
  VF r = narrow(fmod_of_float(widen_low(a), widen_low(b)), fmod_of_float(widen_high(a), widen_high(b)));
  return v_copysign(r, x);
}

enum class Division { truncate, floor, fmod, remainder };

// One integer division as C or Python has it. Dividing the least number by -1 would trap on x86.
template <Division kind, class T>
TT_INLINE T divide_integer(T a, T b) {
  constexpr bool is_signed = T(-1) < T(0);
  constexpr bool quotient = kind == Division::truncate || kind == Division::floor;
  if (b == T(0)) return T(0);
  if (is_signed && b == T(-1)) return quotient ? T(uint64_t(0) - uint64_t(a)) : T(0);
  T q = T(a / b);
  T r = T(a - T(q * b));
  bool below = r != T(0) && (r < T(0)) != (b < T(0));
  if constexpr (kind == Division::truncate) return q;
  if constexpr (kind == Division::floor) return below ? T(q - 1) : q;
  if constexpr (kind == Division::fmod) return r;
  return below ? T(r + b) : r;
}

template <Division kind, class V>
TT_INLINE V divide_lanes(V x, V y) {
  using T = Elem<V>;
  if (__builtin_expect(any(y == V{}), 0)) __atomic_store_n(&divided_by_zero, 1, __ATOMIC_RELAXED);
  return by_lane(x, y, [](T a, T b) { return divide_integer<kind, T>(a, b); });
}

template <class V>
TT_INLINE V v_truncdiv(V x, V y) {
  if constexpr (is_real<V>)
    return v_trunc(x / y);
  else
    return divide_lanes<Division::truncate>(x, y);
}
template <class V>
TT_INLINE V v_fmod(V x, V y) {
  return divide_lanes<Division::fmod>(x, y);
}

// Python's %: the sign of the divisor.
template <class V>
TT_INLINE V v_remainder(V x, V y) {
  if constexpr (is_real<V>) {
    V m = v_fmod(x, y);
    return v_where((m != V{}) & ((m < V{}) ^ (y < V{})), m + y, m);
  } else {
    return divide_lanes<Division::remainder>(x, y);
  }
}

// The quotient rounded down, from the exact remainder (as Python's // for floats).
template <class V>
TT_INLINE V v_floordiv(V x, V y) {
  if constexpr (is_real<V>) {
    V m = v_fmod(x, y);
    V d = (x - m) / y;
    d = v_where((m != V{}) & ((m < V{}) ^ (y < V{})), d - C<V>(1), d);
    V f = v_floor(d);
    f = v_where(d - f > C<V>(0.5), f + C<V>(1), f);
    f = v_where(d == V{}, v_copysign(V{}, x / y), f);
    return v_where(y == V{}, x / y, f);
  } else {
    return divide_lanes<Division::floor>(x, y);
  }
}

// Integer powers wrap around; to a negative exponent they are 0, but for the bases 1 and -1.
template <class T>
TT_INLINE T power_of_integer(T x, T y) {
  if (y < T(0)) return x == T(1) ? T(1) : x == T(-1) ? ((y & 1) ? T(-1) : T(1)) : T(0);
  uint64_t r = 1, b = uint64_t(x);
  for (uint64_t n = uint64_t(y); n != 0; n >>= 1, b *= b)
    if (n & 1) r *= b;
  return T(r);
}
template <class V>
TT_INLINE V v_pow(V x, V y) {
  return by_lane(x, y, power_of_integer<Elem<V>>);
}

// -1, 0 or 1; 0 for NaN.
template <class V>
TT_INLINE V v_sign(V x) {
  if constexpr (is_real<V>)
    return v_where(x > V{}, C<V>(1), v_where(x < V{}, C<V>(-1), V{}));
  else
    return (V)((x < V{}) - (x > V{}));
}

template <class V>
TT_INLINE V v_and(V x, V y) {
  return x & y;
}
template <class V>
TT_INLINE V v_or(V x, V y) {
  return x | y;
}
template <class V>
TT_INLINE V v_xor(V x, V y) {
  return x ^ y;
}
template <class V>
TT_INLINE V v_not(V x) {
  return ~x;
}

// Shifts by a negative count or by the width and more give 0, or the sign for a signed shift right, as in PyTorch.
template <class V>
TT_INLINE V v_shl(V x, V n) {
  constexpr int bits = int(sizeof(Elem<V>)) * 8;
  auto bad = (n < V{}) | (n >= C<V>(bits));
  return v_where(bad, V{}, x << v_where(bad, V{}, n));
}
template <class V>
TT_INLINE V v_shr(V x, V n) {
  constexpr int bits = int(sizeof(Elem<V>)) * 8;
  constexpr bool is_signed = Elem<V>(-1) < Elem<V>(0);
  auto bad = (n < V{}) | (n >= C<V>(bits));
  V r = x >> v_where(bad, C<V>(bits - 1), n);
  return is_signed ? r : v_where(bad, V{}, r);
}

}  // namespace TT_NS
