// Negative log-likelihood and the fused cross entropy for class indices, with their gradients.
#include "softmax.h"

namespace TT_NS {
namespace {

enum Reduction { NONE = 0, MEAN = 1, SUM = 2 };

// What a kernel returns for a target outside the classes is this plus the target.
constexpr double BAD_TARGET = 1e15;
// Rows that one partial sum covers depend on N alone, so the loss does not depend on the number of threads.
constexpr int64_t LOSS_PIECES = 256;
constexpr int64_t LOSS_GRAIN = 8192;

inline double check_targets(const int64_t* target, int64_t n, int64_t classes, int64_t ignored) {
  for (int64_t i = 0; i < n; i++)
    if (TT_UNLIKELY(uint64_t(target[i]) >= uint64_t(classes)) && target[i] != ignored)
      return BAD_TARGET + double(target[i]);
  return 0;
}

template <class T>
double nll(const double* f) {
  int64_t n = integer(f[0]), classes = integer(f[1]), inner = integer(f[2]), ignored = integer(f[6]);
  auto logs = pointer<const T>(f[3]);
  auto target = pointer<const int64_t>(f[4]);
  auto weight = pointer<const T>(f[5]);
  auto out = pointer<T>(f[8]);
  int reduction = int(f[7]);
  if (double bad = check_targets(target, n * inner, classes, ignored)) return bad;
  double sum = 0, total = 0;
  for (int64_t b = 0; b < n; b++) {
    double part = 0, partWeight = 0;
    for (int64_t i = 0; i < inner; i++) {
      int64_t t = target[b * inner + i];
      T loss = 0;
      if (t != ignored) {
        T w = weight ? weight[t] : T(1);
        loss = -logs[(b * classes + t) * inner + i] * w;
        partWeight += double(w);
      }
      part += double(loss);
      if (reduction == NONE) out[b * inner + i] = loss;
    }
    sum += part;
    total += partWeight;
  }
  if (reduction != NONE) *out = T(reduction == MEAN ? sum / total : sum);
  *pointer<T>(f[9]) = T(total);
  return 0;
}

template <class T>
double nll_backward(const double* f) {
  int64_t n = integer(f[0]), classes = integer(f[1]), inner = integer(f[2]), ignored = integer(f[6]);
  auto grad = pointer<const T>(f[3]);
  auto target = pointer<const int64_t>(f[4]);
  auto weight = pointer<const T>(f[5]);
  auto out = pointer<T>(f[8]);
  int reduction = int(f[7]);
  if (double bad = check_targets(target, n * inner, classes, ignored)) return bad;
  T total = *pointer<const T>(f[9]);
  int64_t work = classes * inner;
  parallel_for(n, max_of<int64_t>(1, 4 * LOSS_GRAIN / max_of<int64_t>(1, work)), [&](int64_t begin, int64_t end) {
    memset(out + begin * work, 0, size_t((end - begin) * work) * sizeof(T));
    for (int64_t b = begin; b < end; b++)
      for (int64_t i = 0; i < inner; i++) {
        int64_t t = target[b * inner + i];
        if (t == ignored) continue;
        T g = reduction == NONE ? grad[b * inner + i] : reduction == MEAN ? *grad / total : *grad;
        out[(b * classes + t) * inner + i] = weight ? -weight[t] * g : -g;
      }
  });
  return 0;
}

template <class T>
double cross_entropy(const double* f) {
  using V = Vec<T>;
  int64_t n = integer(f[0]), classes = integer(f[1]), ignored = integer(f[6]);
  auto logits = pointer<const T>(f[3]);
  auto target = pointer<const int64_t>(f[4]);
  auto out = pointer<T>(f[8]);
  auto logs = pointer<T>(f[10]);
  int reduction = int(f[7]);
  double smoothing = f[11], keep = 1 - smoothing, spread = smoothing / double(classes);
  if (double bad = check_targets(target, n, classes, ignored)) return bad;
  int64_t piece = max_of<int64_t>(1, (n + LOSS_PIECES - 1) / LOSS_PIECES), pieces = (n + piece - 1) / piece;
  double sums[LOSS_PIECES], counts[LOSS_PIECES];
  int64_t grain = max_of<int64_t>(1, LOSS_GRAIN / max_of<int64_t>(1, classes * piece));
  parallel_for(pieces, grain, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      double sum = 0, count = 0;
      for (int64_t i = p * piece; i < min_of(n, (p + 1) * piece); i++) {
        T* row = logs + i * classes;
        log_softmax_row(logits + i * classes, row, classes);
        int64_t t = target[i];
        double loss = 0;
        if (t != ignored) {
          loss = -double(row[t]);
          if (smoothing != 0) {
            double all = chunked_sum<V>(classes, [&](int64_t k, int64_t m) { return load_up_to<V>(row + k, m); });
            loss = keep * loss - spread * all;
          }
          count++;
        }
        sum += loss;
        if (reduction == NONE) out[i] = T(loss);
      }
      sums[p] = sum;
      counts[p] = count;
    }
  });
  double sum = 0, total = 0;
  for (int64_t p = 0; p < pieces; p++) {
    sum += sums[p];
    total += counts[p];
  }
  if (reduction != NONE) *out = T(reduction == MEAN ? sum / total : sum);
  *pointer<T>(f[9]) = T(total);
  return 0;
}

template <class T>
double cross_entropy_backward(const double* f) {
  using V = Vec<T>;
  constexpr int W = lanes<T>;
  int64_t n = integer(f[0]), classes = integer(f[1]), ignored = integer(f[6]);
  auto grad = pointer<const T>(f[3]);
  auto target = pointer<const int64_t>(f[4]);
  auto out = pointer<T>(f[8]);
  auto logs = pointer<const T>(f[10]);
  int reduction = int(f[7]);
  double smoothing = f[11];
  if (double bad = check_targets(target, n, classes, ignored)) return bad;
  T total = *pointer<const T>(f[9]);
  parallel_for(n, max_of<int64_t>(1, LOSS_GRAIN / max_of<int64_t>(1, classes)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      T* to = out + i * classes;
      const T* row = logs + i * classes;
      int64_t t = target[i];
      if (t == ignored) {
        memset(to, 0, size_t(classes) * sizeof(T));
        continue;
      }
      T g = reduction == NONE ? grad[i] : reduction == MEAN ? *grad / total : *grad;
      V scale = splat<V>(g), less = splat<V>(T(double(g) * smoothing / double(classes)));
      for (int64_t k = 0; k < classes; k += W) {
        V p = v_exp(load_up_to<V>(row + k, classes - k)) * scale;
        store_up_to(to + k, smoothing != 0 ? p - less : p, classes - k);
      }
      // The target's entry in one rounding, as PyTorch's log-softmax backward has it.
      V target_term = splat<V>(T(-double(g) * (1 - smoothing)));
      V own = v_mad(v_exp(splat<V>(row[t])), scale, target_term);
      to[t] = (smoothing != 0 ? own - less : own)[0];
    }
  });
  return 0;
}

}  // namespace
}  // namespace TT_NS

// All four return 0, or 1e15 + target for a target outside [0, C) that is not ignored; nothing is written then.

// f[0]=N f[1]=C f[2]=inner f[3]=log-probabilities [N,C,inner] f[4]=int64 target [N,inner] f[5]=weight [C] or 0
// f[6]=ignore_index f[7]=reduction (0 none, 1 mean, 2 sum) f[8]=out ([N,inner] for none, else 1) f[9]=total weight.
KERNEL(nll_f32) { return nll<float>(f); }
KERNEL(nll_f64) { return nll<double>(f); }

// As nll, but f[3]=gradient of the loss (1 or [N,inner]) f[8]=gradient of the input [N,C,inner] f[9]=total weight.
KERNEL(nll_backward_f32) { return nll_backward<float>(f); }
KERNEL(nll_backward_f64) { return nll_backward<double>(f); }

// f[0]=N f[1]=C f[3]=logits [N,C] f[4]=int64 target [N] f[6]=ignore_index f[7]=reduction f[8]=loss f[9]=number of
// targets that count f[10]=log-softmax out [N,C] f[11]=label smoothing.
KERNEL(cross_entropy_f32) { return cross_entropy<float>(f); }
KERNEL(cross_entropy_f64) { return cross_entropy<double>(f); }

// As cross_entropy, but f[3]=gradient of the loss (1 or [N]) f[8]=gradient of the logits, f[9] and f[10] as saved.
KERNEL(cross_entropy_backward_f32) { return cross_entropy_backward<float>(f); }
KERNEL(cross_entropy_backward_f64) { return cross_entropy_backward<double>(f); }
