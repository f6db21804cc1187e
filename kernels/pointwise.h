// The driver of pointwise kernels. One small function per kernel, `run`, works on whole vectors side by side in
// memory; everything else (dims, strides, tails, threads) is here, once, and knows only element sizes.
#pragma once

#include "parallel.h"
#include "vec.h"

namespace TT_NS {

// The output type of kernels whose result is a mask: bytes 0 and 1.
struct tt_bool {
  uint8_t value;
};

constexpr int max_inputs = 6;
constexpr int max_dims = 64;
// Elements gathered at a time where an operand does not lie side by side; a multiple of every unit.
constexpr int block = 256;
// The work, in elements times cost, below which threads do not pay.
constexpr int64_t least_work = 262144;

struct PointwiseOp {
  // Computes `units` times `unit` elements; after each unit, input k moves by step[k] bytes (0 for a repeated one).
  void (*run)(char* out, const char* const* in, const int64_t* step, int64_t units, const double* params);
  int inputs;
  int unit;
  int cost;
  bool divides;
  // Bytes of an element: of the output, then of the inputs.
  uint8_t size[1 + max_inputs];
};

double pointwise_run(const double* f, const PointwiseOp& op);

// Bytes 0 and 1 as numbers of V's lanes, and a mask as such bytes. GCC spells these conversions out byte by byte
// where it is not given the instruction.
template <class V>
TT_INLINE V load_bools(const char* p) {
  using T = Elem<V>;
  using B = Bits<V>;
  B b;
  if constexpr (sizeof(T) == 1)
    __builtin_memcpy(&b, p, sizeof b);
#if defined(__AVX512F__)
  else if constexpr (sizeof(T) == 4)
    b = (B)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  else
    b = (B)_mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
#elif defined(__AVX2__)
  else if constexpr (sizeof(T) == 4)
    b = (B)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  else
    b = (B)_mm256_cvtepu8_epi64(_mm_loadu_si32(p));
#else
  else
    for (int i = 0; i < lanes<T>; i++) b[i] = p[i];
#endif
  if constexpr (same<T, float> || same<T, double>)
    return as<V>((B{} - b) & as<B>(C<V>(1)));
  else
    return b;
}
template <class M>
TT_INLINE void store_bools(char* p, M m) {
  using T = Elem<M>;
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_srli_epi32((__m512i)m, 31)));
  } else if constexpr (sizeof(T) == 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm512_cvtepi64_epi8(_mm512_srli_epi64((__m512i)m, 63)));
  } else {
    M b = M{} - m;
    __builtin_memcpy(p, &b, sizeof b);
  }
#else
  if constexpr (sizeof(T) == 1) {
    M b = M{} - m;
    __builtin_memcpy(p, &b, sizeof b);
  } else {
#if defined(__AVX2__)
    uint32_t bits = sizeof(T) == 4 ? uint32_t(_mm256_movemask_ps((__m256)m)) : uint32_t(_mm256_movemask_pd((__m256d)m));
#elif defined(__x86_64__)
    uint32_t bits = sizeof(T) == 4 ? uint32_t(_mm_movemask_ps((__m128)m)) : uint32_t(_mm_movemask_pd((__m128d)m));
#endif
#if defined(__x86_64__)
    // Spreads the bits over the bytes of a word.
    uint64_t low = ((bits & 127) * 0x0002040810204081u) & 0x0101010101010101u;
    uint64_t bytes = low | uint64_t(bits >> 7 & 1) << 56;
    __builtin_memcpy(p, &bytes, lanes<T>);
#else
    for (int i = 0; i < lanes<T>; i++) p[i] = char(m[i] & 1);
#endif
  }
#endif
}

template <class Op, class T, class Out>
struct Pointwise {
  using V = Vec<T>;
  static constexpr int inputs = Op::inputs;

  static void run(char* out, const char* const* in, const int64_t* step, int64_t units, const double* params) {
    V p[Op::params > 0 ? Op::params : 1];
    for (int k = 0; k < Op::params; k++) p[k] = C<V>(params[k]);
    const char* q[inputs > 0 ? inputs : 1];
    int64_t s[inputs > 0 ? inputs : 1];
    for (int k = 0; k < inputs; k++) q[k] = in[k], s[k] = step[k];
    for (; units > 0; units--) {
      V x[inputs > 0 ? inputs : 1];
      for (int k = 0; k < inputs; k++) {
        if ((Op::boolIn >> k) & 1)
          x[k] = load_bools<V>(q[k]);
        else
          x[k] = load<V>(reinterpret_cast<const T*>(q[k]));
        q[k] += s[k];
      }
      auto y = Op::template eval<V>(x, p);
      if constexpr (same<Out, tt_bool>) {
        store_bools(out, y);
        out += lanes<T>;
      } else {
        static_assert(same<Out, T>, "a pointwise result has the type of its arithmetic, or is a mask");
        store<V>(reinterpret_cast<T*>(out), y);
        out += sizeof(V);
      }
    }
  }

  static constexpr uint8_t input_size(int k) { return k < inputs && ((Op::boolIn >> k) & 1) ? 1 : uint8_t(sizeof(T)); }

  static constexpr PointwiseOp op = {
      &run,
      inputs,
      lanes<T>,
      Op::cost,
      !same<T, float> && !same<T, double>,
      {uint8_t(sizeof(Out)), input_size(0), input_size(1), input_size(2), input_size(3), input_size(4), input_size(5)}};
};

#define PW(name, Op, T, Out) \
  KERNEL(name) { return pointwise_run(f, Pointwise<Op, T, Out>::op); }

}  // namespace TT_NS
