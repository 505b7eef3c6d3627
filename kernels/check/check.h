// Bounds of indices and of numbers, and the device's error word: int64[9], zeros at first.
#pragma once

#include "common/portable.h"

enum ErrorWord {
    ERROR_CODE = 0,      // what was wrong (0: nothing): the first launch that finds something claims the word
    ERROR_WHERE = 1,     // which check found it: a number that the host gave it
    ERROR_VALUE = 2,     // the first offender, an integer or the bits of a double,
    ERROR_POSITION = 3,  // its position,
    ERROR_LOW = 4,       // and the bounds, as the value
    ERROR_HIGH = 5,
    ERROR_LAUNCH = 6,  // which launch claimed the word: another number of the host's, and the run
    ERROR_LOCK = 7,    // 1 while a block writes here
    ERROR_RUN = 8      // a number that the host writes before each replay, in which the launches keep their numbers
};

HD long long word_of(long long x) { return x; }

HD long long word_of(double x) {
#if ON_DEVICE
    return __double_as_longlong(x);
#else
    long long bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
#endif
}

// Indices lie in [low, high).
struct IndexBounds {
    using Wide = long long;
    long long low;
    long long high;
    template <class I>
    HD I read(I index) const {
        return index;
    }
    template <class I>
    HD bool hold(I index) const {
        return index >= low && index < high;
    }
};

// Numbers lie in [low, high]; nan lies nowhere. A is their arithmetic type.
template <class A>
struct NumberBounds {
    using Wide = double;
    A low;
    A high;
    HD NumberBounds(double low, double high) : low(static_cast<A>(low)), high(static_cast<A>(high)) {}
    template <class T>
    HD A read(T x) const {
        return load(x);
    }
    HD bool hold(A x) const { return x >= low && x <= high; }
};

// An index counted from the end made to count from the start; 0 for one outside, which no kernel may follow.
template <class I>
HD I wrapped(I index, const IndexBounds& bounds) {
    if (!bounds.hold(index)) return I(0);
    return index < I(0) ? static_cast<I>(index + bounds.high) : index;
}
