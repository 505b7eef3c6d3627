// The three launchers of an activation, given its rule.
#pragma once

#include "activation.h"
#include "columns.cuh"

// out = value(x + bias), elementwise on `count` elements of rows of `columns` > 0; x and out may be the same.
template <class Rule, class T>
DEVICE void activate(
    const T* x, const T* bias, int has_bias, T* out, long long count, long long columns, double alpha) {
    using A = ArithmeticOf<T>;
    const A slope = static_cast<A>(alpha);
    T* const column[] = {out, const_cast<T*>(x)};
    const ColumnCursor cursor(columns, global_threads() * Vector<T>::size);
    sweep<2u, 1u>(column, count, global_thread(), global_threads(), cursor, [=](long long c, A(&v)[2]) {
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
    sweep<6u, 1u>(column, count, global_thread(), global_threads(), cursor, [=](long long c, A(&v)[3]) {
        v[0] = Rule::gradient(v[1], has_bias ? v[2] + load(bias[c]) : v[2], slope);
    });
}

// The same with partial[slab][column] = the sum of dx over the slab's rows; column_finish adds the slabs.
template <class Rule, class T>
DEVICE void activate_backward_bias(
    const T* g, const T* saved, const T* bias, int has_bias, T* dx, ArithmeticOf<T>* partial, long long rows,
    long long columns, long long slab_rows, double alpha, ArithmeticOf<T>* scratch) {
    using A = ArithmeticOf<T>;
    constexpr int S = Vector<T>::size;
    const A slope = static_cast<A>(alpha);
    const Columns<T> mine(columns, is_aligned(g) && is_aligned(saved) && is_aligned(dx));
    A shift[S] = {};
    if (has_bias) {
#pragma unroll
        for (int k = 0; k < S; ++k) {
            if (mine.has(k)) shift[k] = load(bias[mine.start + k * mine.step]);
        }
    }
    const long long begin = blockIdx.y * slab_rows;
    const long long end = begin + slab_rows < rows ? begin + slab_rows : rows;
    const long long depth = blockDim.y;
    A total[S] = {};
    Vector<T> next_g = {}, next_saved = {};
    if (begin + threadIdx.y < end) {
        next_g = mine.get(g + (begin + threadIdx.y) * columns);
        next_saved = mine.get(saved + (begin + threadIdx.y) * columns);
    }
    for (long long r = begin + threadIdx.y; r < end; r += depth) {
        Vector<T> v = next_g;
        const Vector<T> kept = next_saved;
        if (r + depth < end) {
            next_g = mine.get(g + (r + depth) * columns);
            next_saved = mine.get(saved + (r + depth) * columns);
        }
#pragma unroll
        for (int k = 0; k < S; ++k) {
            const A d = Rule::gradient(load(v.item[k]), load(kept.item[k]) + shift[k], slope);
            v.item[k] = store<T>(d);
            total[k] += d;
        }
        mine.put(dx + r * columns, v);
    }
    merge_depth(mine, total, scratch, [=](long long c, A sum) { partial[blockIdx.y * columns + c] = sum; });
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
