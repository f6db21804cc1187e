// Drivers of all reductions: they read the frame, choose between reducing along rows and along columns, and cut the
// work into pieces that depend on the shape alone, so the result has the same bits for any number of threads.
//
// Frame: f[0]=kept dims f[1]=out f[2]=in f[3]=reduced dims f[4]=divisor or parameter f[5]=second output or 0,
// then at f[16]: kept sizes, kept strides, reduced sizes, reduced strides. Output is contiguous over the kept dims.
#pragma once

#include "parallel.h"
#include "vec.h"

namespace TT_NS {
namespace {

constexpr int REDUCE_DIMS = 64;
// Columns that are accumulated side by side; their accumulators stay in the first-level cache.
constexpr int PANEL = 512;
constexpr int ROW_GROUP = 8;
// Elements that are worth a thread of their own.
constexpr int64_t REDUCE_GRAIN = 32768;
#if defined(__wasm__)
constexpr int64_t COLUMN_PIECES = 1;
#else
constexpr int64_t COLUMN_PIECES = 16;
#endif
constexpr int64_t ROW_PIECES = 64;
constexpr int64_t ROW_ITEMS = 512;

struct ReduceDims {
  int n = 0;
  int64_t size[REDUCE_DIMS], stride[REDUCE_DIMS], out[REDUCE_DIMS];

  void add(int64_t s, int64_t st, int64_t o) {
    size[n] = s;
    stride[n] = st;
    out[n] = o;
    n++;
  }
  void drop(int at) {
    n--;
    for (int d = at; d < n; d++) {
      size[d] = size[d + 1];
      stride[d] = stride[d + 1];
      out[d] = out[d + 1];
    }
  }
  int64_t count() const {
    int64_t c = 1;
    for (int d = 0; d < n; d++) c *= size[d];
    return c;
  }
  void sort_by_stride() {
    for (int i = 1; i < n; i++)
      for (int j = i; j > 0 && distance(j - 1) < distance(j); j--) {
        swap(size[j], size[j - 1]);
        swap(stride[j], stride[j - 1]);
        swap(out[j], out[j - 1]);
      }
  }
  // Joins neighbouring dims that are walked as one.
  void merge() {
    for (int d = n - 2; d >= 0; d--)
      if (stride[d] == stride[d + 1] * size[d + 1] && out[d] == out[d + 1] * size[d + 1]) {
        size[d + 1] *= size[d];
        drop(d);
      }
  }

 private:
  int64_t distance(int d) const { return stride[d] < 0 ? -stride[d] : stride[d]; }
  static void swap(int64_t& a, int64_t& b) {
    int64_t t = a;
    a = b;
    b = t;
  }
};

struct ReduceShape {
  ReduceDims kept, reduced;
  int64_t outputs, count;
};

TT_NOINLINE static void read_reduce(const double* f, bool ordered, ReduceShape& s) {
  int nk = int(f[0]), nr = int(f[3]);
  const double* at = f + 16;
  s.outputs = s.count = 1;
  for (int d = 0; d < nk; d++) s.outputs *= integer(at[d]);
  for (int d = 0; d < nr; d++) s.count *= integer(at[2 * nk + d]);
  int64_t out = s.outputs;
  for (int d = 0; d < nk; d++) {
    int64_t size = integer(at[d]);
    if (out != 0) out /= size;
    if (size != 1) s.kept.add(size, integer(at[nk + d]), out);
  }
  at += 2 * nk;
  for (int d = 0; d < nr; d++) {
    int64_t size = integer(at[d]);
    // An output stride of 0 in all reduced dims leaves merging to the input strides.
    if (size != 1) s.reduced.add(size, integer(at[nr + d]), 0);
  }
  if (!ordered) s.reduced.sort_by_stride();
  s.kept.merge();
  s.reduced.merge();
  if (s.count == 0) s.reduced.n = 0;
  if (s.reduced.n == 0) s.reduced.add(s.count, 0, 0);
}

// A position in some dims, moved one step at a time in row-major order.
struct Walker {
  const ReduceDims& dims;
  int last;
  int64_t offset = 0, out = 0;

  // Walks the first `last` dims, starting at the given linear position.
  TT_NOINLINE Walker(const ReduceDims& d, int count, int64_t position) : dims(d), last(count) {
    for (int k = last - 1; k >= 0; k--) {
      at[k] = position % d.size[k];
      position /= d.size[k];
      offset += at[k] * d.stride[k];
      out += at[k] * d.out[k];
    }
  }
  TT_INLINE void next() {
    if (last != 1) return carry();
    offset += dims.stride[0];
    out += dims.out[0];
  }

 private:
  TT_NOINLINE void carry() {
    for (int k = last - 1; k >= 0; k--) {
      offset += dims.stride[k];
      out += dims.out[k];
      if (++at[k] < dims.size[k]) return;
      offset -= dims.stride[k] * dims.size[k];
      out -= dims.out[k] * dims.size[k];
      at[k] = 0;
    }
  }

  int64_t at[REDUCE_DIMS];
};

// What one reduction offers the drivers, which are compiled once and not for every operation and type.
struct ReduceOps {
  int64_t element;
  bool ordered;
  // One output element over the linear positions [begin, end) of the reduced dims.
  void (*range)(void* acc, const char* base, const ReduceDims& reduced, int64_t begin, int64_t end);
  void (*merge)(void* acc, const void* other);
  void (*write)(const double* f, int64_t at, const void* acc);
  // The outputs [begin, end), each over all of the reduced dims.
  void (*outputs)(const double* f, const ReduceShape& s, int64_t begin, int64_t end);
  // `width` neighbouring columns over the rows [begin, end) of the reduced dims.
  void (*panel)(void* panel, const char* base, const ReduceDims& reduced, int64_t begin, int64_t end, int64_t width);
  void (*mergePanel)(void* panel, const void* other, int64_t width);
  // Column c of the panel as an accumulator.
  void (*column)(void* acc, const void* panel, int64_t c);
  // The first n columns of the panel to outputs that lie `step` apart.
  void (*writePanel)(const double* f, const void* panel, int64_t at, int64_t step, int64_t n);
};

constexpr size_t ACC_BYTES = 24;
constexpr size_t PANEL_BYTES = (2 * (PANEL + 16) + 8) * sizeof(double);
struct alignas(64) AccSpace {
  char bytes[ACC_BYTES];
};
struct alignas(64) PanelSpace {
  char bytes[PANEL_BYTES];
};

template <class Op>
TT_NOINLINE typename Op::Acc reduce_range(const typename Op::In* base, const ReduceDims& r, int64_t begin,
                                          int64_t end) {
  typename Op::Acc acc = Op::init(begin);
  int64_t inner = r.size[r.n - 1], stride = r.stride[r.n - 1];
  if (r.n == 1) return Op::row(base + begin * stride, end - begin, stride, begin, acc);
  Walker w(r, r.n - 1, begin / inner);
  int64_t skip = begin % inner;
  // Groups of rows that are joined afterwards keep rounding errors small.
  while (begin < end) {
    typename Op::Acc group = Op::init(begin);
    for (int k = 0; k < 64 && begin < end; k++, w.next()) {
      int64_t n = min_of(inner - skip, end - begin);
      group = Op::row(base + w.offset + skip * stride, n, stride, begin, group);
      begin += n;
      skip = 0;
    }
    acc = Op::merge(acc, group);
  }
  return acc;
}

template <class Op>
struct OpsOf {
  using In = typename Op::In;
  using Acc = typename Op::Acc;
  using Panel = typename Op::Panel;
  static_assert(sizeof(Acc) <= ACC_BYTES && sizeof(Panel) <= PANEL_BYTES, "the spaces hold every kind");

  static void range(void* acc, const char* base, const ReduceDims& r, int64_t begin, int64_t end) {
    *static_cast<Acc*>(acc) = reduce_range<Op>(reinterpret_cast<const In*>(base), r, begin, end);
  }
  static void merge(void* acc, const void* other) {
    *static_cast<Acc*>(acc) = Op::merge(*static_cast<Acc*>(acc), *static_cast<const Acc*>(other));
  }
  static void write(const double* f, int64_t at, const void* acc) { Op::write(f, at, *static_cast<const Acc*>(acc)); }
  static void outputs(const double* f, const ReduceShape& s, int64_t begin, int64_t end) {
    auto in = pointer<const In>(f[2]);
    Walker w(s.kept, s.kept.n, begin);
    const int64_t stride = s.reduced.stride[0];
    if (s.reduced.n > 1)
      for (int64_t o = begin; o < end; o++, w.next())
        Op::write(f, w.out, reduce_range<Op>(in + w.offset, s.reduced, 0, s.count));
    else
      for (int64_t o = begin; o < end; o++, w.next())
        Op::write(f, w.out, Op::row(in + w.offset, s.count, stride, 0, Op::init(0)));
  }
  static void panel(void* space, const char* base, const ReduceDims& r, int64_t begin, int64_t end, int64_t width) {
    Panel& panel = *static_cast<Panel*>(space);
    panel.begin(begin, width);
    Walker w(r, r.n, begin);
    const In* rows[ROW_GROUP];
    for (int64_t at = begin; at < end; at += ROW_GROUP) {
      int n = int(min_of<int64_t>(ROW_GROUP, end - at));
      for (int k = 0; k < n; k++, w.next()) rows[k] = reinterpret_cast<const In*>(base) + w.offset;
      panel.rows(rows, n, at - begin, width);
    }
  }
  static void mergePanel(void* panel, const void* other, int64_t width) {
    static_cast<Panel*>(panel)->merge(*static_cast<const Panel*>(other), width);
  }
  static void column(void* acc, const void* panel, int64_t c) {
    *static_cast<Acc*>(acc) = static_cast<const Panel*>(panel)->get(c);
  }
  static void writePanel(const double* f, const void* panel, int64_t at, int64_t step, int64_t n) {
    const Panel& p = *static_cast<const Panel*>(panel);
    if (step == 1)
      for (int64_t c = 0; c < n; c++) Op::write(f, at + c, p.get(c));
    else
      for (int64_t c = 0; c < n; c++) Op::write(f, at + c * step, p.get(c));
  }
  static constexpr ReduceOps ops = {sizeof(In), Op::ordered, range,      merge,  write,
                                    outputs,    panel,       mergePanel, column, writePanel};
};

TT_NOINLINE static void reduce_rows(const double* f, const ReduceShape& s, const ReduceOps& ops) {
  auto in = pointer<const char>(f[2]);
  int64_t outputs = s.outputs, count = s.count;
  if (count >= 2 * REDUCE_GRAIN && outputs <= ROW_ITEMS / 2) {
    int64_t pieces = min_of((count + REDUCE_GRAIN - 1) / REDUCE_GRAIN, min_of(ROW_PIECES, ROW_ITEMS / outputs));
    int64_t piece = ((count + pieces - 1) / pieces + 1023) / 1024 * 1024;
    pieces = (count + piece - 1) / piece;
    AccSpace partial[ROW_ITEMS];
    parallel_for(outputs * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        Walker w(s.kept, s.kept.n, i / pieces);
        int64_t from = i % pieces * piece;
        ops.range(&partial[i], in + w.offset * ops.element, s.reduced, from, min_of(from + piece, count));
      }
    });
    Walker w(s.kept, s.kept.n, 0);
    for (int64_t o = 0; o < outputs; o++, w.next()) {
      AccSpace* acc = partial + o * pieces;
      for (int64_t p = 1; p < pieces; p++) ops.merge(acc, acc + p);
      ops.write(f, w.out, acc);
    }
    return;
  }
  parallel_for(outputs, max_of<int64_t>(1, REDUCE_GRAIN / max_of<int64_t>(1, count)),
               [&](int64_t begin, int64_t end) { ops.outputs(f, s, begin, end); });
}

// The kept dim at `column` has unit stride in the input: its elements are reduced side by side.
TT_NOINLINE static void reduce_columns(const double* f, ReduceShape& s, int column, const ReduceOps& ops) {
  auto in = pointer<const char>(f[2]);
  int64_t width = s.kept.size[column], step = s.kept.out[column], count = s.count, element = ops.element;
  s.kept.drop(column);
  // A contiguous matrix with few columns is reduced as one with `fold` rows side by side, which are joined at the end.
  int64_t fold = 1, narrow = width, rest = 0;
  if (!ops.ordered && s.kept.n == 0 && s.reduced.n == 1 && s.reduced.stride[0] == width && width <= PANEL / 4) {
    fold = max_of<int64_t>(1, min_of<int64_t>(PANEL / 2 / width, count / ROW_GROUP));
    rest = count % fold;
    count /= fold;
    width *= fold;
    s.reduced.size[0] = count;
    s.reduced.stride[0] = width;
  }
  int64_t panels = (width + PANEL - 1) / PANEL, items = s.kept.count() * panels;
  int64_t work = count * min_of<int64_t>(width, PANEL);
  auto finish = [&](const void* panel, int64_t out, int64_t n) {
    if (fold == 1) return ops.writePanel(f, panel, out, step, n);
    AccSpace acc, other;
    for (int64_t c = 0; c < narrow; c++) {
      ops.column(&acc, panel, c);
      for (int64_t k = 1; k < fold; k++) {
        ops.column(&other, panel, c + k * narrow);
        ops.merge(&acc, &other);
      }
      if (rest > 0) {
        ReduceDims left;
        left.add(rest, narrow, 0);
        ops.range(&other, in + (count * width + c) * element, left, 0, rest);
        ops.merge(&acc, &other);
      }
      ops.write(f, out + c * step, &acc);
    }
  };
  if (COLUMN_PIECES > 1 && items < 8 && work >= 2 * REDUCE_GRAIN && count >= 4 * ROW_GROUP) {
    int64_t pieces = min_of(min_of(COLUMN_PIECES, work / REDUCE_GRAIN), count / (2 * ROW_GROUP));
    int64_t piece = ((count + pieces - 1) / pieces + ROW_GROUP - 1) / ROW_GROUP * ROW_GROUP;
    pieces = (count + piece - 1) / piece;
    PanelSpace partial[COLUMN_PIECES];
    for (int64_t i = 0; i < items; i++) {
      Walker w(s.kept, s.kept.n, i / panels);
      int64_t from = i % panels * PANEL, n = min_of<int64_t>(PANEL, width - from);
      parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; p++)
          ops.panel(&partial[p], in + (w.offset + from) * element, s.reduced, p * piece,
                    min_of(count, (p + 1) * piece), n);
      });
      for (int64_t p = 1; p < pieces; p++) ops.mergePanel(partial, partial + p, n);
      finish(partial, w.out + from * step, n);
    }
    return;
  }
  parallel_for(items, max_of<int64_t>(1, REDUCE_GRAIN / max_of<int64_t>(1, work)), [&](int64_t begin, int64_t end) {
    PanelSpace panel;
    for (int64_t i = begin; i < end; i++) {
      Walker w(s.kept, s.kept.n, i / panels);
      int64_t from = i % panels * PANEL, n = min_of<int64_t>(PANEL, width - from);
      ops.panel(&panel, in + (w.offset + from) * element, s.reduced, 0, count, n);
      finish(&panel, w.out + from * step, n);
    }
  });
}

TT_NOINLINE static double reduce(const double* f, const ReduceOps& ops) {
  ReduceShape s;
  read_reduce(f, ops.ordered, s);
  if (s.outputs == 0) return 0;
  if (s.count > 0 && (s.reduced.stride[s.reduced.n - 1] != 1 || s.reduced.size[s.reduced.n - 1] < 4))
    for (int d = s.kept.n - 1; d >= 0; d--)
      if (s.kept.stride[d] == 1 && s.kept.size[d] >= 4) {
        reduce_columns(f, s, d, ops);
        return 0;
      }
  reduce_rows(f, s, ops);
  return 0;
}

}  // namespace
}  // namespace TT_NS
