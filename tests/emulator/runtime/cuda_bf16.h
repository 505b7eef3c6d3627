// What kernels use of CUDA's header of this name: storage and conversion of __nv_bfloat16, the upper half of a float.
#pragma once

#include "atomics.h"

struct alignas(2) __nv_bfloat16 {
    unsigned short bits;

    __nv_bfloat16() = default;
    __nv_bfloat16(float x) : bits(nearest(x)) {}
    operator float() const { return emu::same_bits<float>(static_cast<uint32_t>(bits) << 16); }

   private:
    // To nearest, ties to even; NaN must not become infinity by losing its low bits.
    static unsigned short nearest(float x) {
        auto word = emu::same_bits<uint32_t>(x);
        if (std::isnan(x)) return 0x7fff;
        return static_cast<unsigned short>((word + 0x7fff + (word >> 16 & 1)) >> 16);
    }
};

struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return __nv_bfloat16(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return x; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return emu::same_bits<__nv_bfloat16>(bits); }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits; }
