// The N-API addon: runs kernels on addresses, and tells which tracked objects the garbage collector has taken.
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>

#include "../parallel.h"

struct KernelTable {
  const char* isa;
  TtKernel* first;
  TtKernel* last;
};

#if defined(__APPLE__)
#define TT_DECLARE_TABLE(isa)                                                           \
  extern TtKernel begin_##isa __asm("section$start$__DATA$tt_" #isa);                   \
  extern TtKernel end_##isa __asm("section$end$__DATA$tt_" #isa);                       \
  static KernelTable table_##isa() { return {#isa, &begin_##isa, &end_##isa}; }
#else
#define TT_DECLARE_TABLE(isa)                                                           \
  extern TtKernel begin_##isa __asm__("__start_tt_" #isa) __attribute__((visibility("hidden"))); \
  extern TtKernel end_##isa __asm__("__stop_tt_" #isa) __attribute__((visibility("hidden")));    \
  static KernelTable table_##isa() { return {#isa, &begin_##isa, &end_##isa}; }
#endif

#if defined(__x86_64__)
TT_DECLARE_TABLE(avx512)
TT_DECLARE_TABLE(avx2)
TT_DECLARE_TABLE(generic)
#elif defined(__aarch64__)
TT_DECLARE_TABLE(neon)
#else
TT_DECLARE_TABLE(generic)
#endif

namespace {

KernelTable pick_table() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  // Tests use the variable to run the kernels of lesser processors.
  const char* wanted = getenv("TYPETORCH_ISA");
  if (wanted && strcmp(wanted, "generic") == 0) avx512 = avx2 = false;
  if (wanted && strcmp(wanted, "avx2") == 0) avx512 = false;
  return avx512 ? table_avx512() : avx2 ? table_avx2() : table_generic();
#elif defined(__aarch64__)
  return table_neon();
#else
  return table_generic();
#endif
}

// What belongs to one environment: the main thread and each worker thread have their own.
struct Environment {
  KernelTable table;
  int64_t kernels;
  double* frame;
  napi_ref frameBuffer;
  // Slot -> weak reference, and the slots in use side by side so that a sweep touches only those.
  napi_ref* references;
  int32_t* place;
  int32_t* live;
  int32_t* unused;
  int32_t capacity, liveCount, unusedCount;
};

Environment* environment_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value fail(napi_env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return nullptr;
}

template <int N>
bool arguments(napi_env env, napi_callback_info info, napi_value (&out)[N]) {
  size_t count = N;
  return napi_get_cb_info(env, info, &count, out, nullptr, nullptr) == napi_ok && count >= N;
}

void release_environment(napi_env env, void* data, void*) {
  Environment* own = static_cast<Environment*>(data);
  for (int32_t i = 0; i < own->liveCount; i++) napi_delete_reference(env, own->references[own->live[i]]);
  if (own->frameBuffer) napi_delete_reference(env, own->frameBuffer);
  free(own->references);
  free(own->place);
  free(own->live);
  free(own->unused);
  free(own);
}

napi_value init(napi_env env, napi_callback_info info) {
  napi_value args[2];
  Environment* own = environment_of(env);
  napi_typedarray_type type;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  int32_t threads = 1;
  if (!arguments(env, info, args) ||
      napi_get_typedarray_info(env, args[0], &type, &length, &data, &buffer, &offset) != napi_ok ||
      type != napi_float64_array || napi_get_value_int32(env, args[1], &threads) != napi_ok) {
    return fail(env, "init(frame: Float64Array, threads: number)");
  }
  if (own->frameBuffer) napi_delete_reference(env, own->frameBuffer);
  napi_create_reference(env, args[0], 1, &own->frameBuffer);
  own->frame = static_cast<double*>(data);
  tt_pool_set_threads(threads);

  napi_value result, isa, names;
  napi_create_object(env, &result);
  napi_create_string_utf8(env, own->table.isa, NAPI_AUTO_LENGTH, &isa);
  napi_set_named_property(env, result, "isa", isa);
  napi_create_array_with_length(env, size_t(own->kernels), &names);
  for (int64_t i = 0; i < own->kernels; i++) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value name;
    napi_create_string_utf8(env, own->table.first[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, uint32_t(i), name);
    napi_close_handle_scope(env, scope);
  }
  napi_set_named_property(env, result, "names", names);
  return result;
}

napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value id;
  void* data = nullptr;
  int32_t kernel = -1;
  napi_get_cb_info(env, info, &count, &id, nullptr, &data);
  Environment* own = static_cast<Environment*>(data);
  if (count < 1 || napi_get_value_int32(env, id, &kernel) != napi_ok || kernel < 0 || kernel >= own->kernels ||
      !own->frame) {
    return fail(env, "run(id: number): no such kernel, or init() was not called");
  }
  return number(env, own->table.first[kernel].run(own->frame));
}

napi_value address(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void* data = nullptr;
  size_t length = 0;
  if (!arguments(env, info, args) || napi_get_arraybuffer_info(env, args[0], &data, &length) != napi_ok) {
    return fail(env, "address(buffer: ArrayBuffer)");
  }
  return number(env, double(reinterpret_cast<uintptr_t>(data)));
}

napi_value set_threads(napi_env env, napi_callback_info info) {
  napi_value args[1];
  int32_t threads = 1;
  if (!arguments(env, info, args) || napi_get_value_int32(env, args[0], &threads) != napi_ok) {
    return fail(env, "setThreads(threads: number)");
  }
  tt_pool_set_threads(threads);
  return nullptr;
}

napi_value get_threads(napi_env env, napi_callback_info) { return number(env, tt_pool_threads()); }

bool grow(Environment* own) {
  int32_t before = own->capacity, capacity = before ? before * 2 : 1024;
  auto bigger = [&](auto*& list) {
    void* memory = realloc(list, size_t(capacity) * sizeof(*list));
    if (memory) list = static_cast<decltype(&*list)>(memory);
    return memory != nullptr;
  };
  if (!bigger(own->references) || !bigger(own->place) || !bigger(own->live) || !bigger(own->unused)) return false;
  own->capacity = capacity;
  for (int32_t slot = capacity - 1; slot >= before; slot--) own->unused[own->unusedCount++] = slot;
  return true;
}

void release_slot(napi_env env, Environment* own, int32_t slot) {
  napi_delete_reference(env, own->references[slot]);
  own->references[slot] = nullptr;
  int32_t last = own->live[--own->liveCount];
  own->live[own->place[slot]] = last;
  own->place[last] = own->place[slot];
  own->unused[own->unusedCount++] = slot;
}

napi_value track(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Environment* own = environment_of(env);
  napi_ref reference = nullptr;
  if (!arguments(env, info, args) || (own->unusedCount == 0 && !grow(own)) ||
      napi_create_reference(env, args[0], 0, &reference) != napi_ok) {
    return fail(env, "track(object: object)");
  }
  int32_t slot = own->unused[--own->unusedCount];
  own->references[slot] = reference;
  own->place[slot] = own->liveCount;
  own->live[own->liveCount++] = slot;
  return number(env, slot);
}

napi_value untrack(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Environment* own = environment_of(env);
  int32_t slot = -1;
  if (!arguments(env, info, args) || napi_get_value_int32(env, args[0], &slot) != napi_ok || slot < 0 ||
      slot >= own->capacity || !own->references[slot]) {
    return fail(env, "untrack(slot: number): the slot is not in use");
  }
  release_slot(env, own, slot);
  return nullptr;
}

napi_value sweep(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Environment* own = environment_of(env);
  napi_typedarray_type type;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (!arguments(env, info, args) ||
      napi_get_typedarray_info(env, args[0], &type, &length, &data, &buffer, &offset) != napi_ok ||
      type != napi_int32_array) {
    return fail(env, "sweep(out: Int32Array)");
  }
  int32_t* out = static_cast<int32_t*>(data);
  size_t found = 0;
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  // Backwards, because releasing a slot moves the last live one into its place.
  for (int32_t i = own->liveCount - 1; i >= 0 && found < length; i--) {
    if ((i & 255) == 0) {
      napi_close_handle_scope(env, scope);
      napi_open_handle_scope(env, &scope);
    }
    int32_t slot = own->live[i];
    napi_value value = nullptr;
    if (napi_get_reference_value(env, own->references[slot], &value) == napi_ok && value == nullptr) {
      release_slot(env, own, slot);
      out[found++] = slot;
    }
  }
  napi_close_handle_scope(env, scope);
  return number(env, double(found));
}

}  // namespace

NAPI_MODULE_INIT() {
  Environment* own = static_cast<Environment*>(calloc(1, sizeof(Environment)));
  if (!own) {
    napi_throw_error(env, nullptr, "out of memory");
    return nullptr;
  }
  own->table = pick_table();
  own->kernels = own->table.last - own->table.first;
  napi_set_instance_data(env, own, release_environment, nullptr);
  struct Export {
    const char* name;
    napi_callback call;
  };
  const Export list[] = {{"init", init},
                         {"run", run},
                         {"address", address},
                         {"setThreads", set_threads},
                         {"getThreads", get_threads},
                         {"track", track},
                         {"untrack", untrack},
                         {"sweep", sweep}};
  for (const Export& item : list) {
    napi_value function;
    if (napi_create_function(env, item.name, NAPI_AUTO_LENGTH, item.call, own, &function) != napi_ok ||
        napi_set_named_property(env, exports, item.name, function) != napi_ok) {
      return nullptr;
    }
  }
  return exports;
}
