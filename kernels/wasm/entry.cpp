// What the WebAssembly module exports, and the few library functions that the compiler expects.
#include "parallel.h"

extern "C" {

extern TtKernel kernels_begin __asm__("__start_tt_wasm");
extern TtKernel kernels_end __asm__("__stop_tt_wasm");
extern unsigned char __heap_base;
void __wasm_call_ctors();

__attribute__((no_builtin)) void* memcpy(void* to, const void* from, size_t bytes) {
  __builtin_memcpy(to, from, bytes);
  return to;
}

__attribute__((no_builtin)) void* memmove(void* to, const void* from, size_t bytes) {
  __builtin_memmove(to, from, bytes);
  return to;
}

__attribute__((no_builtin)) void* memset(void* to, int value, size_t bytes) {
  __builtin_memset(to, value, bytes);
  return to;
}

alignas(64) static double frameValues[4096];

#define TT_EXPORT(name) __attribute__((export_name(#name)))

TT_EXPORT(frame) double* tt_frame() { return frameValues; }

TT_EXPORT(heap_base) unsigned char* tt_heap_base() { return &__heap_base; }

TT_EXPORT(init) void tt_init() { __wasm_call_ctors(); }

TT_EXPORT(kernel_count) int32_t tt_kernel_count() { return int32_t(&kernels_end - &kernels_begin); }

TT_EXPORT(kernel_name) const char* tt_kernel_name(int32_t id) { return (&kernels_begin)[id].name; }

TT_EXPORT(run) double tt_run(int32_t id) { return (&kernels_begin)[id].run(frameValues); }

}  // extern "C"
