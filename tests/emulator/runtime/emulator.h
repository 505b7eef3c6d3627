// The CUDA language for a host compiler. Included before a .cu file by the build: the file itself is not changed.
//
// Two words of the language are left alone here, because no macro can express them; source.py rewrites them after
// the preprocessor: __shared__ declarations, and __global__ (from which it reads the kernels' signatures).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

#define EMULATED 1

#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __builtin_assume(condition) ((void)0)

#include "vector_types.h"
// Order: what follows uses the vector types.
#include "thread.h"
// Order: what follows uses the thread.
#include "atomics.h"
#include "collectives.h"
#include "intrinsics.h"
