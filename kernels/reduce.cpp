// Reductions: sums, products, extremes, their positions, any/all and variance. Frames: see reduce.h.
#include "reduce.h"

namespace TT_NS {
namespace {

// Several rows that the panels join in pairs, which is both faster and more accurate than one after another.
template <class Op, int R, class V>
TT_INLINE V join_rows(const Elem<V>* const* rows, int64_t c, int64_t n) {
  if constexpr (R == 1) {
    return n >= lanes<Elem<V>> ? load<V>(rows[0] + c) : load_n<V>(rows[0] + c, n);
  } else {
    return Op::apply(join_rows<Op, R / 2, V>(rows, c, n), join_rows<Op, R / 2, V>(rows + R / 2, c, n));
  }
}

// All lanes of a vector joined in registers, by halves.
template <class Op, class V>
TT_INLINE Elem<V> across(V v) {
  constexpr int n = sizeof(V) / sizeof(Elem<V>);
  if constexpr (n == 2) {
    return Op::apply(Elem<V>(v[0]), Elem<V>(v[1]));
  } else if constexpr (n == 4) {
    auto pair = Op::apply(v, __builtin_shufflevector(v, v, 2, 3, 2, 3));
    return Op::apply(Elem<V>(pair[0]), Elem<V>(pair[1]));
  } else if constexpr (n == 8) {
    return across<Op>(Op::apply(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 4, 5, 6, 7)));
  } else if constexpr (n == 16) {
    return across<Op>(Op::apply(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15)));
  } else {
    Elem<V> t[n];
    store(t, v);
    for (int w = n / 2; w > 0; w /= 2)
      for (int k = 0; k < w; k++) t[k] = Op::apply(t[k], t[k + w]);
    return t[0];
  }
}

// Vector accumulators of T values: of the same type, or of doubles for floats.
template <class Op, class T, class A>
struct Lanes {
  Vec<A> v;
  TT_INLINE void fill(A x) { v = splat<Vec<A>>(x); }
  TT_INLINE void fold(Vec<T> x) { v = Op::apply(v, x); }
  TT_INLINE void join(const Lanes& o) { v = Op::apply(v, o.v); }
  TT_INLINE void read(const A* p) { v = load<Vec<A>>(p); }
  TT_INLINE void write(A* p) const { store(p, v); }
  TT_INLINE A total() const { return across<Op>(v); }
};
template <class Op>
struct Lanes<Op, float, double> {
  VD low, high;
  TT_INLINE void fill(double x) { low = high = splat<VD>(x); }
  TT_INLINE void fold(VF x) {
    low = Op::apply(low, widen_low(x));
    high = Op::apply(high, widen_high(x));
  }
  TT_INLINE void join(const Lanes& o) {
    low = Op::apply(low, o.low);
    high = Op::apply(high, o.high);
  }
  TT_INLINE void read(const double* p) {
    low = load<VD>(p);
    high = load<VD>(p + lanes<double>);
  }
  TT_INLINE void write(double* p) const {
    store(p, low);
    store(p + lanes<double>, high);
  }
  TT_INLINE double total() const { return across<Op>(Op::apply(low, high)); }
};

// Reductions that fold values with one associative operation.
template <class Op, class T, class A, class O = T>
struct Fold {
  using In = T;
  using Acc = A;
  using V = Vec<T>;
  using L = Lanes<Op, T, A>;
  static constexpr bool ordered = false;
  static constexpr int W = lanes<T>;

  static TT_INLINE A init(int64_t) { return Op::template identity<A>(); }
  static TT_INLINE A merge(A a, A b) { return Op::apply(a, b); }
  static TT_INLINE void write(const double* f, int64_t i, A a) { pointer<O>(f[1])[i] = Op::template finish<O>(f, a); }

  static TT_NOINLINE A row(const T* p, int64_t n, int64_t stride, int64_t, A acc) {
    if constexpr (Op::halves && same<T, double>) {
      // Doubles have no wider accumulator, so long rows are summed by halves.
      if (n > (stride == 1 ? 4096 : 512)) {
        int64_t half = n / 2 / 256 * 256;
        return Op::apply(row(p, half, stride, 0, acc), row(p + half * stride, n - half, stride, 0, init(0)));
      }
    }
    if (stride != 1 || n < W) {
      A other = init(0);
      int64_t i = 0;
      for (; i + 2 <= n; i += 2) {
        acc = Op::apply(acc, A(p[i * stride]));
        other = Op::apply(other, A(p[(i + 1) * stride]));
      }
      if (i < n) acc = Op::apply(acc, A(p[i * stride]));
      return Op::apply(acc, other);
    }
    L a, b;
    a.fill(init(0));
    b.fill(init(0));
    int64_t i = 0;
    for (; i + 8 * W <= n; i += 8 * W) {
      if constexpr (Op::pairs) {
        V s = Op::apply(Op::apply(load<V>(p + i), load<V>(p + i + W)),
                        Op::apply(load<V>(p + i + 2 * W), load<V>(p + i + 3 * W)));
        V t = Op::apply(Op::apply(load<V>(p + i + 4 * W), load<V>(p + i + 5 * W)),
                        Op::apply(load<V>(p + i + 6 * W), load<V>(p + i + 7 * W)));
        a.fold(s);
        b.fold(t);
      } else {
        for (int k = 0; k < 8; k += 2) {
          a.fold(load<V>(p + i + k * W));
          b.fold(load<V>(p + i + (k + 1) * W));
        }
      }
    }
    for (; i + W <= n; i += W) a.fold(load<V>(p + i));
    for (; i < n; i++) acc = Op::apply(acc, A(p[i]));
    a.join(b);
    return Op::apply(acc, a.total());
  }

  struct Panel {
    A v[PANEL + W];
    void begin(int64_t, int64_t width) {
      for (int64_t c = 0; c < width; c++) v[c] = init(0);
    }
    template <int R>
    TT_INLINE void fold(const T* const* rows, int64_t width) {
      for (int64_t c = 0; c < width; c += W) {
        L a;
        a.read(v + c);
        a.fold(join_rows<Op, R, V>(rows, c, width - c));
        a.write(v + c);
      }
    }
    TT_NOINLINE void rows(const T* const* p, int n, int64_t, int64_t width) {
      int k = 0;
      if constexpr (Op::pairs) {
        if (n == 8) return fold<8>(p, width);
        if (n & 4) fold<4>(p, width), k = 4;
        if (n & 2) fold<2>(p + k, width), k += 2;
      }
      for (; k < n; k++) fold<1>(p + k, width);
    }
    void merge(const Panel& o, int64_t width) {
      for (int64_t c = 0; c < width; c++) v[c] = Op::apply(v[c], o.v[c]);
    }
    A get(int64_t c) const { return v[c]; }
  };
};

// `pairs`: whether values may be joined in their own type before they go to wider accumulators.
struct Add {
  static constexpr bool pairs = true, halves = true;
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return a + b;
  }
  template <class A>
  static TT_INLINE A identity() {
    return A(0);
  }
  template <class O, class A>
  static TT_INLINE O finish(const double* f, A a) {
    if constexpr (same<A, double>)
      return O(a / f[4]);
    else
      return O(a);
  }
};
struct Multiply {
  static constexpr bool pairs = false, halves = false;
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return a * b;
  }
  template <class A>
  static TT_INLINE A identity() {
    return A(1);
  }
  template <class O, class A>
  static TT_INLINE O finish(const double*, A a) {
    return O(a);
  }
};

template <class T>
constexpr T lowest() {
  if constexpr (same<T, float> || same<T, double>)
    return T(-__builtin_inf());
  else if constexpr (T(-1) < T(0))
    return T(uint64_t(1) << (8 * sizeof(T) - 1));
  else
    return T(0);
}
template <class T>
constexpr T highest() {
  if constexpr (same<T, float> || same<T, double>)
    return T(__builtin_inf());
  else
    return T(~lowest<T>());
}


// Extremes let NaN through: once it is the accumulator, no comparison replaces it.
template <bool max>
struct Extreme {
  static constexpr bool pairs = true, halves = false;
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    if constexpr (sizeof(V) <= sizeof(double))
      return (max ? a < b : b < a) || b != b ? b : a;
    else if constexpr (max)
      return v_max(a, b);
    else
      return v_min(a, b);
  }
  template <class A>
  static TT_INLINE A identity() {
    return max ? lowest<A>() : highest<A>();
  }
  template <class O, class A>
  static TT_INLINE O finish(const double*, A a) {
    return a;
  }
};

template <bool any>
struct Logic {
  static constexpr bool pairs = true, halves = false;
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    if constexpr (any)
      return V(a | b);
    else
      return V(a & b);
  }
  template <class A>
  static TT_INLINE A identity() {
    return A(any ? 0 : 1);
  }
  template <class O, class A>
  static TT_INLINE O finish(const double*, A a) {
    return a;
  }
};

// A value and the linear position of its first occurrence. NaN is better than everything.
template <class T>
struct Placed {
  T value;
  int64_t index;
};

template <class T, bool max>
TT_INLINE bool better(T x, T than) {
  return (max ? x > than : x < than) || (x != x && than == than);
}

// Positions within a panel lie in lanes as wide as the values, so that one mask selects both; bytes take int64.
template <class T>
struct PlaceOf {
  using type = int64_t;
};
template <>
struct PlaceOf<float> {
  using type = int32_t;
};
template <>
struct PlaceOf<int32_t> {
  using type = int32_t;
};

template <class T, bool max>
struct Arg {
  using In = T;
  using Acc = Placed<T>;
  using V = Vec<T>;
  static constexpr bool ordered = true;
  static constexpr int W = lanes<T>;
  static constexpr int64_t BLOCK = 8192 / sizeof(T);

  // Where all elements equal the identity, the first one is the right answer.
  static TT_INLINE Acc init(int64_t begin) { return {Extreme<max>::template identity<T>(), begin}; }
  static TT_INLINE Acc merge(Acc a, Acc b) { return better<T, max>(b.value, a.value) ? b : a; }
  static TT_INLINE void write(const double* f, int64_t i, Acc a) {
    if (f[1] != 0) pointer<T>(f[1])[i] = a.value;
    pointer<int64_t>(f[5])[i] = a.index;
  }

  // The first position of `x` (NaN for NaN) in a block that holds it.
  static TT_INLINE int64_t find(const T* p, int64_t n, T x) {
    V wanted = splat<V>(x);
    int64_t i = 0;
    if (x != x) {
      while (i + W <= n && !any(v_isnan(load<V>(p + i)))) i += W;
      while (p[i] == p[i]) i++;
    } else {
      while (i + W <= n && !any(load<V>(p + i) == wanted)) i += W;
      while (p[i] != x) i++;
    }
    return i;
  }

  static TT_NOINLINE Acc row(const T* p, int64_t n, int64_t stride, int64_t at, Acc acc) {
    if (stride != 1 || n < 2 * W) {
      for (int64_t i = 0; i < n; i++)
        if (better<T, max>(p[i * stride], acc.value)) acc = {p[i * stride], at + i};
      return acc;
    }
    for (int64_t from = 0; from < n; from += BLOCK) {
      int64_t m = min_of(BLOCK, n - from);
      T best = Fold<Extreme<max>, T, T>::row(p + from, m, 1, 0, Extreme<max>::template identity<T>());
      if (better<T, max>(best, acc.value)) acc = {best, at + from + find(p + from, m, best)};
    }
    return acc;
  }

  struct Panel {
    using I = typename PlaceOf<T>::type;
    T v[PANEL + W];
    I place[PANEL + W];
    int64_t first;
    void begin(int64_t at, int64_t width) {
      first = at;
      for (int64_t c = 0; c < width; c++) {
        v[c] = Extreme<max>::template identity<T>();
        place[c] = 0;
      }
    }
    TT_NOINLINE void rows(const T* const* p, int n, int64_t at, int64_t width) {
      for (int k = 0; k < n; k++) {
        const T* x = p[k];
        if constexpr (sizeof(T) >= 4) {
          for (int64_t c = 0; c < width; c += W) {
            V value = width - c >= W ? load<V>(x + c) : load_n<V>(x + c, width - c);
            V old = load<V>(v + c);
            auto m = (max ? value > old : value < old) | ((value != value) & (old == old));
            store(v + c, v_where(m, value, old));
            store(place + c, v_where(m, splat<Vec<I>>(I(at + k)), load<Vec<I>>(place + c)));
          }
        } else {
          for (int64_t c = 0; c < width; c++)
            if (better<T, max>(x[c], v[c])) {
              v[c] = x[c];
              place[c] = at + k;
            }
        }
      }
    }
    void merge(const Panel& o, int64_t width) {
      for (int64_t c = 0; c < width; c++)
        if (better<T, max>(o.v[c], v[c])) {
          v[c] = o.v[c];
          place[c] = o.place[c] + (o.first - first);
        }
    }
    Acc get(int64_t c) const { return {v[c], first + place[c]}; }
  };
};

// argmax and argmin: the positions alone, which the frame wants at f[1].
inline double positions(const double* f, double (*run)(const double*)) {
  double g[16 + 4 * REDUCE_DIMS];
  memcpy(g, f, sizeof(double) * size_t(16 + 2 * integer(f[0] + f[3])));
  g[5] = f[1];
  g[1] = 0;
  return run(g);
}

// Count, mean and sum of squared deviations.
struct Moments {
  int64_t n;
  double mean, square;
};

// Variance in double: two passes over each block, blocks joined by Chan's formula.
template <class T>
struct Var {
  using In = T;
  using Acc = Moments;
  using V = Vec<T>;
  using Sum = Fold<Add, T, double>;
  static constexpr bool ordered = false;
  static constexpr int W = lanes<T>;
  static constexpr int64_t BLOCK = 2048;

  static TT_INLINE Acc init(int64_t) { return {0, 0, 0}; }
  static TT_INLINE Acc merge(Acc a, Acc b) {
    if (a.n == 0) return b;
    if (b.n == 0) return a;
    double n = double(a.n + b.n), delta = b.mean - a.mean;
    return {a.n + b.n, a.mean + delta * (double(b.n) / n),
            a.square + b.square + delta * delta * (double(a.n) * double(b.n) / n)};
  }
  static TT_INLINE void write(const double* f, int64_t i, Acc a) {
    double divisor = double(a.n) - f[4];
    pointer<T>(f[1])[i] = T((a.n == 0 ? __builtin_nan("") : a.square) / (divisor > 0 ? divisor : 0));
  }

  static TT_INLINE VD squares(VD x, VD mean, VD acc) {
    VD d = x - mean;
    return v_mad(d, d, acc);
  }
  static TT_INLINE void deviate(VD x, VD mean, VD& first, VD& second) {
    VD d = x - mean;
    first += d;
    second = v_mad(d, d, second);
  }
  static TT_NOINLINE Acc row(const T* p, int64_t n, int64_t stride, int64_t, Acc acc) {
    for (int64_t from = 0; from < n; from += BLOCK) {
      int64_t m = min_of(BLOCK, n - from), i = 0;
      const T* x = p + from * stride;
      // The sum of deviations corrects a mean that was rounded.
      double mean = Sum::row(x, m, stride, 0, 0) / double(m), rest = 0, square = 0;
      if (stride == 1 && m >= W) {
        VD center = splat<VD>(mean), a{}, b{}, c{}, d{};
        for (; i + W <= m; i += W) {
          if constexpr (same<T, float>) {
            VF t = load<VF>(x + i);
            deviate(widen_low(t), center, a, c);
            deviate(widen_high(t), center, b, d);
          } else {
            deviate(load<VD>(x + i), center, a, c);
          }
        }
        a += b;
        c += d;
        for (int k = 0; k < lanes<double>; k++) {
          rest += a[k];
          square += c[k];
        }
      }
      for (; i < m; i++) {
        double d = double(x[i * stride]) - mean;
        rest += d;
        square += d * d;
      }
      rest /= double(m);
      mean += rest;
      square -= rest * rest * double(m);
      if (square < 0) square = 0;
      acc = merge(acc, {m, mean, square});
    }
    return acc;
  }

  struct Panel {
    double mean[PANEL + W], square[PANEL + W];
    int64_t n;
    void begin(int64_t, int64_t width) {
      n = 0;
      for (int64_t c = 0; c < width; c++) mean[c] = square[c] = 0;
    }
    static TT_INLINE VD part(V x, int half) {
      if constexpr (same<T, float>)
        return half ? widen_high(x) : widen_low(x);
      else
        return x;
    }
    template <int R>
    TT_INLINE void join(const T* const* p, int64_t width) {
      VD each = splat<VD>(1.0 / R), grow = splat<VD>(double(R) / double(n + R));
      VD weight = splat<VD>(double(n) * double(R) / double(n + R));
      for (int64_t c = 0; c < width; c += W) {
        V x[R];
        for (int k = 0; k < R; k++) x[k] = width - c >= W ? load<V>(p[k] + c) : load_n<V>(p[k] + c, width - c);
        for (int h = 0; h < int(sizeof(double) / sizeof(T)); h++) {
          VD sum = part(x[0], h), m2{};
          for (int k = 1; k < R; k++) sum += part(x[k], h);
          VD center = sum * each;
          for (int k = 0; k < R; k++) m2 = squares(part(x[k], h), center, m2);
          double *mp = mean + c + h * lanes<double>, *sp = square + c + h * lanes<double>;
          VD old = load<VD>(mp), delta = center - old;
          store(mp, v_mad(delta, grow, old));
          store(sp, load<VD>(sp) + m2 + delta * delta * weight);
        }
      }
      n += R;
    }
    TT_NOINLINE void rows(const T* const* p, int count, int64_t, int64_t width) {
      if (count == ROW_GROUP) return join<ROW_GROUP>(p, width);
      for (int k = 0; k < count; k++) join<1>(p + k, width);
    }
    void merge(const Panel& o, int64_t width) {
      for (int64_t c = 0; c < width; c++) {
        Acc a = Var::merge(get(c), o.get(c));
        mean[c] = a.mean;
        square[c] = a.square;
      }
      n += o.n;
    }
    Acc get(int64_t c) const { return {n, mean[c], square[c]}; }
  };
};

}  // namespace
}  // namespace TT_NS

#define REDUCE(name, ...) \
  KERNEL(name) { return reduce(f, OpsOf<__VA_ARGS__>::ops); }

// Sum over the reduced dims, divided by f[4] (1 for a plain sum, the count for a mean). Integers ignore f[4].
REDUCE(sum_f32, Fold<Add, float, double>)
REDUCE(sum_f64, Fold<Add, double, double>)
REDUCE(sum_i64, Fold<Add, uint64_t, uint64_t>)

// Product over the reduced dims.
REDUCE(prod_f32, Fold<Multiply, float, double>)
REDUCE(prod_f64, Fold<Multiply, double, double>)
REDUCE(prod_i64, Fold<Multiply, uint64_t, uint64_t>)

// amax, amin: the extreme value, NaN where there is one. argmax, argmin: f[1] = int64 position of its first
// occurrence in the reduced dims. maxdim, mindim: values to f[1], positions to f[5].
#define EXTREMES(suffix, T)                                \
  REDUCE(amax_##suffix, Fold<Extreme<true>, T, T>)         \
  REDUCE(amin_##suffix, Fold<Extreme<false>, T, T>)        \
  REDUCE(maxdim_##suffix, Arg<T, true>)                    \
  REDUCE(mindim_##suffix, Arg<T, false>)                   \
  KERNEL(argmax_##suffix) { return positions(f, maxdim_##suffix); } \
  KERNEL(argmin_##suffix) { return positions(f, mindim_##suffix); }

EXTREMES(f32, float)
EXTREMES(f64, double)
EXTREMES(i64, int64_t)
EXTREMES(i32, int32_t)
EXTREMES(u8, uint8_t)

// Whether any, or every, byte (0 or 1) is set.
REDUCE(any_bool, Fold<Logic<true>, uint8_t, uint8_t>)
REDUCE(all_bool, Fold<Logic<false>, uint8_t, uint8_t>)

// Variance with the correction f[4]: the sum of squared deviations over max(0, n - f[4]).
REDUCE(var_f32, Var<float>)
REDUCE(var_f64, Var<double>)
