// Bounds of indices, and the device's error word: int64[8], all zeros while nothing is wrong.
#pragma once

#include "portable.h"

enum ErrorWord {
    ERROR_CODE = 0,      // what was wrong (not 0): the first launch that finds something claims the word
    ERROR_WHERE = 1,     // which check found it: a number that the host gave it
    ERROR_VALUE = 2,     // the first offender,
    ERROR_POSITION = 3,  // its position,
    ERROR_LOW = 4,       // and the bounds [low, high)
    ERROR_HIGH = 5,
    ERROR_BLOCKS = 6,  // during a launch: how many blocks have finished
    ERROR_FIRST = 7    // during a launch: the complement of the least position, so that 0 means none
};

template <class I>
HD bool out_of_bounds(I index, long long low, long long high) {
    return index < low || index >= high;
}

// An index counted from the end made to count from the start; 0 for one outside, which no kernel may follow.
template <class I>
HD I wrapped(I index, long long low, long long high) {
    if (out_of_bounds(index, low, high)) return I(0);
    return index < I(0) ? static_cast<I>(index + high) : index;
}
