// One Philox block a step of a thread: each block makes a few neighbouring elements.
#pragma once

#include "common/launch.cuh"
#include "random/philox.h"

// key[0] is the seed, key[1] the offset, in device memory.
DEVICE PhiloxBlock block_of(const unsigned long long* key, long long i) {
    return philox(key[1] + static_cast<unsigned long long>(i), key[0]);
}

// Writes elements [start, start + N) of `out` as far as they exist: in whole vectors where they are aligned.
template <int N, class T>
DEVICE void put_elements(T* out, long long start, long long count, const T (&x)[N]) {
    constexpr int S = Vector<T>::size;
    if (N % S == 0 && start + N <= count && is_aligned(out + start)) {
#pragma unroll
        for (int v = 0; v < N / S; ++v) {
            Vector<T> vector;
#pragma unroll
            for (int k = 0; k < S; ++k) vector.item[k] = x[v * S + k];
            put_vector(out + start + v * S, vector);
        }
        return;
    }
#pragma unroll
    for (int k = 0; k < N; ++k) {
        if (start + k < count) out[start + k] = x[k];
    }
}

template <int N, class T>
DEVICE void get_elements(const T* x, long long start, long long count, T (&out)[N]) {
    constexpr int S = Vector<T>::size;
    if (N % S == 0 && start + N <= count && is_aligned(x + start)) {
#pragma unroll
        for (int v = 0; v < N / S; ++v) {
            const Vector<T> vector = get_vector(x + start + v * S);
#pragma unroll
            for (int k = 0; k < S; ++k) out[v * S + k] = vector.item[k];
        }
        return;
    }
#pragma unroll
    for (int k = 0; k < N; ++k) out[k] = start + k < count ? x[start + k] : T{};
}

// Fills `out` with what make(block, numbers) says; a step makes N elements of N / EACH blocks, 16 bytes at least.
template <int EACH, class T, class Make>
DEVICE void draw(const unsigned long long* key, T* out, long long count, Make make) {
    constexpr int N = EACH > Vector<T>::size ? EACH : Vector<T>::size;
    for (long long i = global_thread(); i * N < count; i += global_threads()) {
        T x[N];
#pragma unroll
        for (int b = 0; b < N / EACH; ++b) {
            T numbers[EACH];
            make(block_of(key, i * (N / EACH) + b), numbers);
#pragma unroll
            for (int k = 0; k < EACH; ++k) x[b * EACH + k] = numbers[k];
        }
        put_elements(out, i * N, count, x);
    }
}
