// Sums over the rows of a (rows, columns) array, deterministic and without atomics, in two launches:
// 1. block (tile, slab) adds the rows of its slab for the columns of its tile and writes `partial[slab][column]`;
// 2. the same kernel adds the slabs.
// A block is (lanes, depth) threads with lanes * depth <= THREADS; a thread has 16 bytes' worth of columns.
#pragma once

#include "launch.cuh"

// The columns of one thread: together where every row begins on a 16-byte boundary, else `lanes` apart, which is
// coalesced as well.
template <class T>
struct Columns {
    using A = ArithmeticOf<T>;
    static constexpr int S = Vector<T>::size;
    long long start;
    long long step;
    long long columns;
    bool together;

    DEVICE Columns(long long columns, bool all_aligned) : columns(columns) {
        const long long tile = static_cast<long long>(blockIdx.x) * blockDim.x * S;
        together = all_aligned && columns % S == 0;
        start = tile + (together ? threadIdx.x * S : threadIdx.x);
        step = together ? 1 : blockDim.x;
    }

    DEVICE Vector<T> get(const T* row) const {
        Vector<T> v = {};
        if (together) {
            if (start < columns) v = get_vector(row + start);
            return v;
        }
#pragma unroll
        for (int k = 0; k < S; ++k) {
            if (start + k * step < columns) v.item[k] = row[start + k * step];
        }
        return v;
    }

    DEVICE void put(T* row, const Vector<T>& v) const {
        if (together) {
            if (start < columns) put_vector(row + start, v);
            return;
        }
#pragma unroll
        for (int k = 0; k < S; ++k) {
            if (start + k * step < columns) row[start + k * step] = v.item[k];
        }
    }

    DEVICE bool has(int k) const { return start + k * step < columns; }
};

// Adds `total[k]` over the block's depth and gives finish(column, sum) for each column, in one thread.
// `scratch` is shared memory for THREADS * S numbers.
template <class T, class Finish>
DEVICE void merge_depth(
    const Columns<T>& columns, const ArithmeticOf<T> (&total)[Vector<T>::size], ArithmeticOf<T>* scratch, Finish finish) {
    constexpr int S = Vector<T>::size;
    const int lanes = static_cast<int>(blockDim.x);
#pragma unroll
    for (int k = 0; k < S; ++k) scratch[(threadIdx.y * S + k) * lanes + threadIdx.x] = total[k];
    __syncthreads();
    if (threadIdx.y != 0) return;
#pragma unroll
    for (int k = 0; k < S; ++k) {
        ArithmeticOf<T> sum = 0;
        for (int y = 0; y < static_cast<int>(blockDim.y); ++y) sum += scratch[(y * S + k) * lanes + threadIdx.x];
        if (columns.has(k)) finish(columns.start + k * columns.step, sum);
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
    A total[S] = {};
    long long r = begin + threadIdx.y;
    for (; r + 3 * static_cast<long long>(blockDim.y) < end; r += 4 * static_cast<long long>(blockDim.y)) {
        Vector<T> v[4];
#pragma unroll
        for (int b = 0; b < 4; ++b) v[b] = mine.get(x + (r + b * static_cast<long long>(blockDim.y)) * columns);
#pragma unroll
        for (int b = 0; b < 4; ++b) {
#pragma unroll
            for (int k = 0; k < S; ++k) total[k] += load(v[b].item[k]);
        }
    }
    for (; r < end; r += blockDim.y) {
        const Vector<T> v = mine.get(x + r * columns);
#pragma unroll
        for (int k = 0; k < S; ++k) total[k] += load(v.item[k]);
    }
    merge_depth(mine, total, scratch, finish);
}
