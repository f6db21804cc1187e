// The kernel ABI: every kernel is `double kernel(const double* f)`, reading its arguments from the frame `f`.
// This file is compiled once per instruction set, so all of it lives in a namespace of its own per TT_ISA.
#pragma once

#if defined(__wasm__)
// Freestanding: WebAssembly builds have no C library.
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __INTPTR_TYPE__ intptr_t;
extern "C" {
void* memcpy(void* to, const void* from, size_t bytes);
void* memmove(void* to, const void* from, size_t bytes);
void* memset(void* to, int value, size_t bytes);
}
#else
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#if !defined(TT_ISA)
#if defined(__wasm__)
#define TT_ISA wasm
#elif defined(__aarch64__)
#define TT_ISA neon
#else
#define TT_ISA generic
#endif
#endif

#define TT_CAT2(a, b) a##b
#define TT_CAT(a, b) TT_CAT2(a, b)
#define TT_STR2(a) #a
#define TT_STR(a) TT_STR2(a)

// The namespace of this instruction set: tt_avx512, tt_avx2, tt_generic, tt_neon or tt_wasm.
#define TT_NS TT_CAT(tt_, TT_ISA)

#if defined(__AVX512F__)
#define TT_VEC_BYTES 64
#elif defined(__AVX2__)
#define TT_VEC_BYTES 32
#else
#define TT_VEC_BYTES 16
#endif

#define TT_INLINE inline __attribute__((always_inline))
#define TT_NOINLINE __attribute__((noinline))
#define TT_RESTRICT __restrict__
#define TT_LIKELY(x) __builtin_expect(!!(x), 1)
#define TT_UNLIKELY(x) __builtin_expect(!!(x), 0)

struct TtKernel {
  const char* name;
  double (*run)(const double* f);
};

// Registered kernels lie side by side in one linker section per instruction set. Nothing runs at load time, which
// matters: a static constructor compiled for AVX-512 would crash an older processor before the choice is made.
#if defined(__APPLE__)
#define TT_KERNEL_SECTION "__DATA," TT_STR(TT_NS)
#else
#define TT_KERNEL_SECTION TT_STR(TT_NS)
#endif

#define KERNEL(name)                                                                            \
  namespace TT_NS {                                                                             \
  static double name(const double* f);                                                          \
  __attribute__((used, section(TT_KERNEL_SECTION), aligned(sizeof(void*) * 2))) TtKernel TT_CAT( \
      tt_kernel_, name) = {#name, &name};                                                       \
  }                                                                                             \
  static double TT_NS::name([[maybe_unused]] const double* f)

namespace TT_NS {

// An address from the frame, as a typed pointer. Addresses and sizes are exact in a double.
template <class T>
TT_INLINE T* pointer(double address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

TT_INLINE int64_t integer(double value) { return static_cast<int64_t>(value); }

template <class T>
TT_INLINE T min_of(T a, T b) {
  return b < a ? b : a;
}

template <class T>
TT_INLINE T max_of(T a, T b) {
  return a < b ? b : a;
}

}  // namespace TT_NS
