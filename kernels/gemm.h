// The pieces of the matrix product: packing and the register-tile kernels. gemm.cpp puts them together.
#pragma once

#include "parallel.h"

namespace TT_NS {

template <class T>
struct Tile;

// The register tile: rows by vectors of the packed kernel, rows by columns of the dot-product kernel.
#if defined(__AVX512F__)
#define TT_GEMM_ROWS 14
#define TT_GEMM_VECTORS 2
#define TT_DOT_ROWS 4
#elif defined(__AVX2__)
#define TT_GEMM_ROWS 6
#define TT_GEMM_VECTORS 2
#define TT_DOT_ROWS 3
#elif defined(__aarch64__)
#define TT_GEMM_ROWS 8
#define TT_GEMM_VECTORS 3
#define TT_DOT_ROWS 4
#else
#define TT_GEMM_ROWS 4
#define TT_GEMM_VECTORS 2
#define TT_DOT_ROWS 2
#endif

// Blocks of K (the same in every build), of rows (packed A stays in the second-level cache), of columns (packed B).
#define TT_GEMM_TILE(T, KC, MC, NC)                                                        \
  template <>                                                                              \
  struct Tile<T> {                                                                         \
    static constexpr int lanes = TT_VEC_BYTES / int(sizeof(T));                            \
    static constexpr int rows = TT_GEMM_ROWS;                                              \
    static constexpr int vectors = TT_GEMM_VECTORS, cols = vectors * lanes;                \
    static constexpr int dotRows = TT_DOT_ROWS, dotCols = 4;                               \
    static constexpr int64_t kc = KC, mc = (MC) / rows * rows, nc = (NC) / cols * cols;    \
    typedef T V __attribute__((vector_size(TT_VEC_BYTES)));                                \
    typedef T U __attribute__((vector_size(TT_VEC_BYTES), aligned(sizeof(T)), may_alias)); \
    typedef T Q __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));           \
  };

#if defined(__wasm__)
TT_GEMM_TILE(float, 384, 128, 640)
TT_GEMM_TILE(double, 256, 64, 512)
#else
TT_GEMM_TILE(float, 384, 168, 2048)
TT_GEMM_TILE(double, 256, 168, 1024)
#endif

template <class T>
TT_INLINE typename Tile<T>::V load(const T* p) {
  return *reinterpret_cast<const typename Tile<T>::U*>(p);
}

template <class T>
TT_INLINE void store(T* p, typename Tile<T>::V v) {
  *reinterpret_cast<typename Tile<T>::U*>(p) = v;
}

template <class T>
TT_INLINE typename Tile<T>::V splat(T x) {
  return x - typename Tile<T>::V{};
}

template <class V>
TT_INLINE V multiply_add(V a, V b, V c) {
#if defined(__wasm_relaxed_simd__)
  if constexpr (sizeof(V{}[0]) == 4) {
    return (V)__builtin_wasm_relaxed_madd_f32x4(a, b, c);
  } else {
    return (V)__builtin_wasm_relaxed_madd_f64x2(a, b, c);
  }
#else
  return a * b + c;
#endif
}

// What happens to a finished tile: C = alpha * tile + beta * C + bias.
template <class T>
struct Finish {
  T* c;
  int64_t stride;
  T alpha, beta;
  const T* bias;
};

// One tile of R rows by NV vectors. A is read at [i * aRow + k * aStep]; one of the two strides is 1 (`RowMajor`: the
// step). B is read at [k * bStep + j].
template <class T, int R, int NV, bool RowMajor>
TT_NOINLINE void tile_kernel(int64_t K, const T* TT_RESTRICT a, int64_t aStride, const T* TT_RESTRICT b, int64_t bStep,
                             const Finish<T>& out) {
  using V = typename Tile<T>::V;
  constexpr int L = Tile<T>::lanes;
  constexpr int G = (R + 2) / 3;
  V acc[R][NV];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++)
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) acc[i][j] = V{};
#if !defined(__wasm__)
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) __builtin_prefetch(out.c + i * out.stride, 1);
#endif
  if constexpr (RowMajor) {
    const T* rows[G];
#pragma GCC unroll 16
    for (int g = 0; g < G; g++) rows[g] = a + g * 3 * aStride;
    for (int64_t k = 0; k < K; k++) {
      V v[NV];
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) v[j] = load<T>(b + j * L);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        V x = splat<T>(rows[i / 3][(i % 3) * aStride + k]);
#pragma GCC unroll 4
        for (int j = 0; j < NV; j++) acc[i][j] = multiply_add(x, v[j], acc[i][j]);
      }
      b += bStep;
    }
  } else {
    for (int64_t k = 0; k < K; k++) {
      V v[NV];
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) v[j] = load<T>(b + j * L);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        V x = splat<T>(a[i]);
#pragma GCC unroll 4
        for (int j = 0; j < NV; j++) acc[i][j] = multiply_add(x, v[j], acc[i][j]);
      }
      a += aStride;
      b += bStep;
    }
  }
  V alpha = splat<T>(out.alpha), beta = splat<T>(out.beta);
  T* c = out.c;
  const int64_t stride = out.stride;
  if (out.alpha != T(1)) {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) acc[i][j] *= alpha;
  }
  if (out.bias) {
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) {
      V bias = load<T>(out.bias + j * L);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) acc[i][j] += bias;
    }
  }
  if (out.beta == T(0)) {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) store<T>(c + i * stride + j * L, acc[i][j]);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++)
        store<T>(c + i * stride + j * L, multiply_add(beta, load<T>(c + i * stride + j * L), acc[i][j]));
  }
}

template <class T>
using TileKernel = void (*)(int64_t, const T*, int64_t, const T*, int64_t, const Finish<T>&);

template <class T, int NV, bool RowMajor, int R = 1>
TT_INLINE TileKernel<T> pick_rows(int rows) {
  if constexpr (R >= Tile<T>::rows) {
    return tile_kernel<T, R, NV, RowMajor>;
  } else {
    return rows == R ? tile_kernel<T, R, NV, RowMajor> : pick_rows<T, NV, RowMajor, R + 1>(rows);
  }
}

template <class T, bool RowMajor, int NV = 1>
TT_INLINE TileKernel<T> pick_vectors(int rows, int vectors) {
  if constexpr (NV >= Tile<T>::vectors) {
    return pick_rows<T, NV, RowMajor>(rows);
  } else {
    return vectors == NV ? pick_rows<T, NV, RowMajor>(rows) : pick_vectors<T, RowMajor, NV + 1>(rows, vectors);
  }
}

template <class T>
TT_NOINLINE TileKernel<T> pick_tile(int rows, int vectors, bool rowMajor) {
  return rowMajor ? pick_vectors<T, true>(rows, vectors) : pick_vectors<T, false>(rows, vectors);
}

// Transposes one 16-byte square: `from` has rows `step` apart that are contiguous along k.
template <class T>
TT_INLINE void transpose_square(T* to, int64_t width, const T* from, int64_t step) {
  using Q = typename Tile<T>::Q;
  if constexpr (sizeof(T) == 4) {
    Q a = *(const Q*)(from), b = *(const Q*)(from + step);
    Q c = *(const Q*)(from + 2 * step), d = *(const Q*)(from + 3 * step);
    Q ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    Q cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(Q*)(to) = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    *(Q*)(to + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    *(Q*)(to + 2 * width) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
    *(Q*)(to + 3 * width) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
  } else {
    Q a = *(const Q*)(from), b = *(const Q*)(from + step);
    *(Q*)(to) = __builtin_shufflevector(a, b, 0, 2);
    *(Q*)(to + width) = __builtin_shufflevector(a, b, 1, 3);
  }
}

// Packs `count` rows (of A) or columns (of B) as to[k * width + i], filling up to `width` with zeros.
template <class T>
TT_NOINLINE void pack_panel(T* TT_RESTRICT to, int64_t width, const T* TT_RESTRICT from, int64_t minor, int64_t major,
                            int64_t count, int64_t K) {
  using Q = typename Tile<T>::Q;
  constexpr int64_t S = 16 / int64_t(sizeof(T));
  const int64_t whole = count / S * S;
  if (count < width) memset(to, 0, size_t(K * width) * sizeof(T));
  if (minor == 1 && count == Tile<T>::cols && width == count) {
    for (int64_t k = 0; k < K; k++) {
      const T* row = from + k * major;
      T* out = to + k * width;
#pragma GCC unroll 4
      for (int j = 0; j < Tile<T>::vectors; j++)
        store<T>(out + j * Tile<T>::lanes, load<T>(row + j * Tile<T>::lanes));
    }
  } else if (minor == 1) {
    for (int64_t k = 0; k < K; k++) {
      const T* row = from + k * major;
      T* out = to + k * width;
      for (int64_t i = 0; i < whole; i += S) *(Q*)(out + i) = *(const Q*)(row + i);
      for (int64_t i = whole; i < count; i++) out[i] = row[i];
    }
  } else if (major == 1) {
    const int64_t wholeK = K / S * S;
    for (int64_t i = 0; i < whole; i += S) {
      const T* rows = from + i * minor;
      for (int64_t k = 0; k < wholeK; k += S) transpose_square<T>(to + k * width + i, width, rows + k, minor);
      for (int64_t k = wholeK; k < K; k++)
        for (int64_t r = 0; r < S; r++) to[k * width + i + r] = rows[r * minor + k];
    }
    for (int64_t i = whole; i < count; i++)
      for (int64_t k = 0; k < K; k++) to[k * width + i] = from[i * minor + k];
  } else {
    for (int64_t k = 0; k < K; k++)
      for (int64_t i = 0; i < count; i++) to[k * width + i] = from[i * minor + k * major];
  }
}

// Adds the upper half of a vector to its lower half until 16 bytes remain.
template <class T, int Bytes>
TT_INLINE typename Tile<T>::Q fold(const T (&values)[Bytes / sizeof(T)]) {
  using Q = typename Tile<T>::Q;
  if constexpr (Bytes == 16) {
    Q out;
    memcpy(&out, values, 16);
    return out;
  } else {
    typedef T Half __attribute__((vector_size(Bytes / 2)));
    Half low, high;
    memcpy(&low, values, Bytes / 2);
    memcpy(&high, reinterpret_cast<const char*>(values) + Bytes / 2, Bytes / 2);
    low += high;
    T folded[Bytes / 2 / sizeof(T)];
    memcpy(folded, &low, Bytes / 2);
    return fold<T, Bytes / 2>(folded);
  }
}

template <class T>
TT_INLINE typename Tile<T>::Q fold(typename Tile<T>::V v) {
  T values[Tile<T>::lanes];
  memcpy(values, &v, sizeof(v));
  return fold<T, TT_VEC_BYTES>(values);
}

// The sums of the lanes of four (f32) or two (f64) vectors, as one vector.
template <class T, int C>
TT_INLINE typename Tile<T>::Q sums_of(const typename Tile<T>::V* acc, int first) {
  using Q = typename Tile<T>::Q;
  Q q[4];
#pragma GCC unroll 4
  for (int j = 0; j < int(16 / sizeof(T)); j++) q[j] = first + j < C ? fold<T>(acc[first + j]) : Q{};
  if constexpr (sizeof(T) == 4) {
    Q low = __builtin_shufflevector(q[0], q[1], 0, 4, 1, 5) + __builtin_shufflevector(q[0], q[1], 2, 6, 3, 7);
    Q high = __builtin_shufflevector(q[2], q[3], 0, 4, 1, 5) + __builtin_shufflevector(q[2], q[3], 2, 6, 3, 7);
    return __builtin_shufflevector(low, high, 0, 1, 4, 5) + __builtin_shufflevector(low, high, 2, 3, 6, 7);
  } else {
    return __builtin_shufflevector(q[0], q[1], 0, 2) + __builtin_shufflevector(q[0], q[1], 1, 3);
  }
}

// R x C dot products of vectors that are contiguous along K. The rest of K comes zero-padded from aTail and bTail.
template <class T, int R, int C>
TT_NOINLINE void dot_kernel(int64_t K, const T* a, int64_t aRow, const T* b, int64_t bCol, const T* aTail,
                            const T* bTail, const Finish<T>& out) {
  using V = typename Tile<T>::V;
  using Q = typename Tile<T>::Q;
  constexpr int L = Tile<T>::lanes;
  constexpr int S = 16 / int(sizeof(T));
  V acc[R][C];
#pragma GCC unroll 8
  for (int i = 0; i < R; i++)
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) acc[i][j] = V{};
  auto step = [&](const T* x, int64_t xRow, const T* y, int64_t yCol) __attribute__((always_inline)) {
    if constexpr (R == 1) {
      V left = load<T>(x);
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) acc[0][j] = multiply_add(left, load<T>(y + j * yCol), acc[0][j]);
    } else {
      V right[C];
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) right[j] = load<T>(y + j * yCol);
#pragma GCC unroll 8
      for (int i = 0; i < R; i++) {
        V left = load<T>(x + i * xRow);
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = multiply_add(left, right[j], acc[i][j]);
      }
    }
  };
  int64_t k = 0;
  for (; k + L <= K; k += L) step(a + k, aRow, b + k, bCol);
  if (k < K) step(aTail, L, bTail, L);
#pragma GCC unroll 8
  for (int i = 0; i < R; i++)
#pragma GCC unroll 8
    for (int j = 0; j < C; j += S) {
      T* c = out.c + i * out.stride + j;
      Q value = sums_of<T, C>(acc[i], j);
      if (out.alpha != T(1)) value *= out.alpha - Q{};
      const int count = C - j < S ? C - j : S;
      if (out.bias || out.beta != T(0) || count < S) {
        T values[S];
        memcpy(values, &value, 16);
        for (int s = 0; s < count; s++) {
          if (out.bias) values[s] += out.bias[j + s];
          if (out.beta != T(0)) values[s] += out.beta * c[s];
          c[s] = values[s];
        }
      } else {
        *(Q*)c = value;
      }
    }
}

template <class T>
using DotKernel = void (*)(int64_t, const T*, int64_t, const T*, int64_t, const T*, const T*, const Finish<T>&);

// A single row takes twice the columns, to keep enough independent sums going where there are registers for it.
template <class T>
constexpr int dot_cols(int64_t rows) {
  return rows == 1 && TT_VEC_BYTES > 16 ? 2 * Tile<T>::dotCols : Tile<T>::dotCols;
}

template <class T, int R, int C = 1>
TT_INLINE DotKernel<T> pick_dot_cols(int cols) {
  if constexpr (C >= dot_cols<T>(R)) {
    return dot_kernel<T, R, C>;
  } else {
    return cols == C ? dot_kernel<T, R, C> : pick_dot_cols<T, R, C + 1>(cols);
  }
}

template <class T, int R = 1>
TT_INLINE DotKernel<T> pick_dot(int rows, int cols) {
  if constexpr (R >= Tile<T>::dotRows) {
    return pick_dot_cols<T, R>(cols);
  } else {
    return rows == R ? pick_dot_cols<T, R>(cols) : pick_dot<T, R + 1>(rows, cols);
  }
}

}  // namespace TT_NS
