// Softmax and log-softmax over one dim of a contiguous tensor, seen as [outer, dim, inner], and their gradients.
#include "softmax.h"

namespace TT_NS {
namespace {

constexpr int64_t SOFTMAX_GRAIN = 8192;
// Column vectors that are worked on together.
constexpr int COLUMNS = 4;

// `n` lanes of memory are in use where `part` is set, else all of them.
template <class V, bool part>
TT_INLINE V load_part(const Elem<V>* p, int64_t n) {
  if constexpr (part)
    return load_n<V>(p, n);
  else
    return load<V>(p);
}
template <class V, bool part>
TT_INLINE void store_part(Elem<V>* p, V v, int64_t n) {
  if constexpr (part)
    store_n(p, v, n);
  else
    store(p, v);
}

// Sums down columns: a few rows in the values' own type, then in double.
template <class V>
struct ColumnSum {
  V near{};
  VD low{}, high{};
  TT_INLINE void flush() {
    if constexpr (same<V, VF>) {
      low += widen_low(near);
      high += widen_high(near);
    } else {
      low += near;
    }
    near = V{};
  }
  TT_INLINE V total() const {
    if constexpr (same<V, VF>)
      return narrow(low, high);
    else
      return low;
  }
};

// K column vectors with rows `stride` apart. softmax: exp(x - max) / sum; log: x - max - log(sum).
template <bool log, class V, int K, bool part>
void forward_columns(const Elem<V>* in, Elem<V>* out, int64_t dim, int64_t stride, int64_t n) {
  constexpr int W = lanes<Elem<V>>;
  V top[K], scale[K];
  for (int k = 0; k < K; k++) top[k] = C<V>(-__builtin_inf());
  for (int64_t d = 0; d < dim; d++)
    for (int k = 0; k < K; k++) top[k] = v_max_fast(top[k], load_part<V, part>(in + d * stride + k * W, n));
  ColumnSum<V> sum[K];
  for (int64_t from = 0; from < dim; from += SUM_CHUNK) {
    for (int64_t d = from; d < min_of(dim, from + SUM_CHUNK); d++)
      for (int k = 0; k < K; k++) {
        V e = v_exp(load_part<V, part>(in + d * stride + k * W, n) - top[k]);
        sum[k].near += e;
        if constexpr (!log) store_part<V, part>(out + d * stride + k * W, e, n);
      }
    for (int k = 0; k < K; k++) sum[k].flush();
  }
  for (int k = 0; k < K; k++) scale[k] = log ? v_log(sum[k].total()) : C<V>(1) / sum[k].total();
  for (int64_t d = 0; d < dim; d++)
    for (int k = 0; k < K; k++) {
      Elem<V>* to = out + d * stride + k * W;
      V y;
      if constexpr (log)
        y = load_part<V, part>(in + d * stride + k * W, n) - top[k] - scale[k];
      else
        y = load_part<V, part>(to, n) * scale[k];
      store_part<V, part>(to, y, n);
    }
}

template <bool log, class V, int K, bool part>
void backward_columns(const Elem<V>* grad, const Elem<V>* y, Elem<V>* out, int64_t dim, int64_t stride, int64_t n) {
  constexpr int W = lanes<Elem<V>>;
  ColumnSum<V> sum[K];
  for (int64_t from = 0; from < dim; from += SUM_CHUNK) {
    for (int64_t d = from; d < min_of(dim, from + SUM_CHUNK); d++)
      for (int k = 0; k < K; k++) {
        V g = load_part<V, part>(grad + d * stride + k * W, n);
        if constexpr (!log) g *= load_part<V, part>(y + d * stride + k * W, n);
        sum[k].near += g;
      }
    for (int k = 0; k < K; k++) sum[k].flush();
  }
  V total[K];
  for (int k = 0; k < K; k++) total[k] = sum[k].total();
  for (int64_t d = 0; d < dim; d++)
    for (int k = 0; k < K; k++) {
      int64_t at = d * stride + k * W;
      V g = load_part<V, part>(grad + at, n), o = load_part<V, part>(y + at, n);
      store_part<V, part>(out + at, log ? v_mad(v_exp(o), -total[k], g) : o * (g - total[k]), n);
    }
}

template <bool log, class T>
void backward_row(const T* grad, const T* y, T* out, int64_t n) {
  using V = Vec<T>;
  constexpr int W = lanes<T>;
  double total = chunked_sum<V>(n, [&](int64_t i, int64_t m) {
    V g = load_up_to<V>(grad + i, m);
    return log ? g : g * load_up_to<V>(y + i, m);
  });
  V s = splat<V>(T(total));
  for (int64_t i = 0; i < n; i += W) {
    V g = load_up_to<V>(grad + i, n - i), o = load_up_to<V>(y + i, n - i);
    store_up_to(out + i, log ? v_mad(v_exp(o), -s, g) : o * (g - s), n - i);
  }
}

// Calls columns(k, offset of the first column, lanes in use): four full vectors, one, or a part of one.
template <class T, class F>
void over_columns(int64_t outer, int64_t dim, int64_t inner, F columns) {
  constexpr int W = lanes<T>;
  int64_t blocks = (inner + COLUMNS * W - 1) / (COLUMNS * W);
  int64_t work = dim * min_of<int64_t>(inner, COLUMNS * W);
  parallel_for(outer * blocks, max_of<int64_t>(1, SOFTMAX_GRAIN / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t base = i / blocks * dim * inner, c = i % blocks * COLUMNS * W;
      int64_t stop = min_of<int64_t>(inner, c + COLUMNS * W);
      if (stop - c == COLUMNS * W) {
        columns(COLUMNS, base + c, W);
        continue;
      }
      for (; c + W <= stop; c += W) columns(1, base + c, W);
      if (c < stop) columns(0, base + c, stop - c);
    }
  });
}

template <class T, class F>
void over_rows(int64_t outer, int64_t dim, F row) {
  parallel_for(outer, max_of<int64_t>(1, SOFTMAX_GRAIN / dim), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) row(i * dim);
  });
}

template <bool log, class T>
double forward(const double* f) {
  using V = Vec<T>;
  int64_t outer = integer(f[0]), dim = integer(f[1]), inner = integer(f[2]);
  auto in = pointer<const T>(f[3]);
  auto out = pointer<T>(f[4]);
  if (outer == 0 || dim == 0 || inner == 0) return 0;
  if (inner == 1) {
    over_rows<T>(outer, dim, [&](int64_t at) {
      if constexpr (log)
        log_softmax_row(in + at, out + at, dim);
      else
        softmax_row(in + at, out + at, dim);
    });
    return 0;
  }
  over_columns<T>(outer, dim, inner, [&](int k, int64_t at, int64_t n) {
    if (k == COLUMNS)
      forward_columns<log, V, COLUMNS, false>(in + at, out + at, dim, inner, n);
    else if (k == 1)
      forward_columns<log, V, 1, false>(in + at, out + at, dim, inner, n);
    else
      forward_columns<log, V, 1, true>(in + at, out + at, dim, inner, n);
  });
  return 0;
}

template <bool log, class T>
double backward(const double* f) {
  using V = Vec<T>;
  int64_t outer = integer(f[0]), dim = integer(f[1]), inner = integer(f[2]);
  auto grad = pointer<const T>(f[3]);
  auto y = pointer<const T>(f[4]);
  auto out = pointer<T>(f[5]);
  if (outer == 0 || dim == 0 || inner == 0) return 0;
  if (inner == 1) {
    over_rows<T>(outer, dim, [&](int64_t at) { backward_row<log>(grad + at, y + at, out + at, dim); });
    return 0;
  }
  over_columns<T>(outer, dim, inner, [&](int k, int64_t at, int64_t n) {
    if (k == COLUMNS)
      backward_columns<log, V, COLUMNS, false>(grad + at, y + at, out + at, dim, inner, n);
    else if (k == 1)
      backward_columns<log, V, 1, false>(grad + at, y + at, out + at, dim, inner, n);
    else
      backward_columns<log, V, 1, true>(grad + at, y + at, out + at, dim, inner, n);
  });
  return 0;
}

}  // namespace
}  // namespace TT_NS

// f[0]=outer f[1]=dim f[2]=inner f[3]=in f[4]=out, both contiguous; out may be in.
KERNEL(softmax_f32) { return forward<false, float>(f); }
KERNEL(softmax_f64) { return forward<false, double>(f); }
KERNEL(log_softmax_f32) { return forward<true, float>(f); }
KERNEL(log_softmax_f64) { return forward<true, double>(f); }

// f[0]=outer f[1]=dim f[2]=inner f[3]=gradient of the output f[4]=output f[5]=gradient of the input, contiguous.
KERNEL(softmax_backward_f32) { return backward<false, float>(f); }
KERNEL(softmax_backward_f64) { return backward<false, double>(f); }
KERNEL(log_softmax_backward_f32) { return backward<true, float>(f); }
KERNEL(log_softmax_backward_f64) { return backward<true, double>(f); }
