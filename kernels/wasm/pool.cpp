// The thread pool in WebAssembly: the caller plus web workers that share its memory and sleep between jobs.
// The host starts them when work first asks for them; until one is ready, and where none can be, the caller works alone.
#include "../parallel.h"

namespace {

constexpr size_t kSlotBytes = size_t(1) << 20;
constexpr int kWorkerSpin = 2000;
constexpr int kCallerSpin = 4000;
constexpr int32_t kOpen = 1 << 30;

struct Job {
  void (*call)(void* context, int64_t begin, int64_t end);
  void* context;
  int64_t n;
  int64_t chunk;
  int32_t helpers;
};

// Written only while `state` is 0, read only by threads that are counted in it.
Job job;
int64_t nextChunk = 0;
// Whether the job takes helpers (kOpen), plus how many are at work.
int32_t state = 0;
int32_t epoch = 0;
int32_t ready = 0;
int32_t asked = 0;
int32_t threadLimit = 1;
bool callerMayWait = false;

alignas(64) unsigned char callerWorkspace[4 * kSlotBytes];
thread_local unsigned char* ownWorkspace = nullptr;
thread_local bool insideRegion = false;

void work() {
  insideRegion = true;
  for (;;) {
    int64_t begin = __atomic_fetch_add(&nextChunk, job.chunk, __ATOMIC_RELAXED);
    if (begin >= job.n) break;
    int64_t end = begin + job.chunk;
    job.call(job.context, begin, end < job.n ? end : job.n);
  }
  insideRegion = false;
}

bool join() {
  int32_t now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
  while ((now & kOpen) != 0 && (now & ~kOpen) < job.helpers) {
    if (__atomic_compare_exchange_n(&state, &now, now + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return true;
  }
  return false;
}

}  // namespace

extern "C" {

#define TT_EXPORT(name) __attribute__((export_name(#name)))

// Asks the host for workers; each calls thread_main once it runs.
__attribute__((import_module("env"), import_name("start_threads"))) void tt_start_threads(int32_t count);

int tt_pool_threads() {
  if (insideRegion || threadLimit == 1) return 1;
  if (asked < threadLimit - 1) {
    int32_t missing = threadLimit - 1 - asked;
    asked = threadLimit - 1;
    tt_start_threads(missing);
  }
  int32_t threads = 1 + __atomic_load_n(&ready, __ATOMIC_ACQUIRE);
  return threads < threadLimit ? threads : threadLimit;
}

TT_EXPORT(set_threads) void tt_pool_set_threads(int threads) { threadLimit = threads < 1 ? 1 : threads; }

// A page's main thread may not sleep, so there the caller spins until the helpers are done.
TT_EXPORT(set_may_wait) void tt_set_may_wait(int32_t mayWait) { callerMayWait = mayWait != 0; }

TT_EXPORT(thread_bytes) size_t tt_thread_bytes() { return sizeof(callerWorkspace); }

TT_EXPORT(threads_ready) int32_t tt_threads_ready() { return __atomic_load_n(&ready, __ATOMIC_ACQUIRE); }

// What a worker runs, for ever. Its stack and thread-local storage were set by the host.
TT_EXPORT(thread_main) void tt_thread_main(unsigned char* workspace) {
  ownWorkspace = workspace;
  int32_t seen = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
  __atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
  for (;;) {
    int spins = 0;
    while (__atomic_load_n(&epoch, __ATOMIC_ACQUIRE) == seen) {
      if (++spins > kWorkerSpin) __builtin_wasm_memory_atomic_wait32(&epoch, seen, -1);
    }
    seen = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
    if (!join()) continue;
    work();
    if (__atomic_sub_fetch(&state, 1, __ATOMIC_RELEASE) == 0) __builtin_wasm_memory_atomic_notify(&state, 1);
  }
}

void tt_pool_run(void (*call)(void* context, int64_t begin, int64_t end), void* context, int64_t n, int64_t chunk) {
  int32_t threads = tt_pool_threads();
  int64_t chunks = (n + chunk - 1) / chunk;
  int32_t helpers = chunks < threads ? int32_t(chunks) - 1 : threads - 1;
  if (helpers <= 0) {
    for (int64_t begin = 0; begin < n; begin += chunk) call(context, begin, begin + chunk < n ? begin + chunk : n);
    return;
  }
  job = Job{call, context, n, chunk, helpers};
  __atomic_store_n(&nextChunk, int64_t(0), __ATOMIC_RELAXED);
  __atomic_store_n(&state, kOpen, __ATOMIC_RELEASE);
  __atomic_fetch_add(&epoch, 1, __ATOMIC_RELEASE);
  __builtin_wasm_memory_atomic_notify(&epoch, uint32_t(helpers));

  work();

  // Closing first means that a worker that wakes up late is not waited for.
  int32_t left = __atomic_and_fetch(&state, ~kOpen, __ATOMIC_ACQ_REL);
  for (int spins = 0; left != 0; spins++) {
    if (callerMayWait && spins > kCallerSpin) __builtin_wasm_memory_atomic_wait32(&state, left, -1);
    left = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
  }
}

void* tt_workspace(int slot, size_t bytes) {
  if (bytes > kSlotBytes) __builtin_trap();
  unsigned char* own = ownWorkspace;
  return (own ? own : callerWorkspace) + size_t(slot) * kSlotBytes;
}

}  // extern "C"
