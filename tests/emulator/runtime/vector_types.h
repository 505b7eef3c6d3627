// CUDA's built-in vector types: the same members, sizes and alignments, so that a misaligned access can be seen.
#pragma once

// The alignment is the hardware's: a float4 is loaded in one 16-byte transaction and must lie on a 16-byte boundary.
#define EMU_VECTOR2(NAME, TYPE, ALIGNMENT)                                                                             \
    struct alignas(ALIGNMENT) NAME {                                                                                   \
        TYPE x, y;                                                                                                     \
    };                                                                                                                 \
    inline NAME make_##NAME(TYPE x, TYPE y) { return NAME{x, y}; }

#define EMU_VECTOR3(NAME, TYPE)                                                                                        \
    struct NAME {                                                                                                      \
        TYPE x, y, z;                                                                                                  \
    };                                                                                                                 \
    inline NAME make_##NAME(TYPE x, TYPE y, TYPE z) { return NAME{x, y, z}; }

#define EMU_VECTOR4(NAME, TYPE, ALIGNMENT)                                                                             \
    struct alignas(ALIGNMENT) NAME {                                                                                   \
        TYPE x, y, z, w;                                                                                               \
    };                                                                                                                 \
    inline NAME make_##NAME(TYPE x, TYPE y, TYPE z, TYPE w) { return NAME{x, y, z, w}; }

EMU_VECTOR2(char2, signed char, 2)
EMU_VECTOR2(uchar2, unsigned char, 2)
EMU_VECTOR2(short2, short, 4)
EMU_VECTOR2(ushort2, unsigned short, 4)
EMU_VECTOR2(int2, int, 8)
EMU_VECTOR2(uint2, unsigned int, 8)
EMU_VECTOR2(longlong2, long long, 16)
EMU_VECTOR2(ulonglong2, unsigned long long, 16)
EMU_VECTOR2(float2, float, 8)
EMU_VECTOR2(double2, double, 16)

EMU_VECTOR3(int3, int)
EMU_VECTOR3(uint3, unsigned int)
EMU_VECTOR3(float3, float)
EMU_VECTOR3(double3, double)

EMU_VECTOR4(char4, signed char, 4)
EMU_VECTOR4(uchar4, unsigned char, 4)
EMU_VECTOR4(short4, short, 8)
EMU_VECTOR4(ushort4, unsigned short, 8)
EMU_VECTOR4(int4, int, 16)
EMU_VECTOR4(uint4, unsigned int, 16)
EMU_VECTOR4(longlong4, long long, 16)
EMU_VECTOR4(ulonglong4, unsigned long long, 16)
EMU_VECTOR4(float4, float, 16)
EMU_VECTOR4(double4, double, 16)

#undef EMU_VECTOR2
#undef EMU_VECTOR3
#undef EMU_VECTOR4

struct dim3 {
    unsigned int x = 1, y = 1, z = 1;
};
