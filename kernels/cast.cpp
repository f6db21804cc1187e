// Casts and copies between all element types, and the pointwise driver.
#include "pointwise_driver.h"

namespace TT_NS {

// Elements per step of a cast. A loop of fixed length becomes vector code, but from 16 steps down GCC unrolls it first
// and then converts bytes one by one.
constexpr int cast_unit = 32;

// Floating to integer as x86 converts: toward zero, and the least number where the result does not fit or is NaN.
template <class To, class From>
TT_INLINE To to_integer(From x) {
  constexpr To least = To(To(1) << (sizeof(To) * 8 - 1));
  constexpr From limit = From(sizeof(To) == 8 ? 9223372036854775808.0 : 2147483648.0);
  return x > -limit - (sizeof(From) > sizeof(To) ? From(1) : From(0)) && x < limit ? To(x) : least;
}

template <class To, class From>
TT_INLINE To cast_one(From x) {
  constexpr bool real_in = same<From, float> || same<From, double>;
  if constexpr (same<To, tt_bool>) {
    return {uint8_t(x != From(0))};
  } else if constexpr (!real_in || same<To, float> || same<To, double>) {
    return static_cast<To>(x);
  } else if constexpr (same<To, uint8_t>) {
    return static_cast<uint8_t>(to_integer<int64_t>(x));
  } else {
    return to_integer<To>(x);
  }
}

template <class From, class To>
struct Cast {
  static void run(char* out, const char* const* in, const int64_t* step, int64_t units, const double*) {
    const char* p = in[0];
    if (same<From, To> && step[0] != 0) {
      if (out != p) __builtin_memmove(out, p, size_t(units) * cast_unit * sizeof(To));
      return;
    }
    for (; units > 0; units--, p += step[0], out += cast_unit * sizeof(To)) {
      From x[cast_unit];
      To y[cast_unit];
      __builtin_memcpy(x, p, sizeof x);
      for (int i = 0; i < cast_unit; i++) y[i] = cast_one<To>(x[i]);
      __builtin_memcpy(out, y, sizeof y);
    }
  }
  static constexpr PointwiseOp op = {&run, 1, cast_unit, 1, false, {sizeof(To), sizeof(From)}};
};

// bool is stored as 0 or 1, so reading it is reading a small number, and copying it is copying a byte.
using bool_in = uint8_t;

}  // namespace TT_NS

#define CAST(from, From, to, To) \
  KERNEL(cast_##from##_##to) { return TT_NS::pointwise_run(f, TT_NS::Cast<From, To>::op); }
#define CASTS_FROM(from, From)     \
  CAST(from, From, f32, float)     \
  CAST(from, From, f64, double)    \
  CAST(from, From, i64, int64_t)   \
  CAST(from, From, i32, int32_t)   \
  CAST(from, From, u8, uint8_t)
CASTS_FROM(f32, float)
CASTS_FROM(f64, double)
CASTS_FROM(i64, int64_t)
CASTS_FROM(i32, int32_t)
CASTS_FROM(u8, uint8_t)
CASTS_FROM(bool, TT_NS::bool_in)
CAST(f32, float, bool, TT_NS::tt_bool)
CAST(f64, double, bool, TT_NS::tt_bool)
CAST(i64, int64_t, bool, TT_NS::tt_bool)
CAST(i32, int32_t, bool, TT_NS::tt_bool)
CAST(u8, uint8_t, bool, TT_NS::tt_bool)
CAST(bool, uint8_t, bool, uint8_t)
