// Optimizer steps over many tensors, one pass over memory, in PyTorch's order of operations.
#include "parallel.h"
#include "vec.h"

namespace TT_NS {
namespace {

// Tensors are cut into blocks of this many elements, so vectors start at the same places for any number of threads.
constexpr int64_t BLOCK = 4096;
constexpr int64_t BLOCK_GRAIN = 4;

// Calls step(entry, begin, end) on pieces of the tensors whose entries lie at f[16] with `fields` numbers each.
template <class F>
void over_tensors(const double* f, int fields, F step) {
  int64_t count = integer(f[0]), blocks = 0;
  const double* entries = f + 16;
  for (int64_t t = 0; t < count; t++) blocks += (integer(entries[t * fields]) + BLOCK - 1) / BLOCK;
  parallel_for(blocks, BLOCK_GRAIN, [&](int64_t begin, int64_t end) {
    int64_t first = 0;
    for (int64_t t = 0; t < count && first < end; t++) {
      const double* entry = entries + t * fields;
      int64_t n = integer(entry[0]), last = first + (n + BLOCK - 1) / BLOCK;
      int64_t from = max_of(begin, first), to = min_of(end, last);
      if (from < to) step(entry, (from - first) * BLOCK, min_of(n, (to - first) * BLOCK));
      first = last;
    }
  });
}

template <class T, bool momentum>
void sgd_step(const double* f, const double* entry, int64_t begin, int64_t end) {
  using V = Vec<T>;
  auto param = pointer<T>(entry[1]);
  auto grad = pointer<const T>(entry[2]);
  auto buffer = pointer<T>(entry[3]);
  V rate = C<V>(-f[1]), factor = C<V>(f[2]), fresh = C<V>(1 - f[3]), decay = C<V>(f[4]);
  bool decays = f[4] != 0, nesterov = f[5] != 0, maximize = f[6] != 0, first = f[7] != 0;
  for (int64_t i = begin; i < end; i += lanes<T>) {
    int64_t n = end - i;
    V g = load_up_to<V>(grad + i, n), p = load_up_to<V>(param + i, n);
    if (maximize) g = -g;
    if (decays) g = v_mad(p, decay, g);
    if constexpr (momentum) {
      V b = first ? g : v_mad(g, fresh, load_up_to<V>(buffer + i, n) * factor);
      store_up_to(buffer + i, b, n);
      g = nesterov ? v_mad(b, factor, g) : b;
    }
    store_up_to(param + i, v_mad(g, rate, p), n);
  }
}

template <class T>
double sgd(const double* f) {
  over_tensors(f, 4, [&](const double* entry, int64_t begin, int64_t end) {
    if (f[2] != 0 && entry[3] != 0)
      sgd_step<T, true>(f, entry, begin, end);
    else
      sgd_step<T, false>(f, entry, begin, end);
  });
  return 0;
}

template <class T>
void adam_step(const double* f, const double* entry, int64_t begin, int64_t end) {
  using V = Vec<T>;
  auto param = pointer<T>(entry[1]);
  auto grad = pointer<const T>(entry[2]);
  auto mean = pointer<T>(entry[3]);
  auto square = pointer<T>(entry[4]);
  auto highest = pointer<T>(entry[5]);
  double rate = f[1], weight = 1 - f[2];
  bool decays = f[5] != 0, decoupled = f[6] != 0, amsgrad = f[7] != 0, maximize = f[8] != 0;
  // lerp starts from whichever end is nearer.
  bool near = T(weight) < T(0.5) && T(weight) > T(-0.5);
  V toward = near ? C<V>(weight) : C<V>(double(T(weight) - T(1)));
  V beta2 = C<V>(f[3]), fresh = C<V>(1 - f[3]), eps = C<V>(f[4]), decay = C<V>(decoupled ? 1 - rate * f[5] : f[5]);
  V step = C<V>(-(rate / f[9])), correction = C<V>(f[10]);
  for (int64_t i = begin; i < end; i += lanes<T>) {
    int64_t n = end - i;
    V g = load_up_to<V>(grad + i, n), p = load_up_to<V>(param + i, n), m = load_up_to<V>(mean + i, n);
    if (maximize) g = -g;
    if (decays) {
      if (decoupled)
        p = p * decay;
      else
        g = v_mad(p, decay, g);
    }
    m = v_mad(toward, g - m, near ? m : g);
    store_up_to(mean + i, m, n);
    V s = load_up_to<V>(square + i, n) * beta2 + fresh * g * g;
    store_up_to(square + i, s, n);
    if (amsgrad) {
      V h = load_up_to<V>(highest + i, n);
      s = v_where((h > s) | (h != h), h, s);
      store_up_to(highest + i, s, n);
    }
    V denominator = v_sqrt(s) / correction + eps;
    store_up_to(param + i, p + step * m / denominator, n);
  }
}

template <class T>
double adam(const double* f) {
  over_tensors(f, 6, [&](const double* entry, int64_t begin, int64_t end) { adam_step<T>(f, entry, begin, end); });
  return 0;
}

}  // namespace
}  // namespace TT_NS

// f[0]=count f[1]=lr f[2]=momentum f[3]=dampening f[4]=weight_decay f[5]=nesterov f[6]=maximize f[7]=first step (the
// buffer becomes the gradient), then at f[16] per tensor: elements, param, grad, momentum buffer or 0.
KERNEL(sgd_f32) { return sgd<float>(f); }
KERNEL(sgd_f64) { return sgd<double>(f); }

// f[0]=count f[1]=lr f[2]=beta1 f[3]=beta2 f[4]=eps f[5]=weight_decay f[6]=decoupled f[7]=amsgrad f[8]=maximize
// f[9]=bias_correction1 f[10]=sqrt(bias_correction2), then at f[16] per tensor: elements, param, grad, exp_avg,
// exp_avg_sq, max_exp_avg_sq or 0.
KERNEL(adam_f32) { return adam<float>(f); }
KERNEL(adam_f64) { return adam<double>(f); }
