// parallel_for(n, grain, fn): calls fn(begin, end) over [0, n) in chunks that start at multiples of `grain`.
// The chunks depend on the number of threads; a kernel whose result must not depend on it works per item.
#pragma once

#include "abi.h"

extern "C" {
// Scratch memory of the calling thread, 64-byte aligned, kept between calls; slots 0..3 are independent.
// In WebAssembly a slot holds at most 1 MiB. The GEMM uses slots 0, 1 and 2.
void* tt_workspace(int slot, size_t bytes);

// Defined in native/pool.cpp, once for all instruction sets, and in wasm/pool.cpp.
void tt_pool_run(void (*call)(void* context, int64_t begin, int64_t end), void* context, int64_t n, int64_t chunk);
int tt_pool_threads();
void tt_pool_set_threads(int threads);
}

namespace TT_NS {

TT_INLINE int thread_count() { return tt_pool_threads(); }

template <class F>
TT_INLINE void parallel_for(int64_t n, int64_t grain, F fn) {
  if (n <= 0) return;
  int threads = n <= grain ? 1 : tt_pool_threads();
  if (threads <= 1) {
    fn(int64_t(0), n);
    return;
  }
  if (grain < 1) grain = 1;
  // Up to four chunks a thread, so that a thread that is held up leaves work to the others.
  int64_t pieces = min_of<int64_t>((n + grain - 1) / grain, int64_t(threads) * 4);
  int64_t chunk = (n + pieces - 1) / pieces;
  chunk = (chunk + grain - 1) / grain * grain;
  auto call = [](void* context, int64_t begin, int64_t end) { (*static_cast<F*>(context))(begin, end); };
  tt_pool_run(call, &fn, n, chunk);
}

}  // namespace TT_NS
