// What the launchers of all optimizers share.
#pragma once

#include "check/check.h"
#include "common/table.cuh"
#include "optimizer/optimizer.h"

// An optimizer's rule from the constants that its NAME_prepare left in device memory.
template <class Rule, class A>
DEVICE Rule rule_of(const double* constants) {
    A c[Rule::CONSTANTS];
#pragma unroll
    for (int i = 0; i < Rule::CONSTANTS; ++i) c[i] = static_cast<A>(constants[i]);
    return Rule(c);
}

// Whether its NAME_prepare found that this step is to change nothing: the same for all threads.
DEVICE bool is_skipped(const double* constants) { return constants[SKIPPED] != 0.0; }

// The end of a NAME_prepare: leaves the rule's constants, and the count of this step unless the step is skipped.
template <int N>
DEVICE void keep_step(const double (&c)[N], double count, const long long* error, double* step, double* constants) {
    static_assert(N <= SKIPPED, "the mark of a skipped step comes after the rule's constants");
    const bool skipped = error[ERROR_CODE] != 0;
#pragma unroll
    for (int i = 0; i < N; ++i) constants[i] = c[i];
    constants[SKIPPED] = skipped ? 1.0 : 0.0;
    if (!skipped) *step = count;
}
