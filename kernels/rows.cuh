// Reductions along the rows of a contiguous (rows, columns) array: a team of threads (a warp, or a block: see
// team_merge) for each row, in 16-byte pieces at any alignment and length. A second pass over the row finds it in the
// cache.
#pragma once

#include "launch.cuh"
#include "reduce.h"
#include "softmax.h"

// The rows of this team: for (row = first_row(); row < rows; row += all_teams()). All threads of a team agree.
DEVICE long long first_row() { return static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y; }
DEVICE long long all_teams() { return static_cast<long long>(gridDim.x) * blockDim.y; }

// rule(position, x) on the elements of a row, by the whole team.
template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void sweep_row(T* const (&column)[N], long long columns, Rule rule) {
    sweep<READ, WRITE>(column, columns, threadIdx.x, blockDim.x, rule);
}

// The reference and the sum of exponentials of a row. `scratch` as for team_merge.
template <class T>
DEVICE SoftmaxState<ArithmeticOf<T>> softmax_of_row(const T* x, long long columns, ArithmeticOf<T>* scratch) {
    using A = ArithmeticOf<T>;
    SoftmaxState<A> state = Softmax<A>::identity();
    T* const column[] = {const_cast<T*>(x)};
    sweep_row<1u, 0u>(column, columns, [&state](long long, A(&v)[1]) { state = Softmax<A>::absorb(state, v[0]); });
    const A top = team_merge<Max<A>>(state.top, scratch);
    return SoftmaxState<A>{top, team_merge<Sum<A>>(Softmax<A>::sum_below(state, top), scratch), A(0)};
}
