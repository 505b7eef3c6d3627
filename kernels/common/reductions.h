// Rules of reductions: see team_merge.
#pragma once

#include "common/portable.h"

template <class A>
struct Sum {
    static HD A identity() { return A(0); }
    static HD A merge(A a, A b) { return a + b; }
};

template <class A>
struct Max {
    static HD A identity() { return -m::infinity<A>(); }
    static HD A merge(A a, A b) { return m::max(a, b); }
};
