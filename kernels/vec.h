// Vectors as the compilers' vector extension, one source for x86, ARM and WebAssembly. What GCC and Clang, or the
// instruction sets, do differently is hidden here. v_mad says where fusing is wanted; none is relied on elsewhere.
#pragma once

#include "abi.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__clang__)
#pragma clang fp contract(off)
#else
// GCC's own intrinsics and its bounds analysis of copy_small give false alarms.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

// 1 where v_mad is a true fused multiply-add (relaxed WebAssembly may or may not fuse).
#if defined(__FMA__) || defined(__aarch64__)
#define TT_FUSED 1
#else
#define TT_FUSED 0
#endif

namespace TT_NS {

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(TT_VEC_BYTES)));
};
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
constexpr int lanes = TT_VEC_BYTES / int(sizeof(T));

template <class T>
struct RemoveRef {
  using type = T;
};
template <class T>
struct RemoveRef<T&> {
  using type = T;
};

template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;

// The element type of a vector, and the result type of its comparisons (all ones for true).
template <class V>
using Elem = typename RemoveRef<decltype((*static_cast<V*>(nullptr))[0])>::type;
template <class V>
using Mask = decltype(*static_cast<V*>(nullptr) < *static_cast<V*>(nullptr));

template <class T>
struct BitsOf {
  using type = T;
};
template <>
struct BitsOf<float> {
  using type = int32_t;
};
template <>
struct BitsOf<double> {
  using type = int64_t;
};
// The integer vector with the same lanes as V.
template <class V>
using Bits = Vec<typename BitsOf<Elem<V>>::type>;

using VF = Vec<float>;
using VD = Vec<double>;

template <class V>
TT_INLINE V load(const Elem<V>* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}

template <class V>
TT_INLINE void store(Elem<V>* p, V v) {
  __builtin_memcpy(p, &v, sizeof(V));
}

template <class V>
TT_INLINE V splat(Elem<V> x) {
  return V{} + x;
}
template <>
TT_INLINE VF splat<VF>(float x) {
#if TT_VEC_BYTES == 64
  return VF{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif TT_VEC_BYTES == 32
  return VF{x, x, x, x, x, x, x, x};
#else
  return VF{x, x, x, x};
#endif
}
template <>
TT_INLINE VD splat<VD>(double x) {
#if TT_VEC_BYTES == 64
  return VD{x, x, x, x, x, x, x, x};
#elif TT_VEC_BYTES == 32
  return VD{x, x, x, x};
#else
  return VD{x, x};
#endif
}

// A constant written as a double, in V's element type.
template <class V>
TT_INLINE V C(double x) {
  return splat<V>(static_cast<Elem<V>>(x));
}

// The same bits as another vector type of the same size.
template <class U, class V>
TT_INLINE U as(V v) {
  static_assert(sizeof(U) == sizeof(V), "as() needs equal sizes");
  return (U)v;
}

// Lane by lane value conversion; the lane counts must agree.
template <class U, class V>
TT_INLINE U convert(V v) {
  return __builtin_convertvector(v, U);
}

// Copies 0 <= bytes <= TT_VEC_BYTES without calling memcpy.
TT_INLINE void copy_small(void* to, const void* from, int64_t bytes) {
  char* t = static_cast<char*>(to);
  const char* s = static_cast<const char*>(from);
#define TT_COPY(k)                                \
  if (k <= TT_VEC_BYTES && (bytes & k)) {         \
    __builtin_memcpy(t, s, min_of(k, TT_VEC_BYTES)); \
    t += k, s += k;                               \
  }
  TT_COPY(64) TT_COPY(32) TT_COPY(16) TT_COPY(8) TT_COPY(4) TT_COPY(2) TT_COPY(1)
#undef TT_COPY
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// All ones in the first n 4-byte lanes.
TT_INLINE __m256i words_below(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

// The first n (0 <= n <= lanes) elements; the other lanes are those of `fill`, and no byte past the n is read.
template <class V>
TT_INLINE V load_n(const Elem<V>* p, int64_t n, V fill = V{}) {
#if defined(__AVX512F__) && defined(__AVX512BW__)
  if constexpr (sizeof(Elem<V>) == 4)
    return (V)_mm512_mask_loadu_epi32((__m512i)fill, __mmask16((1u << n) - 1), p);
  else if constexpr (sizeof(Elem<V>) == 8)
    return (V)_mm512_mask_loadu_epi64((__m512i)fill, __mmask8((1u << n) - 1), p);
  else
    return (V)_mm512_mask_loadu_epi8((__m512i)fill, n >= 64 ? ~0ull : (1ull << n) - 1, p);
#else
  const int64_t bytes = n * int64_t(sizeof(Elem<V>));
#if defined(__AVX2__)
  if ((bytes & 3) == 0) {
    __m256i m = words_below(bytes >> 2);
    return (V)_mm256_blendv_epi8((__m256i)fill, _mm256_maskload_epi32(reinterpret_cast<const int*>(p), m), m);
  }
#endif
  copy_small(&fill, p, bytes);
  return fill;
#endif
}

template <class V>
TT_INLINE void store_n(Elem<V>* p, V v, int64_t n) {
#if defined(__AVX512F__) && defined(__AVX512BW__)
  if constexpr (sizeof(Elem<V>) == 4)
    _mm512_mask_storeu_epi32(p, __mmask16((1u << n) - 1), (__m512i)v);
  else if constexpr (sizeof(Elem<V>) == 8)
    _mm512_mask_storeu_epi64(p, __mmask8((1u << n) - 1), (__m512i)v);
  else
    _mm512_mask_storeu_epi8(p, n >= 64 ? ~0ull : (1ull << n) - 1, (__m512i)v);
#else
  const int64_t bytes = n * int64_t(sizeof(Elem<V>));
#if defined(__AVX2__)
  if ((bytes & 3) == 0) {
    _mm256_maskstore_epi32(reinterpret_cast<int*>(p), words_below(bytes >> 2), (__m256i)v);
    return;
  }
#endif
  copy_small(p, &v, bytes);
#endif
}

// A whole vector, or its first n elements where fewer are left.
template <class V>
TT_INLINE V load_up_to(const Elem<V>* p, int64_t n) {
  return n >= lanes<Elem<V>> ? load<V>(p) : load_n<V>(p, n);
}
template <class V>
TT_INLINE void store_up_to(Elem<V>* p, V v, int64_t n) {
  if (n >= lanes<Elem<V>>)
    store(p, v);
  else
    store_n(p, v, n);
}

// m ? a : b by lane; m is a comparison result, or any integer vector with lanes of the same size. Use it in place of
// the operator: with relaxed SIMD Clang turns x > y ? x : y into an instruction that is free to drop a NaN, even when
// written with bit operations, so the mask is hidden from it here.
template <class M, class V>
TT_INLINE V v_where(M m, V a, V b) {
  static_assert(sizeof(Elem<M>) == sizeof(Elem<V>), "mask and values differ in lane size");
#if defined(__wasm_relaxed_simd__)
  __asm__("" : "+r"(m));
#endif
  return m ? a : b;
}

// Whether any lane of a comparison result is true.
template <class M>
TT_INLINE bool any(M m) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_epi8((__m256i)m) != 0;
#elif defined(__x86_64__)
  return _mm_movemask_epi8((__m128i)m) != 0;
#elif defined(__wasm__)
  return __builtin_wasm_any_true_v128((signed char __attribute__((vector_size(16))))m);
#elif defined(__aarch64__)
  return vmaxvq_u32((uint32x4_t)m) != 0;
#endif
}

// a * b + c, fused where the hardware does that quickly. See TT_FUSED.
TT_INLINE VF v_mad(VF a, VF b, VF c) {
#if defined(__AVX512F__)
  return (VF)_mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__) && defined(__FMA__)
  return (VF)_mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return (VF)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}
TT_INLINE VD v_mad(VD a, VD b, VD c) {
#if defined(__AVX512F__)
  return (VD)_mm512_fmadd_pd(a, b, c);
#elif defined(__AVX2__) && defined(__FMA__)
  return (VD)_mm256_fmadd_pd(a, b, c);
#elif defined(__aarch64__)
  return (VD)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f64x2(a, b, c);
#else
  return a * b + c;
#endif
}

TT_INLINE VF v_sqrt(VF x) {
#if defined(__AVX512F__)
  return (VF)_mm512_sqrt_ps(x);
#elif defined(__AVX2__)
  return (VF)_mm256_sqrt_ps(x);
#elif defined(__x86_64__)
  return (VF)_mm_sqrt_ps(x);
#elif defined(__aarch64__)
  return (VF)vsqrtq_f32((float32x4_t)x);
#else
  return __builtin_elementwise_sqrt(x);
#endif
}
TT_INLINE VD v_sqrt(VD x) {
#if defined(__AVX512F__)
  return (VD)_mm512_sqrt_pd(x);
#elif defined(__AVX2__)
  return (VD)_mm256_sqrt_pd(x);
#elif defined(__x86_64__)
  return (VD)_mm_sqrt_pd(x);
#elif defined(__aarch64__)
  return (VD)vsqrtq_f64((float64x2_t)x);
#else
  return __builtin_elementwise_sqrt(x);
#endif
}
template <class V>
TT_INLINE V v_rsqrt(V x) {
  return C<V>(1) / v_sqrt(x);
}

template <class V>
TT_INLINE V sign_bit() {
  return C<V>(-0.0);
}
template <class V>
TT_INLINE V v_abs(V x) {
  using T = Elem<V>;
  if constexpr (same<T, float> || same<T, double>)
    return (V)((Bits<V>)x & ~(Bits<V>)sign_bit<V>());
  else if constexpr (T(-1) < T(0))
    return v_where(x < V{}, V{} - x, x);
  else
    return x;
}
// x with the sign of s.
template <class V>
TT_INLINE V v_copysign(V x, V s) {
  auto bit = (Bits<V>)sign_bit<V>();
  return (V)(((Bits<V>)x & ~bit) | ((Bits<V>)s & bit));
}
// x with its sign flipped where s is negative.
template <class V>
TT_INLINE V v_mulsign(V x, V s) {
  return (V)((Bits<V>)x ^ ((Bits<V>)s & (Bits<V>)sign_bit<V>()));
}

// a > b ? a : b and a < b ? a : b: the second operand where either is NaN.
template <class V>
TT_INLINE V v_max_fast(V a, V b) {
#if defined(__wasm__)
  if constexpr (same<V, VF>) return __builtin_wasm_pmax_f32x4(b, a);
  if constexpr (same<V, VD>) return __builtin_wasm_pmax_f64x2(b, a);
#endif
  return a > b ? a : b;
}
template <class V>
TT_INLINE V v_min_fast(V a, V b) {
#if defined(__wasm__)
  if constexpr (same<V, VF>) return __builtin_wasm_pmin_f32x4(b, a);
  if constexpr (same<V, VD>) return __builtin_wasm_pmin_f64x2(b, a);
#endif
  return a < b ? a : b;
}

template <class V>
TT_INLINE Mask<V> v_isnan(V x) {
  return x != x;
}
template <class V>
TT_INLINE Mask<V> v_isinf(V x) {
  return v_abs(x) == C<V>(__builtin_inf());
}

// Maximum and minimum that give NaN where either operand is NaN.
template <class V>
TT_INLINE V v_max(V a, V b) {
  if constexpr (same<Elem<V>, float> || same<Elem<V>, double>) return v_where((a < b) | (b != b), b, a);
  return v_where(a < b, b, a);
}
template <class V>
TT_INLINE V v_min(V a, V b) {
  if constexpr (same<Elem<V>, float> || same<Elem<V>, double>) return v_where((b < a) | (b != b), b, a);
  return v_where(b < a, b, a);
}

// Rounding. `mode`: 0 to nearest even, 1 down, 2 up, 3 toward zero. The sign of zero is kept, as in C.
template <int mode, class V>
TT_INLINE V v_rounding(V x) {
#if defined(__AVX512F__)
  if constexpr (same<V, VF>)
    return (VF)_mm512_roundscale_ps(x, mode | 8);
  else
    return (VD)_mm512_roundscale_pd(x, mode | 8);
#elif defined(__AVX2__)
  if constexpr (same<V, VF>)
    return (VF)_mm256_round_ps(x, mode | 8);
  else
    return (VD)_mm256_round_pd(x, mode | 8);
#elif defined(__clang__)
  if constexpr (mode == 0) return __builtin_elementwise_roundeven(x);
  if constexpr (mode == 1) return __builtin_elementwise_floor(x);
  if constexpr (mode == 2) return __builtin_elementwise_ceil(x);
  if constexpr (mode == 3) return __builtin_elementwise_trunc(x);
#else
  // From 2^23 (2^52) on every value is whole; below, adding that number rounds to nearest even.
  const V big = C<V>(same<V, VF> ? 8388608.0 : 4503599627370496.0);
  V a = v_abs(x);
  V n = (a + big) - big;
  if constexpr (mode == 3) n = v_where(n > a, n - C<V>(1), n);
  n = v_copysign(n, x);
  if constexpr (mode == 1) n = v_where(n > x, n - C<V>(1), n);
  if constexpr (mode == 2) n = v_copysign(v_where(n < x, n + C<V>(1), n), x);
  return v_where(a < big, n, x);
#endif
}
template <class V>
TT_INLINE V v_round(V x) {
  return v_rounding<0>(x);
}
template <class V>
TT_INLINE V v_floor(V x) {
  return v_rounding<1>(x);
}
template <class V>
TT_INLINE V v_ceil(V x) {
  return v_rounding<2>(x);
}
template <class V>
TT_INLINE V v_trunc(V x) {
  return v_rounding<3>(x);
}

// Half of the lanes of a float vector as doubles, and the way back.
#if TT_VEC_BYTES == 64
#define TT_LOW 0, 1, 2, 3, 4, 5, 6, 7
#define TT_HIGH 8, 9, 10, 11, 12, 13, 14, 15
#elif TT_VEC_BYTES == 32
#define TT_LOW 0, 1, 2, 3
#define TT_HIGH 4, 5, 6, 7
#else
#define TT_LOW 0, 1
#define TT_HIGH 2, 3
#endif
TT_INLINE VD widen_low(VF x) {
#if defined(__x86_64__) && TT_VEC_BYTES == 16
  return (VD)_mm_cvtps_pd(x);
#else
  return __builtin_convertvector(__builtin_shufflevector(x, x, TT_LOW), VD);
#endif
}
TT_INLINE VD widen_high(VF x) {
#if defined(__x86_64__) && TT_VEC_BYTES == 16
  return (VD)_mm_cvtps_pd(_mm_movehl_ps(x, x));
#else
  return __builtin_convertvector(__builtin_shufflevector(x, x, TT_HIGH), VD);
#endif
}
TT_INLINE VF narrow(VD low, VD high) {
#if defined(__AVX512F__)
  return (VF)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
#elif defined(__AVX2__)
  return (VF)_mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
#elif defined(__x86_64__)
  return (VF)_mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
#else
  typedef float Half __attribute__((vector_size(TT_VEC_BYTES / 2)));
  return __builtin_shufflevector(__builtin_convertvector(low, Half), __builtin_convertvector(high, Half), 0, 1, 2, 3);
#endif
}

// A float function computed in double: f is called with both halves.
template <class F>
TT_INLINE VF through_double(VF x, F f) {
  return narrow(f(widen_low(x)), f(widen_high(x)));
}

// A function of one lane at a time, for rare cases.
template <class V, class F>
TT_INLINE V by_lane(V x, F f) {
  Elem<V> t[lanes<Elem<V>>];
  store(t, x);
  for (int i = 0; i < lanes<Elem<V>>; i++) t[i] = f(t[i]);
  return load<V>(t);
}
template <class V, class F>
TT_INLINE V by_lane(V x, V y, F f) {
  Elem<V> s[lanes<Elem<V>>], t[lanes<Elem<V>>];
  store(s, x);
  store(t, y);
  for (int i = 0; i < lanes<Elem<V>>; i++) s[i] = f(s[i], t[i]);
  return load<V>(s);
}

}  // namespace TT_NS
