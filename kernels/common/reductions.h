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

// N sums of one thread, each in two levels: no addend passes through more than RUN additions and one for every RUN
// after it, where a sum of one level would add all of them one by one. (Not compensated: an infinity stays one.)
template <class A, int N = 1>
struct RunningSums {
    static constexpr int RUN = 64;
    A lately[N] = {};
    A before[N] = {};
    int held = 0;

    // After one addend went to each of `lately`.
    HD void next() {
        if (++held < RUN) return;
        held = 0;
#pragma unroll
        for (int k = 0; k < N; ++k) {
            before[k] += lately[k];
            lately[k] = A(0);
        }
    }
    HD void add(A x) {
        lately[0] += x;
        next();
    }
    HD A total(int k = 0) const { return before[k] + lately[k]; }
};
