// What all optimizers share. Each works in two launches: NAME_prepare (one thread) advances `step` by one and writes
// what depends on it or on lr to `constants`, computed in float64; NAME reads them from there. So no block needs a
// power in float64, none reads `step` while another one writes it, and everything that changes from step to step lies
// in device memory, where a replay finds it.
#pragma once

#include "portable.h"

// The gradient after maximize and weight decay, which come first in every optimizer.
template <class A>
HD A prepared_gradient(A p, A g, A sign, A weight_decay) {
    g = sign * g;
    return weight_decay != A(0) ? weight_decay * p + g : g;
}

HD double sign_of(int maximize) { return maximize ? -1.0 : 1.0; }
