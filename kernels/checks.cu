// Fuses: the comparison of indices with their bounds, the search for the first one outside, and (wrap) the wrapping of
// negative ones, in one pass that the host does not wait for. An error stays in the error word until the host looks.
//
// Bytes an element (b bytes each): b, with wrap 2b (compositions: 10b and a wait). Roof: memory, or the launch.
//
// The result is the same in every run: the blocks agree on the least position, and the last one to finish reports it
// if the word is still free. Launches that share a word must be on one stream.
#include "launch.cuh"
#include "checks.h"

template <class I>
DEVICE void report(const I* indices, long long low, long long high, long long code, long long where, long long* error) {
    auto* const words = reinterpret_cast<unsigned long long*>(error);
    __threadfence();
    if (atomicAdd(words + ERROR_BLOCKS, 1ull) != gridDim.x - 1) return;
    __threadfence();
    const unsigned long long first = atomicExch(words + ERROR_FIRST, 0ull);
    atomicExch(words + ERROR_BLOCKS, 0ull);
    if (first == 0 || atomicCAS(words + ERROR_CODE, 0ull, static_cast<unsigned long long>(code)) != 0) return;
    const long long position = static_cast<long long>(~first);
    error[ERROR_WHERE] = where;
    error[ERROR_VALUE] = static_cast<long long>(indices[position]);
    error[ERROR_POSITION] = position;
    error[ERROR_LOW] = low;
    error[ERROR_HIGH] = high;
}

template <unsigned int WRITE, class I>
DEVICE void check(const I* indices, I* out, long long count, long long low, long long high, long long code,
                  long long where, long long* error, unsigned long long* least) {
    unsigned long long first = 0;
    if (threadIdx.x == 0) *least = 0;
    __syncthreads();
    for (long long i = global_thread(); i < count; i += global_threads()) {
        const I index = indices[i];
        if (out_of_bounds(index, low, high) && first == 0) first = ~static_cast<unsigned long long>(i);
        if (WRITE) out[i] = wrapped(index, low, high);
    }
    if (first != 0) atomicMax(least, first);
    __syncthreads();
    if (threadIdx.x != 0) return;
    if (*least != 0) atomicMax(reinterpret_cast<unsigned long long*>(error) + ERROR_FIRST, *least);
    report(indices, low, high, code, where, error);
}

#define MAKE(SUFFIX, I)                                                                                               \
    KERNEL check_bounds_##SUFFIX(const I* indices, long long count, long long low, long long high, long long code,    \
                                 long long where, long long* error) {                                                 \
        __shared__ unsigned long long least;                                                                          \
        check<0u>(indices, static_cast<I*>(nullptr), count, low, high, code, where, error, &least);                   \
    }                                                                                                                 \
    KERNEL wrap_indices_##SUFFIX(const I* indices, I* out, long long count, long long size, long long code,           \
                                 long long where, long long* error) {                                                 \
        __shared__ unsigned long long least;                                                                          \
        check<1u>(indices, out, count, -size, size, code, where, error, &least);                                      \
    }
MAKE(i64, long long)
MAKE(i32, int)
MAKE(i16, short)
MAKE(i8, signed char)
MAKE(u8, unsigned char)
