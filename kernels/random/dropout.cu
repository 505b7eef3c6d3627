// Fuses: the random words, the mask and the product. Without a mask (has_mask = 0) the gradient is dropout of the
// gradient under the same key: nothing need be kept.
//
// Bytes an element (b bytes each): 3b with the mask, 2b without (compositions: about 700). Roof: memory; about 25
// operations an element.
#include "random/dropout.h"
#include "random/random.cuh"

template <class T>
DEVICE void drop(const T* x, const unsigned long long* key, T* out, T* mask, int has_mask, long long count, double p,
                 double scale) {
    constexpr int N = Vector<T>::size > 4 ? Vector<T>::size : 4;
    const ArithmeticOf<T> kept = static_cast<ArithmeticOf<T>>(scale);
    for (long long i = global_thread(); i * N < count; i += global_threads()) {
        T v[N], masks[N];
        get_elements(x, i * N, count, v);
#pragma unroll
        for (int b = 0; b < N / 4; ++b) {
            const PhiloxBlock block = block_of(key, i * (N / 4) + b);
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                masks[4 * b + k] = dropout_mask<T>(block.word[k], static_cast<float>(p), kept);
                v[4 * b + k] = dropped(v[4 * b + k], masks[4 * b + k]);
            }
        }
        put_elements(out, i * N, count, v);
        if (has_mask) put_elements(mask, i * N, count, masks);
    }
}

#define MAKE(SUFFIX, T, A)                                                                                         \
    KERNEL dropout_##SUFFIX(const T* x, const unsigned long long* key, T* out, T* mask, int has_mask,              \
                            long long count, double p, double scale) {                                             \
        drop(x, key, out, mask, has_mask, count, p, scale);                                                        \
    }
FOR_ALL_DTYPES(MAKE)
