// Sums over the rows of a (rows, columns) array, deterministic and without atomics, in two launches:
// 1. block (tile, slab) adds the rows of its slab for the columns of its tile and writes `partial[slab][column]`;
// 2. the same kernel adds the slabs.
// A block is (lanes, depth) threads with lanes * depth <= THREADS; a thread has 16 bytes' worth of columns.
#pragma once

#include "common/launch.cuh"
#include "common/reductions.h"

// The columns of one thread, `start + k * step` for k < held: together where every row begins on a 16-byte boundary,
// else a block's lanes apart, which is coalesced as well.
template <class T>
struct Columns {
    static constexpr int S = Vector<T>::size;
    long long start;
    int step;
    int held;
    bool together;

    DEVICE Columns(long long columns, bool all_aligned) {
        together = all_aligned && columns % S == 0;
        step = together ? 1 : static_cast<int>(blockDim.x);
        start = static_cast<long long>(blockIdx.x) * blockDim.x * S + threadIdx.x * (together ? S : 1);
        held = 0;
#pragma unroll
        for (int k = 0; k < S; ++k) held += start + k * step < columns ? 1 : 0;
    }

    // `x` points to this thread's first column in a row.
    DEVICE Vector<T> get(const T* x) const {
        Vector<T> v = {};
        if (together) {
            if (held > 0) v = get_vector(x);
            return v;
        }
#pragma unroll
        for (int k = 0; k < S; ++k) {
            if (k < held) v.item[k] = x[k * step];
        }
        return v;
    }
};

// Shared memory for THREADS * S sums: each thread keeps the sum over its rows of its k-th column.
template <class T>
DEVICE ArithmeticOf<T>& kept_sum(ArithmeticOf<T>* scratch, int k, int y) {
    return scratch[(y * Vector<T>::size + k) * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)];
}

// Adds the kept sums over the block's depth and gives finish(column, sum) for each column, in one thread.
template <class T, class Finish>
DEVICE void merge_depth(const Columns<T>& columns, ArithmeticOf<T>* scratch, Finish finish) {
    __syncthreads();
    if (threadIdx.y != 0) return;
#pragma unroll 1
    for (int k = 0; k < columns.held; ++k) {
        RunningSums<ArithmeticOf<T>> sum;
        for (int y = 0; y < static_cast<int>(blockDim.y); ++y) sum.add(kept_sum<T>(scratch, k, y));
        finish(columns.start + k * columns.step, sum.total());
    }
}

// Sums columns of `x` over the rows of this block's slab.
template <class T, class Finish>
DEVICE void sum_columns(
    const T* x, long long rows, long long columns, long long slab_rows, ArithmeticOf<T>* scratch, Finish finish) {
    using A = ArithmeticOf<T>;
    constexpr int S = Vector<T>::size;
    const Columns<T> mine(columns, is_aligned(x));
    const long long begin = blockIdx.y * slab_rows;
    const long long end = begin + slab_rows < rows ? begin + slab_rows : rows;
    RunningSums<A, S> sums;
#pragma unroll 4
    for (long long r = begin + threadIdx.y; r < end; r += blockDim.y) {
        const Vector<T> v = mine.get(x + r * columns + mine.start);
#pragma unroll
        for (int k = 0; k < S; ++k) sums.lately[k] += load(v.item[k]);
        sums.next();
    }
#pragma unroll
    for (int k = 0; k < S; ++k) kept_sum<T>(scratch, k, threadIdx.y) = sums.total(k);
    merge_depth(mine, scratch, finish);
}
