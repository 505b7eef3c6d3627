// Fuses: the comparison of indices or numbers with their bounds, the search for the first one outside, and (wrap) the
// wrapping of negative indices, in one pass that the host does not wait for. An error stays in the error word until the
// host looks.
//
// Bytes an element (b bytes each): b, with wrap 2b (compositions: 10b and a wait). Roof: memory, or the launch.
//
// The result is the same in every run: the blocks that find something write the word one after the other, and the least
// position stays. A launch that finds nothing leaves the word alone. Launches that share a word may run at the same
// time, on any streams.
#include "check/check.h"
#include "common/launch.cuh"

struct Check {
    long long code;
    long long where;
    long long launch;
    long long* error;
};

// One thread of a block calls this, so whoever waits here waits for another block, which is running. The word is read
// past the first-level cache, in which it may lie as it was before.
template <class Bounds>
DEVICE void report(const Check& check, const Bounds& bounds, typename Bounds::Wide value, long long position) {
    using Wide = typename Bounds::Wide;
    auto* const lock = reinterpret_cast<unsigned long long*>(check.error) + ERROR_LOCK;
    volatile long long* const word = check.error;
    while (atomicCAS(lock, 0ull, 1ull) != 0) {
    }
    __threadfence();
    const bool first = word[ERROR_CODE] == 0;
    const long long launch = check.launch + word[ERROR_RUN] * (1ll << 32);
    if (first || (word[ERROR_LAUNCH] == launch && position < word[ERROR_POSITION])) {
        word[ERROR_WHERE] = check.where;
        word[ERROR_VALUE] = word_of(value);
        word[ERROR_POSITION] = position;
        word[ERROR_LOW] = word_of(static_cast<Wide>(bounds.low));
        word[ERROR_HIGH] = word_of(static_cast<Wide>(bounds.high));
        word[ERROR_LAUNCH] = launch;
        __threadfence();  // a host that sees the code sees the rest
        word[ERROR_CODE] = check.code;
    }
    __threadfence();
    atomicExch(lock, 0ull);
}

// each(i, x) is called with every element. `least` is shared memory.
template <class T, class Bounds, class Each>
DEVICE void check_all(const T* values, long long count, const Bounds& bounds, const Check& check,
                      unsigned long long* least, Each each) {
    const unsigned long long none = ~0ull;
    unsigned long long first = none;
    if (threadIdx.x == 0) *least = none;
    __syncthreads();
    for (long long i = global_thread(); i < count; i += global_threads()) {
        const auto x = bounds.read(values[i]);
        if (!bounds.hold(x) && first == none) first = static_cast<unsigned long long>(i);
        each(i, x);
    }
    if (first != none) atomicMin(least, first);
    __syncthreads();
    if (threadIdx.x != 0 || *least == none) return;
    const auto position = static_cast<long long>(*least);
    report(check, bounds, static_cast<typename Bounds::Wide>(bounds.read(values[position])), position);
}

#define CHECK_PARAMETERS long long code, long long where, long long launch, long long *error
#define CHECK \
    Check { code, where, launch, error }

#define MAKE_INDICES(SUFFIX, I)                                                                                       \
    KERNEL check_bounds_##SUFFIX(const I* indices, long long count, long long low, long long high,                    \
                                 CHECK_PARAMETERS) {                                                                  \
        __shared__ unsigned long long least;                                                                          \
        check_all(indices, count, IndexBounds{low, high}, CHECK, &least, [](long long, I) {});                        \
    }                                                                                                                 \
    KERNEL wrap_indices_##SUFFIX(const I* indices, I* out, long long count, long long size, CHECK_PARAMETERS) {       \
        __shared__ unsigned long long least;                                                                          \
        const IndexBounds bounds{-size, size};                                                                        \
        check_all(indices, count, bounds, CHECK, &least, [=](long long i, I x) { out[i] = wrapped(x, bounds); });     \
    }
FOR_ALL_INTEGERS(MAKE_INDICES)

#define MAKE_NUMBERS(SUFFIX, T, A)                                                                                    \
    KERNEL check_range_##SUFFIX(const T* x, long long count, double low, double high, CHECK_PARAMETERS) {             \
        __shared__ unsigned long long least;                                                                          \
        check_all(x, count, NumberBounds<A>(low, high), CHECK, &least, [](long long, A) {});                          \
    }
FOR_ALL_DTYPES(MAKE_NUMBERS)
