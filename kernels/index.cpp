// Reading and adding at positions given by int64 index tensors.
#include "parallel.h"

namespace TT_NS {
namespace {

constexpr int64_t INDEX_GRAIN = 16384;

// 0, or 1 + the position of the first index outside [low, high).
inline double check_indices(const int64_t* index, int64_t n, int64_t low, int64_t high) {
  for (int64_t i = 0; i < n; i++)
    if (TT_UNLIKELY(index[i] < low || index[i] >= high)) return double(i + 1);
  return 0;
}

// Integers are added as unsigned ones, which wrap; a negative alpha goes through int64.
template <class T>
TT_INLINE T number(double x) {
  return T(0.5) == T(0) ? T(integer(x)) : T(x);
}

template <class F>
void copy_rows(int64_t n, int64_t bytes, F copy) {
  parallel_for(n, max_of<int64_t>(1, 4 * INDEX_GRAIN / max_of<int64_t>(1, bytes)), copy);
}

template <class T>
double index_select(const double* f) {
  int64_t outer = integer(f[0]), size = integer(f[1]), inner = integer(f[2]), n = integer(f[3]);
  auto source = pointer<const T>(f[4]);
  auto index = pointer<const int64_t>(f[5]);
  auto out = pointer<T>(f[6]);
  if (double bad = check_indices(index, n, 0, size)) return bad;
  if (inner == 1) {
    parallel_for(outer, max_of<int64_t>(1, INDEX_GRAIN / max_of<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++)
        for (int64_t k = 0; k < n; k++) out[o * n + k] = source[o * size + index[k]];
    });
    return 0;
  }
  copy_rows(outer * n, inner * int64_t(sizeof(T)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++)
      memcpy(out + r * inner, source + (r / n * size + index[r % n]) * inner, size_t(inner) * sizeof(T));
  });
  return 0;
}

// Each thread owns a range of destination rows and reads all indices, so sums come in the order of the indices.
template <class T>
double index_add(const double* f) {
  int64_t outer = integer(f[0]), size = integer(f[1]), inner = integer(f[2]), n = integer(f[3]);
  auto dest = pointer<T>(f[4]);
  auto index = pointer<const int64_t>(f[5]);
  auto source = pointer<const T>(f[6]);
  T alpha = number<T>(f[7]);
  if (double bad = check_indices(index, n, 0, size)) return bad;
  auto add = [&](int64_t o, int64_t low, int64_t high) {
    for (int64_t k = 0; k < n; k++) {
      int64_t at = index[k];
      if (at < low || at >= high) continue;
      T* TT_RESTRICT to = dest + (o * size + at) * inner;
      const T* TT_RESTRICT from = source + (o * n + k) * inner;
      if (alpha == T(1))
        for (int64_t i = 0; i < inner; i++) to[i] += from[i];
      else
        for (int64_t i = 0; i < inner; i++) to[i] += alpha * from[i];
    }
  };
  int64_t work = n * inner;
  if (outer > 1 || work < 2 * INDEX_GRAIN || thread_count() == 1) {
    parallel_for(outer, max_of<int64_t>(1, INDEX_GRAIN / max_of<int64_t>(1, work)), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) add(o, 0, size);
    });
    return 0;
  }
  int64_t pieces = min_of<int64_t>(size, 2 * thread_count());
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) { add(0, size * begin / pieces, size * end / pieces); });
  return 0;
}

// The strided frame of gather and scatter_add.
struct Strided {
  int64_t nd, dim, size;
  const double *sizes, *first, *index, *second;

  explicit Strided(const double* f)
      : nd(integer(f[0])), dim(integer(f[1])), size(integer(f[5])), sizes(f + 16), first(sizes + nd),
        index(first + nd), second(index + nd) {}
  int64_t count() const {
    int64_t c = 1;
    for (int64_t d = 0; d < nd; d++) c *= integer(sizes[d]);
    return c;
  }

  // Calls row(n, offset in the indexed tensor without dim, of the index, of the other tensor, position of the row)
  // for every innermost row with positions in [begin, end) of `only`, or for all rows if that is negative.
  template <class F>
  void rows(int64_t only, int64_t begin, int64_t end, F row) const {
    int64_t at[64], last = nd - 1, n = integer(sizes[last]), a = 0, x = 0, b = 0, position = 0, total = 1;
    for (int64_t d = 0; d < last; d++) {
      at[d] = 0;
      total *= integer(sizes[d]);
    }
    for (int64_t r = 0; r < total; r++, position += n) {
      if (only < 0 || (at[only] >= begin && at[only] < end)) row(n, a, x, b, position);
      for (int64_t d = last - 1; d >= 0; d--) {
        a += d == dim ? 0 : integer(first[d]);
        x += integer(index[d]);
        b += integer(second[d]);
        if (++at[d] < integer(sizes[d])) break;
        a -= d == dim ? 0 : integer(first[d]) * at[d];
        x -= integer(index[d]) * at[d];
        b -= integer(second[d]) * at[d];
        at[d] = 0;
      }
    }
  }

  double check(const int64_t* indices) const {
    int64_t bad = 0, step = integer(index[nd - 1]);
    rows(-1, 0, 0, [&](int64_t n, int64_t, int64_t x, int64_t, int64_t position) {
      if (bad) return;
      for (int64_t i = 0; i < n; i++)
        if (TT_UNLIKELY(uint64_t(indices[x + i * step]) >= uint64_t(size))) {
          bad = position + i + 1;
          return;
        }
    });
    return double(bad);
  }

  // Threads share out the first outer dim that is not the indexed one: no two of them meet at one element.
  template <class F>
  void share_rows(F row) const {
    int64_t only = -1;
    if (count() >= 2 * INDEX_GRAIN)
      for (int64_t d = nd - 2; d >= 0; d--)
        if (d != dim && integer(sizes[d]) > 1) only = d;
    if (only < 0) {
      rows(-1, 0, 0, row);
      return;
    }
    parallel_for(integer(sizes[only]), max_of<int64_t>(1, integer(sizes[only]) * INDEX_GRAIN / count()),
                 [&](int64_t begin, int64_t end) { rows(only, begin, end, row); });
  }
};

template <class T>
double gather(const double* f) {
  Strided s(f);
  auto in = pointer<const T>(f[2]);
  auto index = pointer<const int64_t>(f[3]);
  auto out = pointer<T>(f[4]);
  if (s.count() == 0) return 0;
  if (double bad = s.check(index)) return bad;
  int64_t last = s.nd - 1, along = integer(s.first[s.dim]), step = s.dim == last ? 0 : integer(s.first[last]);
  int64_t indexStep = integer(s.index[last]), outStep = integer(s.second[last]);
  s.share_rows([&](int64_t n, int64_t a, int64_t x, int64_t b, int64_t) {
    for (int64_t i = 0; i < n; i++) out[b + i * outStep] = in[a + i * step + index[x + i * indexStep] * along];
  });
  return 0;
}

template <class T>
double scatter_add(const double* f) {
  Strided s(f);
  auto dest = pointer<T>(f[2]);
  auto index = pointer<const int64_t>(f[3]);
  auto source = pointer<const T>(f[4]);
  if (s.count() == 0) return 0;
  if (double bad = s.check(index)) return bad;
  int64_t last = s.nd - 1, along = integer(s.first[s.dim]), step = s.dim == last ? 0 : integer(s.first[last]);
  int64_t indexStep = integer(s.index[last]), sourceStep = integer(s.second[last]);
  s.share_rows([&](int64_t n, int64_t a, int64_t x, int64_t b, int64_t) {
    for (int64_t i = 0; i < n; i++) dest[a + i * step + index[x + i * indexStep] * along] += source[b + i * sourceStep];
  });
  return 0;
}

}  // namespace
}  // namespace TT_NS

// Every kernel here returns 0, or 1 + the position of the first index out of range; nothing is written then.

// f[0]=indices f[1]=bytes per row f[2]=source f[3]=int64 indices f[4]=out f[5]=source rows. Negative indices wrap.
KERNEL(take_rows) {
  int64_t n = integer(f[0]), bytes = integer(f[1]), rows = integer(f[5]);
  auto source = pointer<const uint8_t>(f[2]);
  auto index = pointer<const int64_t>(f[3]);
  auto out = pointer<uint8_t>(f[4]);
  if (double bad = check_indices(index, n, -rows, rows)) return bad;
  copy_rows(n, bytes, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const uint8_t* from = source + (index[i] < 0 ? index[i] + rows : index[i]) * bytes;
      if (bytes == 4)
        __builtin_memcpy(out + i * 4, from, 4);
      else if (bytes == 8)
        __builtin_memcpy(out + i * 8, from, 8);
      else
        memcpy(out + i * bytes, from, size_t(bytes));
    }
  });
  return 0;
}

// The suffix is the number of bytes per element. f[0]=outer f[1]=size of the source's dim f[2]=inner f[3]=indices
// f[4]=source [outer,size,inner] f[5]=int64 indices f[6]=out [outer,indices,inner].
KERNEL(index_select_1) { return index_select<uint8_t>(f); }
KERNEL(index_select_4) { return index_select<uint32_t>(f); }
KERNEL(index_select_8) { return index_select<uint64_t>(f); }

// f[0]=outer f[1]=size of the destination's dim f[2]=inner f[3]=indices f[4]=destination [outer,size,inner]
// f[5]=int64 indices f[6]=source [outer,indices,inner] f[7]=alpha.
KERNEL(index_add_f32) { return index_add<float>(f); }
KERNEL(index_add_f64) { return index_add<double>(f); }
KERNEL(index_add_i64) { return index_add<uint64_t>(f); }
KERNEL(index_add_i32) { return index_add<uint32_t>(f); }

// f[0]=nd (>=1) f[1]=dim f[2]=input f[3]=int64 index f[4]=out f[5]=size of the input's dim, then at f[16], nd each:
// sizes of the index, strides of the input, of the index, of out.
KERNEL(gather_1) { return gather<uint8_t>(f); }
KERNEL(gather_4) { return gather<uint32_t>(f); }
KERNEL(gather_8) { return gather<uint64_t>(f); }

// As gather, with f[2]=destination, which is added to, and f[4]=source.
KERNEL(scatter_add_f32) { return scatter_add<float>(f); }
KERNEL(scatter_add_f64) { return scatter_add<double>(f); }
KERNEL(scatter_add_i64) { return scatter_add<uint64_t>(f); }
KERNEL(scatter_add_i32) { return scatter_add<uint32_t>(f); }
