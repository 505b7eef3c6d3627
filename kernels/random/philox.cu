// Fuses: ten rounds of Philox and the conversion to bits, uniform, normal and Bernoulli numbers or integers. The
// compositions take some 80 passes over uint64 arrays.
//
// Bytes a number (b bytes each): b, written. Roof: memory for float32 and wider (about 70 integer operations a block of
// four words: 18 a float32, where 4 bytes at 3.3 TB/s give time for 80); float16 and float64's logarithms come near that
// of arithmetic.
#include "random/random.cuh"

KERNEL random_bits(const unsigned long long* key, unsigned int* out, long long count) {
    draw<4>(key, out, count, [](const PhiloxBlock& b, unsigned int(&x)[4]) {
#pragma unroll
        for (int i = 0; i < 4; ++i) x[i] = b.word[i];
    });
}

KERNEL random_words64(const unsigned long long* key, unsigned long long* out, long long count) {
    draw<2>(key, out, count, [](const PhiloxBlock& b, unsigned long long(&x)[2]) {
        x[0] = paired(b.word[0], b.word[1]);
        x[1] = paired(b.word[2], b.word[3]);
    });
}

KERNEL random_integers(const unsigned long long* key, long long* out, long long count, long long low, long long span) {
    draw<2>(key, out, count, [=](const PhiloxBlock& b, long long(&x)[2]) {
        integers(b, static_cast<unsigned long long>(span), low, x);
    });
}

#define MAKE(SUFFIX, T, A)                                                                                           \
    KERNEL random_uniform_##SUFFIX(const unsigned long long* key, T* out, long long count) {                         \
        constexpr int EACH = 16 / sizeof(A);                                                                         \
        draw<EACH>(key, out, count, [](const PhiloxBlock& b, T(&x)[EACH]) { uniform(b, x); });                       \
    }                                                                                                                \
    KERNEL random_normal_##SUFFIX(const unsigned long long* key, T* out, long long count) {                          \
        constexpr int EACH = 16 / sizeof(A);                                                                         \
        draw<EACH>(key, out, count, [](const PhiloxBlock& b, T(&x)[EACH]) { normal(b, x); });                        \
    }                                                                                                                \
    KERNEL random_bernoulli_##SUFFIX(const unsigned long long* key, T* out, long long count, double p) {             \
        constexpr int EACH = 16 / sizeof(A);                                                                         \
        draw<EACH>(key, out, count, [=](const PhiloxBlock& b, T(&x)[EACH]) { bernoulli(b, p, x); });                 \
    }
FOR_ALL_DTYPES(MAKE)
