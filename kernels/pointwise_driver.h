// The body of pointwise_run (see pointwise.h); included by one source file.
#pragma once

#include "math_int.h"
#include "pointwise.h"

namespace TT_NS {

int32_t divided_by_zero = 0;

constexpr int max_operands = 1 + max_inputs;
constexpr int element_bytes = 8;

// Operand 0 is the output. Strides are in bytes.
struct PointwiseCall {
  const PointwiseOp* op;
  const double* params;
  int nd;
  int operands;
  char* base[max_operands];
  int64_t dims[max_dims];
  int64_t strides[max_operands][max_dims];
  // How an operand lies over all dims together: one element after the other, or the same element always.
  bool linear[max_operands];
  bool single[max_operands];
};

// One element, repeated `bytes` long.
TT_INLINE void fill_repeated(char* to, const char* from, int size, int64_t bytes) {
  typedef uint64_t Two __attribute__((vector_size(16)));
  uint64_t x = 0;
  if (size == 8) {
    __builtin_memcpy(&x, from, 8);
  } else if (size == 4) {
    uint32_t y;
    __builtin_memcpy(&y, from, 4);
    x = uint64_t(y) << 32 | y;
  } else {
    x = uint64_t(uint8_t(*from)) * 0x0101010101010101u;
  }
  Two pair = {x, x};
  for (int64_t i = 0; i < bytes; i += 16) __builtin_memcpy(to + i, &pair, 16);
}

// A copy without the cost of calling memcpy for a few bytes.
TT_INLINE void copy_bytes(char* to, const char* from, int64_t bytes) {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) __builtin_memcpy(to, from, 16);
  if (bytes & 8) __builtin_memcpy(to, from, 8), to += 8, from += 8;
  if (bytes & 4) __builtin_memcpy(to, from, 4), to += 4, from += 4;
  if (bytes & 2) __builtin_memcpy(to, from, 2), to += 2, from += 2;
  if (bytes & 1) *to = *from;
}

using Bytes = Vec<uint8_t>;

// Copies `bytes` and fills up to `total` (rounded up to whole vectors). Whole vectors are written, as the reader that
// follows loads vectors: smaller stores would stall it.
TT_INLINE void copy_padded(char* to, const char* from, int64_t bytes, int64_t total, Bytes fill) {
  for (int64_t i = 0; i < total; i += TT_VEC_BYTES) {
    int64_t n = max_of<int64_t>(0, min_of<int64_t>(bytes - i, TT_VEC_BYTES));
    store(reinterpret_cast<uint8_t*>(to + i), load_n<Bytes>(reinterpret_cast<const uint8_t*>(from + i), n, fill));
  }
}
TT_INLINE void copy_part(char* to, const char* from, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += TT_VEC_BYTES)
    store_n(reinterpret_cast<uint8_t*>(to + i), load<Bytes>(reinterpret_cast<const uint8_t*>(from + i)),
            min_of<int64_t>(bytes - i, TT_VEC_BYTES));
}

template <class T>
TT_INLINE void move_strided(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t n) {
  for (int64_t i = 0; i < n; i++, to += to_step, from += from_step) {
    T x;
    __builtin_memcpy(&x, from, sizeof(T));
    __builtin_memcpy(to, &x, sizeof(T));
  }
}
TT_INLINE void move_run(char* to, int64_t to_step, const char* from, int64_t from_step, int size, int64_t n) {
  if (to_step == size && from_step == size)
    copy_bytes(to, from, n * size);
  else if (size == 4)
    move_strided<uint32_t>(to, to_step, from, from_step, n);
  else if (size == 8)
    move_strided<uint64_t>(to, to_step, from, from_step, n);
  else
    move_strided<uint8_t>(to, to_step, from, from_step, n);
}

// Copies `n` elements of an operand, in the order of the dims from position `at` on, into (or out of) `packed`.
template <bool out>
static TT_NOINLINE void move_operand(const PointwiseCall& c, int k, const int64_t* at, char* packed, int64_t n) {
  const int last = c.nd - 1, size = c.op->size[k];
  const int64_t* strides = c.strides[k];
  int64_t position[max_dims];
  char* p = c.base[k];
  for (int d = 0; d <= last; d++) position[d] = at[d], p += at[d] * strides[d];
  for (;;) {
    int64_t run = min_of(n, c.dims[last] - position[last]);
    if (out)
      move_run(p, strides[last], packed, size, size, run);
    else
      move_run(packed, size, p, strides[last], size, run);
    n -= run;
    if (n == 0) return;
    packed += run * size;
    p -= position[last] * strides[last];
    position[last] = 0;
    for (int d = last - 1; d >= 0; d--) {
      p += strides[d];
      if (++position[d] < c.dims[d]) break;
      p -= c.dims[d] * strides[d];
      position[d] = 0;
    }
  }
}

TT_INLINE void position_of(const PointwiseCall& c, int64_t index, int64_t* at) {
  for (int d = c.nd - 1; d > 0; d--) {
    int64_t q = index / c.dims[d];
    at[d] = index - q * c.dims[d];
    index = q;
  }
  at[0] = index;
}

// What the lanes past the end hold: zeros are quick, but integers must not divide by them.
TT_INLINE int padding(const PointwiseOp& op) { return op.divides ? 1 : 0; }

// n elements side by side; an input with `repeated` is one element.
static TT_NOINLINE void pointwise_row(const PointwiseOp& op, char* const* base, const bool* repeated, int64_t n,
                                      const double* params) {
  alignas(64) char values[max_inputs][64 * element_bytes];
  const int unit = op.unit;
  const char* in[max_inputs];
  int64_t step[max_inputs];
  for (int k = 0; k < op.inputs; k++) {
    int64_t bytes = int64_t(unit) * op.size[1 + k];
    in[k] = base[1 + k];
    step[k] = bytes;
    if (!repeated[1 + k]) continue;
    fill_repeated(values[k], in[k], op.size[1 + k], bytes);
    in[k] = values[k];
    step[k] = 0;
  }
  int64_t units = n / unit, rest = n - units * unit;
  if (units > 0) op.run(base[0], in, step, units, params);
  if (rest == 0) return;
  alignas(64) char out[64 * element_bytes];
  const Bytes fill = splat<Bytes>(uint8_t(padding(op)));
  for (int k = 0; k < op.inputs; k++) {
    if (step[k] == 0) continue;
    const int64_t size = op.size[1 + k];
    copy_padded(values[k], in[k] + units * step[k], rest * size, unit * size, fill);
    in[k] = values[k];
  }
  op.run(out, in, step, 1, params);
  copy_part(base[0] + units * unit * op.size[0], out, rest * op.size[0]);
}

// Elements begin to end, row by row: every row lies side by side or repeats.
static void rows_range(const PointwiseCall& c, int64_t begin, int64_t end) {
  const int last = c.nd - 1;
  int64_t at[max_dims];
  position_of(c, begin, at);
  char* p[max_operands];
  bool repeated[max_operands];
  for (int k = 0; k < c.operands; k++) {
    p[k] = c.base[k];
    for (int d = 0; d <= last; d++) p[k] += at[d] * c.strides[k][d];
    repeated[k] = c.strides[k][last] == 0;
  }
  while (begin < end) {
    int64_t run = min_of(end - begin, c.dims[last] - at[last]);
    pointwise_row(*c.op, p, repeated, run, c.params);
    begin += run;
    for (int k = 0; k < c.operands; k++) p[k] -= at[last] * c.strides[k][last];
    at[last] = 0;
    for (int d = last - 1; d >= 0; d--) {
      for (int k = 0; k < c.operands; k++) p[k] += c.strides[k][d];
      if (++at[d] < c.dims[d]) break;
      for (int k = 0; k < c.operands; k++) p[k] -= c.dims[d] * c.strides[k][d];
      at[d] = 0;
    }
  }
}

// Elements begin to end, a block at a time: operands that don't lie side by side go through buffers.
static TT_NOINLINE void blocks_range(const PointwiseCall& c, int64_t begin, int64_t end) {
  alignas(64) char buffer[max_operands][block * element_bytes];
  const PointwiseOp& op = *c.op;
  const int unit = op.unit;
  int64_t at[max_dims];
  const char* in[max_inputs];
  int64_t step[max_inputs];
  for (int k = 1; k < c.operands; k++) {
    step[k - 1] = c.single[k] ? 0 : int64_t(unit) * op.size[k];
    if (c.single[k]) fill_repeated(buffer[k], c.base[k], op.size[k], int64_t(unit) * op.size[k]);
    in[k - 1] = buffer[k];
  }
  for (; begin < end; begin += block) {
    int64_t n = min_of(end - begin, int64_t(block));
    const bool whole = n == block;
    position_of(c, begin, at);
    const int64_t units = (n + unit - 1) / unit;
    for (int k = 1; k < c.operands; k++) {
      if (c.single[k]) continue;
      if (whole && c.linear[k]) {
        in[k - 1] = c.base[k] + begin * op.size[k];
        continue;
      }
      in[k - 1] = buffer[k];
      move_operand<false>(c, k, at, buffer[k], n);
      const int64_t beyond = (units * unit - n) * op.size[k];
      if (beyond > 0) __builtin_memset(buffer[k] + n * op.size[k], padding(op), size_t(beyond));
    }
    const bool direct = whole && c.linear[0];
    op.run(direct ? c.base[0] + begin * op.size[0] : buffer[0], in, step, units, c.params);
    if (!direct) move_operand<true>(c, 0, at, buffer[0], n);
  }
}

// Tiles of two dims: the last one, and `other`, along which an operand lies side by side (a transposed matrix).
constexpr int tile = 16;

template <class T>
TT_INLINE void move_tile(char* to, int64_t to_row, int64_t to_column, const char* from, int64_t row, int64_t column,
                         int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < columns; i++, to += to_column, from += column) move_strided<T>(to, to_row, from, row, rows);
}
// Transposes 4-byte elements by squares of 4: n runs of m elements, `from_step` apart, to m runs of n.
TT_INLINE void transpose_words(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t m, int64_t n) {
  typedef uint32_t Four __attribute__((vector_size(16)));
  for (int64_t i = 0; i < n; i += 4) {
    for (int64_t j = 0; j < m; j += 4) {
      const char* p = from + i * from_step + j * 4;
      char* q = to + j * to_step + i * 4;
      Four a, b, c, d;
      __builtin_memcpy(&a, p, 16);
      __builtin_memcpy(&b, p + from_step, 16);
      __builtin_memcpy(&c, p + 2 * from_step, 16);
      __builtin_memcpy(&d, p + 3 * from_step, 16);
      Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      Four ef = __builtin_shufflevector(a, b, 2, 6, 3, 7), gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      a = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
      b = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      c = __builtin_shufflevector(ef, gh, 0, 1, 4, 5);
      d = __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
      __builtin_memcpy(q, &a, 16);
      __builtin_memcpy(q + to_step, &b, 16);
      __builtin_memcpy(q + 2 * to_step, &c, 16);
      __builtin_memcpy(q + 3 * to_step, &d, 16);
    }
  }
}
// Memory is walked along its own direction; the buffer is in the cache either way.
TT_INLINE void move_tile_of(int size, char* to, int64_t to_row, int64_t to_column, const char* from, int64_t row,
                            int64_t column, int64_t rows, int64_t columns) {
  if (size == 4 && row == 4 && to_column == 4 && (rows | columns) % 4 == 0)
    transpose_words(to, to_row, from, column, rows, columns);
  else if (size == 4 && column == 4 && to_row == 4 && (rows | columns) % 4 == 0)
    transpose_words(to, to_column, from, row, columns, rows);
  else if (size == 4)
    move_tile<uint32_t>(to, to_row, to_column, from, row, column, rows, columns);
  else if (size == 8)
    move_tile<uint64_t>(to, to_row, to_column, from, row, column, rows, columns);
  else
    move_tile<uint8_t>(to, to_row, to_column, from, row, column, rows, columns);
}

struct Tiling {
  int other;
  int64_t across, down, total;
};

static TT_NOINLINE void tiles_range(const PointwiseCall& c, const Tiling& tiling, int64_t begin, int64_t end) {
  static_assert(tile * tile <= block, "a tile has to fit in a block's buffer");
  alignas(64) char buffer[max_operands][block * element_bytes];
  const PointwiseOp& op = *c.op;
  const int unit = op.unit, last = c.nd - 1, other = tiling.other;
  const char* in[max_inputs];
  int64_t step[max_inputs];
  for (int k = 1; k < c.operands; k++) {
    step[k - 1] = c.single[k] ? 0 : int64_t(unit) * op.size[k];
    if (c.single[k]) fill_repeated(buffer[k], c.base[k], op.size[k], int64_t(unit) * op.size[k]);
    in[k - 1] = buffer[k];
  }
  for (; begin < end; begin++) {
    int64_t index = begin / tiling.across;
    const int64_t i = (begin - index * tiling.across) * tile;
    int64_t rest = index / tiling.down;
    const int64_t j = (index - rest * tiling.down) * tile;
    const int64_t columns = min_of<int64_t>(tile, c.dims[last] - i), rows = min_of<int64_t>(tile, c.dims[other] - j);
    char* p[max_operands];
    for (int k = 0; k < c.operands; k++) p[k] = c.base[k] + i * c.strides[k][last] + j * c.strides[k][other];
    for (int d = last - 1; d >= 0; d--) {
      if (d == other) continue;
      int64_t q = rest / c.dims[d], at = rest - q * c.dims[d];
      rest = q;
      for (int k = 0; k < c.operands; k++) p[k] += at * c.strides[k][d];
    }
    const int64_t n = rows * columns, units = (n + unit - 1) / unit;
    for (int k = 1; k < c.operands; k++) {
      if (c.single[k]) continue;
      const int size = op.size[k];
      const int64_t column = c.strides[k][last], row = c.strides[k][other], line = columns * size;
      if (column == size)
        for (int64_t r = 0; r < rows; r++) copy_bytes(buffer[k] + r * line, p[k] + r * row, line);
      else
        move_tile_of(size, buffer[k], line, size, p[k], row, column, rows, columns);
      if (units * unit > n) __builtin_memset(buffer[k] + n * size, padding(op), size_t((units * unit - n) * size));
    }
    op.run(buffer[0], in, step, units, c.params);
    const int64_t column = c.strides[0][last], row = c.strides[0][other], line = columns * op.size[0];
    if (column == op.size[0])
      for (int64_t r = 0; r < rows; r++) copy_bytes(p[0] + r * row, buffer[0] + r * line, line);
    else
      move_tile_of(op.size[0], p[0], row, column, buffer[0], line, op.size[0], rows, columns);
  }
}

// Whether some operand is contiguous along another dim than the last, and along which.
static bool choose_tiling(const PointwiseCall& c, int64_t total, Tiling& tiling) {
  const int last = c.nd - 1;
  if (c.dims[last] < 4 || total < block) return false;
  for (int k = 0; k < c.operands; k++) {
    if (c.strides[k][last] == c.op->size[k] || c.strides[k][last] == 0) continue;
    for (int d = 0; d < last; d++) {
      if (c.strides[k][d] != c.op->size[k] || c.dims[d] < 4) continue;
      const int64_t across = (c.dims[last] + tile - 1) / tile, down = (c.dims[d] + tile - 1) / tile;
      tiling = {d, across, down, total / c.dims[last] / c.dims[d] * across * down};
      return true;
    }
  }
  return false;
}

TT_INLINE int64_t grain_of(const PointwiseOp& op) {
  int64_t n = least_work / op.cost;
  return n < block ? block : n / block * block;
}

static TT_NOINLINE void pointwise_strided(const double* f, const PointwiseOp& op, int64_t total) {
  PointwiseCall c;
  c.op = &op;
  c.params = f + 8;
  c.nd = int(f[0]);
  c.operands = 1 + op.inputs;
  for (int d = 0; d < c.nd; d++) c.dims[d] = integer(f[16 + d]);
  const int last = c.nd - 1;
  bool rows = c.dims[last] >= 2 * op.unit;
  for (int k = 0; k < c.operands; k++) {
    c.base[k] = pointer<char>(f[1 + k]);
    const double* strides = f + 16 + c.nd * (1 + k);
    bool linear = true, single = true;
    int64_t expected = 1;
    for (int d = last; d >= 0; d--) {
      int64_t s = integer(strides[d]);
      if (c.dims[d] != 1 && s != expected) linear = false;
      if (c.dims[d] != 1 && s != 0) single = false;
      expected *= c.dims[d];
      c.strides[k][d] = s * op.size[k];
    }
    c.linear[k] = linear;
    c.single[k] = single;
    int64_t inner = integer(strides[last]);
    if (inner != 1 && (k == 0 || inner != 0)) rows = false;
  }
  Tiling tiling;
  if (!rows && choose_tiling(c, total, tiling)) {
    parallel_for(tiling.total, grain_of(op) / block,
                 [&](int64_t begin, int64_t end) { tiles_range(c, tiling, begin, end); });
    return;
  }
  parallel_for(total, grain_of(op), [&c, rows](int64_t begin, int64_t end) {
    if (rows)
      rows_range(c, begin, end);
    else
      blocks_range(c, begin, end);
  });
}

// Everything side by side in one dimension: the common case, kept short for small tensors.
static bool pointwise_flat(const double* f, const PointwiseOp& op, int64_t n) {
  const int operands = 1 + op.inputs;
  char* base[max_operands];
  bool repeated[max_operands];
  for (int k = 0; k < operands; k++) {
    double s = f[17 + k];
    if (n > 1 && s != 1 && (k == 0 || s != 0)) return false;
    base[k] = pointer<char>(f[1 + k]);
    repeated[k] = s == 0;
  }
  int64_t grain = grain_of(op);
  if (n <= grain) {
    pointwise_row(op, base, repeated, n, f + 8);
    return true;
  }
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    char* p[max_operands];
    for (int k = 0; k < operands; k++) p[k] = repeated[k] ? base[k] : base[k] + begin * op.size[k];
    pointwise_row(op, p, repeated, end - begin, f + 8);
  });
  return true;
}

// 0, or 1 where an integer was divided by zero.
double pointwise_run(const double* f, const PointwiseOp& op) {
  const int nd = int(f[0]);
  int64_t total = 1;
  for (int d = 0; d < nd; d++) total *= integer(f[16 + d]);
  if (total == 0) return 0;
  if (nd != 1 || !pointwise_flat(f, op, total)) pointwise_strided(f, op, total);
  if (op.divides && __atomic_load_n(&divided_by_zero, __ATOMIC_RELAXED)) {
    __atomic_store_n(&divided_by_zero, 0, __ATOMIC_RELAXED);
    return 1;
  }
  return 0;
}

}  // namespace TT_NS
