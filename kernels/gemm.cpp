// Matrix products. Every element is summed in an order that depends on K and the strides alone, never on the number of
// threads: work is split over rows, columns or the batch, and never along K.
#include "gemm.h"

namespace TT_NS {
namespace {

// Floating-point operations below which a second thread costs more than it brings.
constexpr double kWorkPerThread = 1.0e6;

template <class T>
struct Product {
  int64_t M, N, K;
  const T* a;
  int64_t aRow, aCol;
  const T* b;
  int64_t bRow, bCol;
  T* c;
  int64_t cRow;
  T alpha, beta;
  const T* bias;

  double work() const { return 2.0 * double(M) * double(N) * double(K); }
};

int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

template <class T>
void scale_only(const Product<T>& p) {
  for (int64_t i = 0; i < p.M; i++) {
    T* row = p.c + i * p.cRow;
    for (int64_t j = 0; j < p.N; j++) {
      T value = p.bias ? p.bias[j] : T(0);
      row[j] = p.beta == T(0) ? value : p.beta * row[j] + value;
    }
  }
}

// One row times a row-major matrix, eight rows of B at a time over a strip of C that stays in the nearest cache.
template <class T>
void row_times_matrix(const Product<T>& p, int64_t begin, int64_t end) {
  using V = typename Tile<T>::V;
  constexpr int L = Tile<T>::lanes;
  constexpr int64_t kStrip = 2048;
  constexpr int kRows = TT_VEC_BYTES > 16 ? 8 : 4;
  T* sums = static_cast<T*>(tt_workspace(2, kStrip * sizeof(T)));
  for (int64_t j0 = begin; j0 < end; j0 += kStrip) {
    const int64_t n = min_of(kStrip, end - j0);
    memset(sums, 0, size_t(n) * sizeof(T));
    for (int64_t k = 0; k < p.K; k += kRows) {
      const int64_t rows = min_of<int64_t>(kRows, p.K - k);
      T x[kRows];
      V wide[kRows];
      for (int64_t r = 0; r < kRows; r++) {
        x[r] = r < rows ? p.a[(k + r) * p.aCol] : T(0);
        wide[r] = splat<T>(x[r]);
      }
      const T* b = p.b + k * p.bRow + j0;
      int64_t j = 0;
      if (rows == kRows) {
        for (; j + L <= n; j += L) {
          V sum = load<T>(sums + j);
#pragma GCC unroll 8
          for (int r = 0; r < kRows; r++) sum = multiply_add(wide[r], load<T>(b + r * p.bRow + j), sum);
          store<T>(sums + j, sum);
        }
      }
      for (; j < n; j++)
        for (int64_t r = 0; r < rows; r++) sums[j] += x[r] * b[r * p.bRow + j];
    }
    for (int64_t j = 0; j < n; j++) {
      T value = sums[j] * p.alpha;
      if (p.bias) value += p.bias[j0 + j];
      if (p.beta != T(0)) value += p.beta * p.c[j0 + j];
      p.c[j0 + j] = value;
    }
  }
}

// The last K % lanes values of each row, zero-padded to one vector.
template <class T>
void copy_tails(T* to, const T* from, int64_t count, int64_t stride, int64_t rest) {
  constexpr int L = Tile<T>::lanes;
  memset(to, 0, size_t(count) * L * sizeof(T));
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < rest; k++) to[i * L + k] = from[i * stride + k];
}

template <class T>
void dot_block(const Product<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  constexpr int L = Tile<T>::lanes;
  constexpr int R = Tile<T>::dotRows;
  const int C = dot_cols<T>(p.M);
  // A strip of tails at a time, so that they fit any workspace.
  constexpr int64_t kStrip = R * 64 * Tile<T>::dotCols;
  const int64_t rest = p.K % L, whole = p.K - rest;
  T* aTail = static_cast<T*>(tt_workspace(0, size_t(kStrip) * L * sizeof(T)));
  T* bTail = static_cast<T*>(tt_workspace(1, size_t(kStrip) * L * sizeof(T)));
  for (int64_t is = i0; is < i1; is += kStrip) {
    const int64_t ie = min_of(is + kStrip, i1);
    if (rest) copy_tails(aTail, p.a + is * p.aRow + whole, ie - is, p.aRow, rest);
    for (int64_t js = j0; js < j1; js += kStrip) {
      const int64_t je = min_of(js + kStrip, j1);
      if (rest) copy_tails(bTail, p.b + js * p.bCol + whole, je - js, p.bCol, rest);
      const int64_t tiles = divide_up(ie - is, R);
      for (int64_t t = 0; t < tiles; t++) {
        const int64_t i = is + t * (ie - is) / tiles;
        const int rows = int(is + (t + 1) * (ie - is) / tiles - i);
        for (int64_t j = js; j < je; j += C) {
          const int cols = int(min_of<int64_t>(C, je - j));
          Finish<T> out{p.c + i * p.cRow + j, p.cRow, p.alpha, p.beta, p.bias ? p.bias + j : nullptr};
          pick_dot<T>(rows, cols)(p.K, p.a + i * p.aRow, p.aRow, p.b + j * p.bCol, p.bCol, aTail + (i - is) * L,
                                  bTail + (j - js) * L, out);
        }
      }
    }
  }
}

// A tile whose columns reach beyond C is computed aside and its valid part copied.
template <class T>
void edge_tile(TileKernel<T> kernel, int64_t K, int rows, int cols, const T* a, int64_t aStride, const T* b,
               const Finish<T>& out, T* aside) {
  constexpr int W = Tile<T>::cols;
  T bias[W] = {};
  if (out.bias)
    for (int j = 0; j < cols; j++) bias[j] = out.bias[j];
  if (out.beta != T(0))
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < W; j++) aside[i * W + j] = j < cols ? out.c[i * out.stride + j] : T(0);
  kernel(K, a, aStride, b, W, Finish<T>{aside, W, out.alpha, out.beta, out.bias ? bias : nullptr});
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) out.c[i * out.stride + j] = aside[i * W + j];
}

// The next block of K: as OpenBLAS cuts it, with the same block size, so that sums round as they do there. What is left
// between one and two blocks is halved.
TT_INLINE int64_t next_block(int64_t left, int64_t most) {
  if (left >= 2 * most) return most;
  return left > most ? divide_up(left / 2, int64_t(4)) * 4 : left;
}

template <class T>
void tile_block(const Product<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  using X = Tile<T>;
  constexpr int64_t W = X::cols;
  const int64_t M = i1 - i0, N = j1 - j0;
  const bool aDirect = (p.aRow == 1 && p.N <= 8 * W) || (p.aCol == 1 && p.N <= 4 * W);
  const bool bDirect = p.bCol == 1 && p.M <= 10 * X::rows;
  const bool rowMajor = aDirect && p.aRow != 1;
  const int64_t kStep = min_of(p.K, X::kc);
  const int64_t mStep = divide_up(M, divide_up(M, X::mc));
  T* aPacked = aDirect ? nullptr : static_cast<T*>(tt_workspace(0, size_t(mStep * kStep) * sizeof(T)));
  const size_t bCount = size_t(min_of(X::nc, divide_up(N, W) * W) * kStep);
  T* bPacked = bDirect ? nullptr : static_cast<T*>(tt_workspace(1, bCount * sizeof(T)));
  T* edge = static_cast<T*>(tt_workspace(2, size_t(W * kStep + X::rows * W) * sizeof(T)));
  T* aside = edge + W * kStep;

  for (int64_t jc = j0; jc < j1; jc += X::nc) {
    const int64_t nb = min_of(X::nc, j1 - jc);
    for (int64_t k0 = 0, kb; k0 < p.K; k0 += kb) {
      kb = next_block(p.K - k0, X::kc);
      const T* b = p.b + k0 * p.bRow + jc * p.bCol;
      if (!bDirect) {
        for (int64_t j = 0; j < nb; j += W)
          pack_panel<T>(bPacked + j * kb, W, b + j * p.bCol, p.bCol, p.bRow, min_of(W, nb - j), kb);
      } else if (nb % W) {
        const int64_t j = nb / W * W;
        pack_panel<T>(edge, W, b + j, 1, p.bRow, nb - j, kb);
      }
      for (int64_t ic = i0; ic < i1; ic += mStep) {
        const int64_t mb = min_of(mStep, i1 - ic);
        const int64_t tiles = divide_up(mb, X::rows);
        const T* a = p.a + ic * p.aRow + k0 * p.aCol;
        // Rows are dealt out evenly over the tiles: 64 rows are 13 + 13 + 13 + 13 + 12, not 14 * 4 + 8.
        auto first_row = [&](int64_t tile) { return tile * mb / tiles; };
        if (!aDirect) {
          for (int64_t t = 0; t < tiles; t++) {
            const int64_t i = first_row(t), h = first_row(t + 1) - i;
            pack_panel<T>(aPacked + i * kb, h, a + i * p.aRow, p.aRow, p.aCol, h, kb);
          }
        }
        for (int64_t j = 0; j < nb; j += W) {
          const int cols = int(min_of(W, nb - j));
          const int vectors = int(divide_up(cols, X::lanes));
          const bool atEdge = cols < vectors * X::lanes;
          const bool packedEdge = bDirect && cols < W;
          const T* panel = !bDirect ? bPacked + j * kb : packedEdge ? edge : b + j;
          const int64_t bStep = bDirect && !packedEdge ? p.bRow : W;
          int height = 0;
          TileKernel<T> kernel = nullptr;
          for (int64_t t = 0; t < tiles; t++) {
            const int64_t i = first_row(t);
            const int h = int(first_row(t + 1) - i);
            if (h != height) kernel = pick_tile<T>(height = h, vectors, rowMajor);
            const T* rows = aDirect ? a + i * p.aRow : aPacked + i * kb;
            const int64_t aStride = !aDirect ? h : rowMajor ? p.aRow : p.aCol;
            Finish<T> out{p.c + (ic + i) * p.cRow + jc + j, p.cRow, p.alpha, k0 ? T(1) : p.beta,
                          p.bias && !k0 ? p.bias + jc + j : nullptr};
            if (atEdge) {
              edge_tile<T>(kernel, kb, h, cols, rows, aStride, panel, out, aside);
            } else {
              kernel(kb, rows, aStride, panel, bStep, out);
            }
          }
        }
      }
    }
  }
}

// Splits [0, n) in tile-aligned parts, one or (for large work, against uneven threads) two a thread.
template <class F>
void split(int64_t n, int64_t tile, double work, F fn) {
  const int threads = work < 2 * kWorkPerThread ? 1 : thread_count();
  if (threads <= 1) {
    fn(int64_t(0), n);
    return;
  }
  const int64_t units = divide_up(n, tile);
  const int64_t most = int64_t(threads) * (work > 1000 * kWorkPerThread ? 2 : 1);
  const int64_t parts = max_of<int64_t>(1, min_of<int64_t>(most, int64_t(work / kWorkPerThread)));
  const int64_t grain = divide_up(units, parts);
  parallel_for(units, grain, [&](int64_t begin, int64_t end) { fn(begin * tile, min_of(end * tile, n)); });
}

template <class T>
void multiply(Product<T> p) {
  using X = Tile<T>;
  if (p.M <= 0 || p.N <= 0) return;
  if (p.K <= 0 || p.alpha == T(0)) return scale_only(p);
  if (p.N == 1 && p.M > 1 && p.cRow == 1 && !p.bias) {
    // A matrix times a column is a row times the transposed matrix.
    return multiply(Product<T>{1, p.M, p.K, p.b, 1, p.bRow, p.a, p.aCol, p.aRow, p.c, p.M, p.alpha, p.beta, nullptr});
  }
  const double work = p.work();
  if (p.M == 1 && p.bCol == 1 && p.bRow != 1) {
    return split(p.N, X::cols, work, [&](int64_t j0, int64_t j1) { row_times_matrix(p, j0, j1); });
  }
  const bool dots = p.aCol == 1 && p.bRow == 1 && p.K >= 4 * X::lanes && min_of(p.M, p.N) <= 4;
  if (dots) {
    if (p.N >= p.M) {
      return split(p.N, 2 * X::dotCols, work, [&](int64_t j0, int64_t j1) { dot_block(p, 0, p.M, j0, j1); });
    }
    return split(p.M, X::dotRows, work, [&](int64_t i0, int64_t i1) { dot_block(p, i0, i1, 0, p.N); });
  }
  if (p.N / X::cols >= p.M / X::rows) {
    return split(p.N, X::cols, work, [&](int64_t j0, int64_t j1) { tile_block(p, 0, p.M, j0, j1); });
  }
  split(p.M, X::rows, work, [&](int64_t i0, int64_t i1) { tile_block(p, i0, i1, 0, p.N); });
}

template <class T, class F>
void each_batch(const double* f, double work, F multiply_one) {
  const int64_t batch = integer(f[14]);
  const int64_t aStep = integer(f[15]), bStep = integer(f[16]), cStep = integer(f[17]);
  auto run = [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++)
      multiply_one(pointer<const T>(f[3]) + n * aStep, pointer<const T>(f[6]) + n * bStep,
                   pointer<T>(f[9]) + n * cStep);
  };
  const bool together = batch < 2 || batch < thread_count() || work > 64 * kWorkPerThread;
  if (together) {
    run(0, batch);
  } else {
    parallel_for(batch, max_of<int64_t>(1, int64_t(kWorkPerThread / max_of(work, 1.0))), run);
  }
}

template <class T>
double gemm_float(const double* f) {
  Product<T> p{integer(f[0]), integer(f[1]), integer(f[2]), nullptr, integer(f[4]), integer(f[5]), nullptr,
               integer(f[7]), integer(f[8]), nullptr, integer(f[10]), T(f[11]), T(f[12]), pointer<const T>(f[13])};
  each_batch<T>(f, p.work(), [&](const T* a, const T* b, T* c) {
    Product<T> one = p;
    one.a = a;
    one.b = b;
    one.c = c;
    multiply(one);
  });
  return 0;
}

// Integer products wrap around, so they are computed unsigned.
template <class T, class W>
double gemm_integer(const double* f) {
  const int64_t M = integer(f[0]), N = integer(f[1]), K = integer(f[2]);
  const int64_t aRow = integer(f[4]), aCol = integer(f[5]), bRow = integer(f[7]), bCol = integer(f[8]);
  const int64_t cRow = integer(f[10]);
  const W alpha = W(integer(f[11])), beta = W(integer(f[12]));
  const T* bias = pointer<const T>(f[13]);
  constexpr int64_t kStrip = 256;
  each_batch<T>(f, 2.0 * double(M) * double(N) * double(K), [&](const T* a, const T* b, T* c) {
    W sums[kStrip];
    for (int64_t i = 0; i < M; i++)
      for (int64_t j0 = 0; j0 < N; j0 += kStrip) {
        const int64_t n = min_of(kStrip, N - j0);
        for (int64_t j = 0; j < n; j++) sums[j] = 0;
        for (int64_t k = 0; k < K; k++) {
          const W x = W(a[i * aRow + k * aCol]);
          const T* row = b + k * bRow + j0 * bCol;
          if (bCol == 1) {
            for (int64_t j = 0; j < n; j++) sums[j] += x * W(row[j]);
          } else {
            for (int64_t j = 0; j < n; j++) sums[j] += x * W(row[j * bCol]);
          }
        }
        T* out = c + i * cRow + j0;
        for (int64_t j = 0; j < n; j++) {
          W value = alpha * sums[j];
          if (bias) value += W(bias[j0 + j]);
          if (beta) value += beta * W(out[j]);
          out[j] = T(value);
        }
      }
  });
  return 0;
}

}  // namespace
}  // namespace TT_NS

KERNEL(gemm_f32) { return gemm_float<float>(f); }
KERNEL(gemm_f64) { return gemm_float<double>(f); }
KERNEL(gemm_i64) { return gemm_integer<int64_t, uint64_t>(f); }
KERNEL(gemm_i32) { return gemm_integer<int32_t, uint32_t>(f); }
KERNEL(gemm_u8) { return gemm_integer<uint8_t, uint32_t>(f); }
