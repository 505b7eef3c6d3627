// What kernels use of CUDA's header of this name: storage, conversion and the plain operators of __half. The
// arithmetic rounds once per operation, as the device's does; the compiler's own 16-bit type does the work.
#pragma once

#include "atomics.h"

struct alignas(2) __half {
    unsigned short bits;

    __half() = default;
    __half(float x) : bits(emu::same_bits<unsigned short>(static_cast<_Float16>(x))) {}
    operator float() const { return static_cast<float>(emu::same_bits<_Float16>(bits)); }
};

struct alignas(4) __half2 {
    __half x, y;
};

using half = __half;
using half2 = __half2;

inline __half __float2half(float x) { return __half(x); }
inline __half __float2half_rn(float x) { return __half(x); }
// Not through float: that would round twice.
inline __half __double2half(double x) {
    __half rounded;
    rounded.bits = emu::same_bits<unsigned short>(static_cast<_Float16>(x));
    return rounded;
}
inline float __half2float(__half x) { return x; }
inline __half __ushort_as_half(unsigned short bits) { return emu::same_bits<__half>(bits); }
inline unsigned short __half_as_ushort(__half x) { return x.bits; }

inline __half __hadd(__half x, __half y) { return __half(float(x) + float(y)); }
inline __half __hsub(__half x, __half y) { return __half(float(x) - float(y)); }
inline __half __hmul(__half x, __half y) { return __half(float(x) * float(y)); }
inline __half __hfma(__half x, __half y, __half z) { return __double2half(double(x) * double(y) + double(z)); }
inline bool __hisnan(__half x) { return std::isnan(float(x)); }

inline __half2 __halves2half2(__half x, __half y) { return __half2{x, y}; }
inline __half2 __floats2half2_rn(float x, float y) { return __half2{__half(x), __half(y)}; }
inline float2 __half22float2(__half2 x) { return make_float2(x.x, x.y); }
