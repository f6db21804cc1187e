// Softmax of one contiguous row, shared by the softmax and the cross-entropy kernels.
#pragma once

#include "math.h"
#include "parallel.h"

namespace TT_NS {
namespace {

// Values that are added in their own type before the sum goes to double.
constexpr int64_t SUM_CHUNK = 32;
// Rows up to this long are added in double throughout, so that the width of vectors cannot be seen in the result.
constexpr int64_t SHORT_ROW = 64;

TT_INLINE double add_lanes(VD v) {
  double t[lanes<double>];
  store(t, v);
  for (int w = lanes<double> / 2; w > 0; w /= 2)
    for (int k = 0; k < w; k++) t[k] += t[k + w];
  return t[0];
}
TT_INLINE double add_lanes(VF v) { return add_lanes(widen_low(v) + widen_high(v)); }

// The sum of value(i, lanes left) over a row in steps of a vector; lanes past the end must be 0.
template <class V, class F>
TT_INLINE double chunked_sum(int64_t n, F value) {
  constexpr int W = lanes<Elem<V>>;
  double total = 0;
  if (n <= SHORT_ROW) {
    for (int64_t i = 0; i < n; i += W) total += add_lanes(value(i, min_of<int64_t>(n - i, W)));
    return total;
  }
  for (int64_t from = 0; from < n; from += 2 * SUM_CHUNK * W) {
    int64_t stop = min_of(n, from + 2 * SUM_CHUNK * W), i = from;
    V a{}, b{};
    for (; i + 2 * W <= stop; i += 2 * W) {
      a += value(i, int64_t(W));
      b += value(i + W, int64_t(W));
    }
    for (; i < stop; i += W) a += value(i, n - i);
    total += add_lanes(a + b);
  }
  return total;
}

// The largest element. NaN may get lost: whoever subtracts the result finds it again.
template <class T>
TT_INLINE T row_max(const T* p, int64_t n) {
  using V = Vec<T>;
  constexpr int W = lanes<T>;
  V a = C<V>(-__builtin_inf()), b = a, c = a, d = a;
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    a = v_max_fast(a, load<V>(p + i));
    b = v_max_fast(b, load<V>(p + i + W));
    c = v_max_fast(c, load<V>(p + i + 2 * W));
    d = v_max_fast(d, load<V>(p + i + 3 * W));
  }
  for (; i + W <= n; i += W) a = v_max_fast(a, load<V>(p + i));
  if (i < n) b = v_max_fast(b, load_n<V>(p + i, n - i, C<V>(-__builtin_inf())));
  a = v_max_fast(v_max_fast(a, b), v_max_fast(c, d));
  T t[W];
  store(t, a);
  for (int w = W / 2; w > 0; w /= 2)
    for (int k = 0; k < w; k++) t[k] = t[k] > t[k + w] ? t[k] : t[k + w];
  return t[0];
}

template <class T>
TT_INLINE void softmax_row(const T* in, T* out, int64_t n) {
  using V = Vec<T>;
  constexpr int W = lanes<T>;
  V top = splat<V>(row_max(in, n));
  double total = chunked_sum<V>(n, [&](int64_t i, int64_t m) {
    if (m >= W) {
      V e = v_exp(load<V>(in + i) - top);
      store(out + i, e);
      return e;
    }
    V e = v_exp(load_n<V>(in + i, m, C<V>(-__builtin_inf())) - top);
    store_n(out + i, e, m);
    return e;
  });
  V scale = splat<V>(T(1.0 / total));
  for (int64_t i = 0; i < n; i += W) store_up_to(out + i, load_up_to<V>(out + i, n - i) * scale, n - i);
}

template <class T>
TT_INLINE void log_softmax_row(const T* in, T* out, int64_t n) {
  using V = Vec<T>;
  constexpr int W = lanes<T>;
  V top = splat<V>(row_max(in, n));
  double total = chunked_sum<V>(n, [&](int64_t i, int64_t m) {
    if (m >= W) return v_exp(load<V>(in + i) - top);
    return v_exp(load_n<V>(in + i, m, C<V>(-__builtin_inf())) - top);
  });
  V rest = splat<V>(T(v_log(splat<VD>(total))[0]));
  for (int64_t i = 0; i < n; i += W) store_up_to(out + i, load_up_to<V>(in + i, n - i) - top - rest, n - i);
}

}  // namespace
}  // namespace TT_NS
