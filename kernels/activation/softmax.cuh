// The softmax of a row by a team of threads.
#pragma once

#include "activation/softmax.h"
#include "common/reductions.h"
#include "common/rows.cuh"

// The reference and the sum of exponentials of a row. `scratch` as for team_merge.
template <class T>
DEVICE SoftmaxState<ArithmeticOf<T>> softmax_of_row(const T* x, long long columns, ArithmeticOf<T>* scratch) {
    using A = ArithmeticOf<T>;
    SoftmaxState<A> state = Softmax<A>::identity();
    T* const column[] = {const_cast<T*>(x)};
    walk_row<1u, 0u>(column, columns, [&state](long long, A(&v)[1]) { state = Softmax<A>::absorb(state, v[0]); });
    const A top = team_merge<Max<A>>(state.top, scratch);
    return SoftmaxState<A>{top, team_merge<Sum<A>>(Softmax<A>::sum_below(state, top), scratch), A(0)};
}
