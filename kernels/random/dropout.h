// An element is kept where its float32 uniform number is at least p, and then scaled by 1 / (1 - p): the mask.
#pragma once

#include "random/philox.h"

template <class T>
HD T dropout_mask(unsigned int word, float p, typename Arithmetic<T>::type scale) {
    return store<T>(uniform_bits(word, 24) >= p ? scale : 0);
}

template <class T>
HD T dropped(T x, T mask) {
    return load(mask) == 0 ? store<T>(0) : store<T>(load(x) * load(mask));
}
