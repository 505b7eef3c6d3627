// Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11; the
// words of primitives/random.py. Block i of a draw encrypts the counter (offset + i, 0) with the key (seed). Uniform
// numbers are the same bits on every device.
#pragma once

#include "common/portable.h"

struct PhiloxBlock {
    unsigned int word[4];
};

HD PhiloxBlock philox(unsigned long long position, unsigned long long seed) {
    unsigned int c0 = static_cast<unsigned int>(position), c1 = static_cast<unsigned int>(position >> 32);
    unsigned int c2 = 0, c3 = 0;
    unsigned int k0 = static_cast<unsigned int>(seed), k1 = static_cast<unsigned int>(seed >> 32);
#if defined(__CUDACC__)
#pragma unroll
#endif
    for (int round = 0; round < 10; ++round) {
        const unsigned long long p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
        c0 = static_cast<unsigned int>(p1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<unsigned int>(p1);
        c2 = static_cast<unsigned int>(p0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<unsigned int>(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return PhiloxBlock{{c0, c1, c2, c3}};
}

HD unsigned long long paired(unsigned int low, unsigned int high) {
    return low | static_cast<unsigned long long>(high) << 32;
}

// ---------------------------------------------------------------------- uniform in [0, 1)
// As many top bits as the type holds exactly: 24, 11 (float16), and 53 of two words.
HD float uniform_bits(unsigned int word, int kept) {
    return static_cast<float>(word >> (32 - kept)) * (1.0f / static_cast<float>(1u << kept));
}

HD double uniform_bits(unsigned int low, unsigned int high, double) {
    return static_cast<double>(paired(low, high) >> 11) * 1.1102230246251565e-16;  // 2^-53
}

// The numbers of one block: four, or two of float64.
HD void uniform(const PhiloxBlock& b, float (&x)[4]) {
    for (int i = 0; i < 4; ++i) x[i] = uniform_bits(b.word[i], 24);
}
HD void uniform(const PhiloxBlock& b, half_t (&x)[4]) {
    for (int i = 0; i < 4; ++i) x[i] = store<half_t>(uniform_bits(b.word[i], 11));
}
HD void uniform(const PhiloxBlock& b, double (&x)[2]) {
    for (int i = 0; i < 2; ++i) x[i] = uniform_bits(b.word[2 * i], b.word[2 * i + 1], 0.0);
}

// ---------------------------------------------------------------------- standard normal
// G. Box and M. Muller, 1958: each pair is sqrt(-2 log u) times the cosine and the sine of 2 pi v, u in (0, 1] of all
// bits. Those of float16 are float32, rounded.
template <class A>
HD void normal_pair(A u, A v, A& x, A& y) {
    const A radius = m::sqrt(A(-2) * m::log(u));
    A cosine, sine;
    m::turn(v, cosine, sine);
    x = radius * cosine;
    y = radius * sine;
}

HD void normal(const PhiloxBlock& b, float (&x)[4]) {
    for (int i = 0; i < 4; i += 2) {
        const float u = static_cast<float>(b.word[i]) * 2.3283064365386963e-10f + 1.1641532182693481e-10f;
        normal_pair(u, uniform_bits(b.word[i + 1], 24), x[i], x[i + 1]);
    }
}
HD void normal(const PhiloxBlock& b, half_t (&x)[4]) {
    float wide[4];
    normal(b, wide);
    for (int i = 0; i < 4; ++i) x[i] = store<half_t>(wide[i]);
}
HD void normal(const PhiloxBlock& b, double (&x)[2]) {
    const double u = static_cast<double>(paired(b.word[0], b.word[1])) * 5.421010862427522e-20 + 2.710505431213761e-20;
    normal_pair(u, uniform_bits(b.word[2], b.word[3], 0.0), x[0], x[1]);
}

// ---------------------------------------------------------------------- others
// 1 with probability p, else 0: a float32 uniform number below p, or a float64 one for float64.
template <class T>
HD void bernoulli(const PhiloxBlock& b, double p, T (&x)[4]) {
    for (int i = 0; i < 4; ++i) x[i] = store<T>(uniform_bits(b.word[i], 24) < static_cast<float>(p) ? 1.0f : 0.0f);
}
HD void bernoulli(const PhiloxBlock& b, double p, double (&x)[2]) {
    for (int i = 0; i < 2; ++i) x[i] = uniform_bits(b.word[2 * i], b.word[2 * i + 1], 0.0) < p ? 1.0 : 0.0;
}

// low + 64 random bits modulo span.
HD void integers(const PhiloxBlock& b, unsigned long long span, long long low, long long (&x)[2]) {
    for (int i = 0; i < 2; ++i) {
        const unsigned long long word = paired(b.word[2 * i], b.word[2 * i + 1]) % span;
        x[i] = static_cast<long long>(word + static_cast<unsigned long long>(low));
    }
}
