// The three launchers of an activation, given its rule.
#pragma once

#include "activation/activation.h"
#include "common/columns.cuh"

// out = value(x + bias), elementwise on `count` elements of rows of `columns` > 0; x and out may be the same.
template <class Rule, class T>
DEVICE void activate(
    const T* x, const T* bias, int has_bias, T* out, long long count, long long columns, double alpha) {
    using A = ArithmeticOf<T>;
    const A slope = static_cast<A>(alpha);
    T* const column[] = {out, const_cast<T*>(x)};
    const ColumnCursor cursor(columns, global_threads() * Vector<T>::size);
    walk<2u, 1u>(column, count, global_thread(), global_threads(), cursor, [=](long long c, A(&v)[2]) {
        v[0] = Rule::value(has_bias ? v[1] + load(bias[c]) : v[1], slope);
    });
}

// dx = gradient(g, saved + bias), elementwise; dx may be g or saved.
template <class Rule, class T>
DEVICE void activate_backward(
    const T* g, const T* saved, const T* bias, int has_bias, T* dx, long long count, long long columns, double alpha) {
    using A = ArithmeticOf<T>;
    const A slope = static_cast<A>(alpha);
    T* const column[] = {dx, const_cast<T*>(g), const_cast<T*>(saved)};
    const ColumnCursor cursor(columns, global_threads() * Vector<T>::size);
    walk<6u, 1u>(column, count, global_thread(), global_threads(), cursor, [=](long long c, A(&v)[3]) {
        v[0] = Rule::gradient(v[1], has_bias ? v[2] + load(bias[c]) : v[2], slope);
    });
}

// The same with partial[slab][column] = the sum of dx over the slab's rows; column_finish adds the slabs.
template <class Rule, class T>
struct BackwardBias {
    using A = ArithmeticOf<T>;
    static constexpr int S = Vector<T>::size;
    const T* g;
    const T* saved;
    const T* bias;
    int has_bias;
    T* dx;
    A slope;
    long long columns;
    long long end;

    DEVICE A shift(long long column) const { return has_bias ? load(bias[column]) : A(0); }

    // Rows first, first + depth, ... of S columns that lie together, 16 bytes at a time.
    DEVICE void vectors(long long first, long long column, RunningSums<A, S>& sums) const {
#pragma unroll 1
        for (long long r = first; r < end; r += blockDim.y) {
            const long long i = r * columns + column;
            Vector<T> v = get_vector(g + i);
            const Vector<T> kept = get_vector(saved + i);
#pragma unroll
            for (int k = 0; k < S; ++k) {
                const A d = Rule::gradient(load(v.item[k]), load(kept.item[k]) + shift(column + k), slope);
                v.item[k] = store<T>(d);
                sums.lately[k] += d;
            }
            sums.next();
            put_vector(dx + i, v);
        }
    }

    // The same rows of one column, a few at a time.
    DEVICE A alone(long long first, long long column) const {
        constexpr int BATCH = S < 4 ? S : 4;
        const A shifted = shift(column);
        RunningSums<A> sum;
#pragma unroll 1
        for (long long r = first; r < end; r += BATCH * static_cast<long long>(blockDim.y)) {
            T gs[BATCH], kept[BATCH];
#pragma unroll
            for (int b = 0; b < BATCH; ++b) {
                const long long row = r + b * static_cast<long long>(blockDim.y);
                if (row < end) {
                    gs[b] = g[row * columns + column];
                    kept[b] = saved[row * columns + column];
                }
            }
#pragma unroll
            for (int b = 0; b < BATCH; ++b) {
                const long long row = r + b * static_cast<long long>(blockDim.y);
                if (row >= end) break;
                const A d = Rule::gradient(load(gs[b]), load(kept[b]) + shifted, slope);
                dx[row * columns + column] = store<T>(d);
                sum.add(d);
            }
        }
        return sum.total();
    }

    DEVICE void run(A* partial, long long slab_rows, A* scratch) const {
        const Columns<T> mine(columns, is_aligned(g) && is_aligned(saved) && is_aligned(dx));
        const long long first = blockIdx.y * slab_rows + threadIdx.y;
        if (mine.together) {
            RunningSums<A, S> sums;
            if (mine.held > 0) vectors(first, mine.start, sums);
#pragma unroll
            for (int k = 0; k < S; ++k) kept_sum<T>(scratch, k, threadIdx.y) = sums.total(k);
        } else {
#pragma unroll 1
            for (int k = 0; k < mine.held; ++k) {
                kept_sum<T>(scratch, k, threadIdx.y) = alone(first, mine.start + k * mine.step);
            }
        }
        const long long row = blockIdx.y * columns;
        merge_depth(mine, scratch, [=](long long c, A sum) { partial[row + c] = sum; });
    }
};

template <class Rule, class T>
DEVICE void activate_backward_bias(
    const T* g, const T* saved, const T* bias, int has_bias, T* dx, ArithmeticOf<T>* partial, long long rows,
    long long columns, long long slab_rows, double alpha, ArithmeticOf<T>* scratch) {
    const long long end = (blockIdx.y + 1) * slab_rows < rows ? (blockIdx.y + 1) * slab_rows : rows;
    const auto slope = static_cast<ArithmeticOf<T>>(alpha);
    BackwardBias<Rule, T>{g, saved, bias, has_bias, dx, slope, columns, end}.run(partial, slab_rows, scratch);
}

#define ACTIVATION_KERNELS(NAME, RULE, SUFFIX, T, A)                                                                   \
    KERNEL                                                                                                             \
    NAME##_##SUFFIX(const T* x, const T* bias, int has_bias, T* out, long long count, long long columns,               \
                    double alpha) {                                                                                    \
        activate<RULE>(x, bias, has_bias, out, count, columns, alpha);                                                 \
    }                                                                                                                  \
    KERNEL                                                                                                             \
    NAME##_backward_##SUFFIX(const T* g, const T* saved, const T* bias, int has_bias, T* dx, long long count,          \
                             long long columns, double alpha) {                                                        \
        activate_backward<RULE>(g, saved, bias, has_bias, dx, count, columns, alpha);                                  \
    }                                                                                                                  \
    KERNEL                                                                                                             \
    NAME##_backward_bias_##SUFFIX(const T* g, const T* saved, const T* bias, int has_bias, T* dx, A* partial,          \
                                  long long rows, long long columns, long long slab_rows, double alpha) {              \
        __shared__ A scratch[THREADS * Vector<T>::size];                                                               \
        activate_backward_bias<RULE>(g, saved, bias, has_bias, dx, partial, rows, columns, slab_rows, alpha, scratch); \
    }
