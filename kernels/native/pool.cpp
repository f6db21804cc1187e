// The thread pool: one caller at a time plus sleeping workers. POSIX threads alone, so that nothing has to be torn
// down when the process exits or when an environment is unloaded.
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "../parallel.h"

namespace {

constexpr int kMaxThreads = 256;
constexpr int kWorkerSpin = 2000;
constexpr int kCallerSpin = 4000;

struct Job {
  void (*call)(void* context, int64_t begin, int64_t end);
  void* context;
  int64_t n;
  int64_t chunk;
};

pthread_mutex_t regionLock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t stateLock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t wakeWorkers = PTHREAD_COND_INITIALIZER;
pthread_cond_t wakeCaller = PTHREAD_COND_INITIALIZER;

// Guarded by stateLock, except that spinning threads peek at epoch and active.
Job job;
bool jobOpen = false;
int sleeping = 0;
int started = 0;
int helpersWanted = 0;
uint32_t epoch = 0;
int active = 0;

int64_t nextChunk = 0;
int threadLimit = 1;
thread_local bool insideRegion = false;

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void work(const Job& mine) {
  insideRegion = true;
  for (;;) {
    int64_t begin = __atomic_fetch_add(&nextChunk, mine.chunk, __ATOMIC_RELAXED);
    if (begin >= mine.n) break;
    int64_t end = begin + mine.chunk;
    mine.call(mine.context, begin, end < mine.n ? end : mine.n);
  }
  insideRegion = false;
}

void* worker(void*) {
  uint32_t seen = 0;
  for (;;) {
    for (int i = 0; i < kWorkerSpin && __atomic_load_n(&epoch, __ATOMIC_ACQUIRE) == seen; i++) pause_briefly();
    pthread_mutex_lock(&stateLock);
    while (epoch == seen) {
      sleeping++;
      pthread_cond_wait(&wakeWorkers, &stateLock);
      sleeping--;
    }
    seen = epoch;
    bool join = jobOpen && active < helpersWanted;
    Job mine = job;
    if (join) __atomic_fetch_add(&active, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&stateLock);
    if (!join) continue;
    work(mine);
    pthread_mutex_lock(&stateLock);
    if (__atomic_sub_fetch(&active, 1, __ATOMIC_RELEASE) == 0 && !jobOpen) pthread_cond_signal(&wakeCaller);
    pthread_mutex_unlock(&stateLock);
  }
  return nullptr;
}

// The workers outlive every environment, so the code they run must never be unmapped.
void keep_library_loaded() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&worker), &info) && info.dli_fname) {
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE);
  }
}

void start_workers(int count) {
  if (started >= count) return;
  if (started == 0) keep_library_loaded();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, size_t(2) << 20);
  while (started < count) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, worker, nullptr) != 0) break;
    started++;
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

struct Workspace {
  void* memory[4];
  size_t bytes[4];
};

pthread_key_t workspaceKey;
pthread_once_t workspaceOnce = PTHREAD_ONCE_INIT;
thread_local Workspace* ownWorkspace = nullptr;

void free_workspace(void* value) {
  Workspace* space = static_cast<Workspace*>(value);
  for (void* memory : space->memory) free(memory);
  free(space);
}

void make_workspace_key() {
  keep_library_loaded();
  pthread_key_create(&workspaceKey, free_workspace);
}

}  // namespace

extern "C" {

int tt_pool_threads() { return insideRegion ? 1 : __atomic_load_n(&threadLimit, __ATOMIC_RELAXED); }

void tt_pool_set_threads(int threads) {
  if (threads < 1) threads = 1;
  if (threads > kMaxThreads) threads = kMaxThreads;
  __atomic_store_n(&threadLimit, threads, __ATOMIC_RELAXED);
}

void tt_pool_run(void (*call)(void* context, int64_t begin, int64_t end), void* context, int64_t n, int64_t chunk) {
  // A second environment that finds the pool busy does its work alone, in the same chunks.
  if (insideRegion || pthread_mutex_trylock(&regionLock) != 0) {
    for (int64_t begin = 0; begin < n; begin += chunk) call(context, begin, begin + chunk < n ? begin + chunk : n);
    return;
  }
  int limit = __atomic_load_n(&threadLimit, __ATOMIC_RELAXED);
  int64_t chunks = (n + chunk - 1) / chunk;
  int helpers = chunks < limit ? int(chunks) - 1 : limit - 1;

  pthread_mutex_lock(&stateLock);
  start_workers(limit - 1);
  job = Job{call, context, n, chunk};
  __atomic_store_n(&nextChunk, int64_t(0), __ATOMIC_RELAXED);
  helpersWanted = helpers;
  jobOpen = true;
  __atomic_store_n(&epoch, epoch + 1, __ATOMIC_RELEASE);
  int asleep = sleeping < helpers ? sleeping : helpers;
  pthread_mutex_unlock(&stateLock);
  for (int i = 0; i < asleep; i++) pthread_cond_signal(&wakeWorkers);

  work(Job{call, context, n, chunk});

  // Closing the job first means that a worker that wakes up late is not waited for.
  pthread_mutex_lock(&stateLock);
  jobOpen = false;
  pthread_mutex_unlock(&stateLock);
  for (int i = 0; i < kCallerSpin && __atomic_load_n(&active, __ATOMIC_ACQUIRE) != 0; i++) pause_briefly();
  if (__atomic_load_n(&active, __ATOMIC_ACQUIRE) != 0) {
    pthread_mutex_lock(&stateLock);
    while (active != 0) pthread_cond_wait(&wakeCaller, &stateLock);
    pthread_mutex_unlock(&stateLock);
  }
  pthread_mutex_unlock(&regionLock);
}

void* tt_workspace(int slot, size_t bytes) {
  Workspace* space = ownWorkspace;
  if (!space) {
    pthread_once(&workspaceOnce, make_workspace_key);
    space = static_cast<Workspace*>(calloc(1, sizeof(Workspace)));
    ownWorkspace = space;
    pthread_setspecific(workspaceKey, space);
  }
  if (space->bytes[slot] < bytes) {
    free(space->memory[slot]);
    space->memory[slot] = nullptr;
    space->bytes[slot] = 0;
    if (posix_memalign(&space->memory[slot], 64, bytes) != 0) abort();
    space->bytes[slot] = bytes;
  }
  return space->memory[slot];
}

}  // extern "C"
