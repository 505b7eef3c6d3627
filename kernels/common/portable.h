// What lets one text compile under nvcc, NVRTC and g++ (C++17): the host/device macro, storage types, mathematics.
//
// - NVRTC has no standard headers; its mathematics is built in. g++ takes <math.h> and <string.h>.
// - EMULATED says that g++ compiles device code for the emulator: no inline PTX there.
// - Arrays hold storage types: float, double, half_t. Arithmetic<T>::type computes with them: double for double, float for
//   the others. load(x) and store<T>(a) convert; both round to nearest, ties to even.
// - Subnormal floats are lost on CUDA. NVRTC would keep them, but CuPy ends the options of every source, whatever they
//   are, in -ftz=true, and the last one counts: float arithmetic and comparisons take and give 0 for what is smaller
//   than 2^-126. g++ keeps it. Doubles keep theirs, and those of float16 are normal floats.
#pragma once

#if defined(__CUDACC__)
#define HD __host__ __device__ __forceinline__
#else
#define HD inline
#include <math.h>
#include <string.h>
#endif

#if defined(__CUDA_ARCH__) && !defined(EMULATED)
#define ON_DEVICE 1
#else
#define ON_DEVICE 0
#endif

// ---------------------------------------------------------------------- storage types
struct half_t {
    unsigned short bits;
};

template <class T>
struct Arithmetic {
    using type = float;
};

template <>
struct Arithmetic<double> {
    using type = double;
};

HD unsigned int bits_of(float x) {
#if ON_DEVICE
    return __float_as_uint(x);
#else
    unsigned int bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
#endif
}

HD float float_of(unsigned int bits) {
#if ON_DEVICE
    return __uint_as_float(bits);
#else
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
#endif
}

// Adding the bit that decides (the last one kept) to just under half of what is cut off rounds ties to even.
HD unsigned int rounded_shift(unsigned int x, int shift) {
    return (x + ((1u << (shift - 1)) - 1u) + ((x >> shift) & 1u)) >> shift;
}

HD unsigned short half_bits(float x) {
    const unsigned int bits = bits_of(x);
    const unsigned int sign = (bits >> 16) & 0x8000u;
    const unsigned int size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) {
        return static_cast<unsigned short>(sign | 0x7e00u);
    }
    if (size >= 0x477ff000u) {  // 65520, the middle between the greatest half and the next
        return static_cast<unsigned short>(sign | 0x7c00u);
    }
    if (size >= 0x38800000u) {  // 2^-14, the least normal half: the exponent's bias changes by 112
        return static_cast<unsigned short>(sign | rounded_shift(size - (112u << 23), 13));
    }
    const int shift = 126 - static_cast<int>(size >> 23);
    if (shift > 24) {  // below half of the least subnormal
        return static_cast<unsigned short>(sign);
    }
    return static_cast<unsigned short>(sign | rounded_shift((size & 0x7fffffu) | 0x800000u, shift));
}

HD float float_of_half(unsigned short half) {
    const unsigned int sign = (half & 0x8000u) << 16;
    const unsigned int size = half & 0x7fffu;
    if (size >= 0x7c00u) {
        return float_of(sign | 0x7f800000u | ((size & 0x3ffu) << 13));
    }
    if (size >= 0x400u) {
        return float_of(sign | ((size << 13) + (112u << 23)));
    }
    const float subnormal = static_cast<float>(size) * 5.9604644775390625e-8f;  // 2^-24
    return sign ? -subnormal : subnormal;
}

// ---------------------------------------------------------------------- conversions
HD float load(float x) { return x; }
HD double load(double x) { return x; }

HD float load(half_t x) {
#if ON_DEVICE
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
    return result;
#else
    return float_of_half(x.bits);
#endif
}

HD void assign(float& out, float x) { out = x; }
HD void assign(double& out, double x) { out = x; }

HD void assign(half_t& out, float x) {
#if ON_DEVICE
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
#else
    out.bits = half_bits(x);
#endif
}

template <class T>
HD T store(typename Arithmetic<T>::type x) {
    T result;
    assign(result, x);
    return result;
}

// ---------------------------------------------------------------------- mathematics, overloaded on float and double
namespace m {
HD float exp(float x) { return ::expf(x); }
HD double exp(double x) { return ::exp(x); }
HD float log(float x) { return ::logf(x); }
HD double log(double x) { return ::log(x); }
HD float sqrt(float x) { return ::sqrtf(x); }
HD double sqrt(double x) { return ::sqrt(x); }
HD float tanh(float x) { return ::tanhf(x); }
HD double tanh(double x) { return ::tanh(x); }
HD float pow(float x, float y) { return ::powf(x, y); }
HD double pow(double x, double y) { return ::pow(x, y); }
HD float abs(float x) { return ::fabsf(x); }
HD double abs(double x) { return ::fabs(x); }

// The normal distribution, to all its bits also far below 0, where (1 + erf) / 2 has none.
HD float normal_cdf(float x) {
#if ON_DEVICE
    return ::normcdff(x);
#else
    return 0.5f * ::erfcf(x * -0.7071067811865476f);
#endif
}

HD double normal_cdf(double x) {
#if ON_DEVICE
    return ::normcdf(x);
#else
    return 0.5 * ::erfc(x * -0.7071067811865476);
#endif
}

// NumPy's maximum and minimum: nan wins.
template <class A>
HD A max(A x, A y) {
    return x >= y || x != x ? x : y;
}

template <class A>
HD A min(A x, A y) {
    return x <= y || x != x ? x : y;
}

template <class A>
HD A infinity();
template <>
HD float infinity<float>() { return float_of(0x7f800000u); }
template <>
HD double infinity<double>() { return static_cast<double>(float_of(0x7f800000u)); }

// cos and sin of a full turn times x, for x in [0, 1). CUDA's sincospi needs no reduction of huge arguments, whose
// table would lie in local memory.
HD void turn(float x, float& cosine, float& sine) {
#if ON_DEVICE
    ::sincospif(2.0f * x, &sine, &cosine);
#else
    const float angle = x * 6.283185307179586f;
    cosine = ::cosf(angle);
    sine = ::sinf(angle);
#endif
}

HD void turn(double x, double& cosine, double& sine) {
#if ON_DEVICE
    ::sincospi(2.0 * x, &sine, &cosine);
#else
    const double angle = x * 6.283185307179586;
    cosine = ::cos(angle);
    sine = ::sin(angle);
#endif
}
}  // namespace m
