// What all optimizers share. Each works in two launches: NAME_prepare (one thread) advances `step` by one and writes
// what depends on it or on lr to `constants`, computed in float64; NAME reads them from there. So no block needs a
// power in float64, none reads `step` while another one writes it, and everything that changes from step to step lies
// in device memory, where a replay finds it.
//
// A step is skipped where a check on the device has failed and the host has not raised its error yet (see check.h):
// NAME_prepare then leaves `step` as it was and marks `constants`, and NAME writes nothing. NAME does not look at the
// error word itself, or a check that fails on another stream meanwhile could stop some of its blocks and not others.
#pragma once

#include "common/portable.h"

constexpr int SKIPPED = 15;  // the last of `constants`, double[16]: 1 for a step that is skipped, else 0

// The gradient after maximize and weight decay, which come first in every optimizer.
template <class A>
HD A prepared_gradient(A p, A g, A sign, A weight_decay) {
    g = sign * g;
    return weight_decay != A(0) ? weight_decay * p + g : g;
}

HD double sign_of(int maximize) { return maximize ? -1.0 : 1.0; }
