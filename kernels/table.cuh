// One launch for many tensors, after apex's multi_tensor_apply, but with tables of any length in device memory:
//
// - pointers[c * tensors + t]: the address of column c (parameter, gradient, state, ...) of tensor t;
// - sizes[t]: how many elements each of them has;
// - work[2 * i], work[2 * i + 1]: the tensor and the first element of piece i, which is up to `piece` elements long.
//
// Blocks take pieces in turn, so any grid does; every element belongs to one piece, so no two threads write to one.
#pragma once

#include "checks.h"
#include "launch.cuh"
#include "optimizer.h"

struct Table {
    const unsigned long long* pointers;
    const long long* sizes;
    long long tensors;
    const long long* work;
    long long pieces;
    long long piece;
};

// rule(position in the tensor's piece, x) on the first N columns: see sweep.
template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void sweep_piece(const Table& table, long long i, Rule rule) {
    const long long tensor = table.work[2 * i];
    const long long start = table.work[2 * i + 1];
    const long long left = table.sizes[tensor] - start;
    T* column[N];
#pragma unroll
    for (int c = 0; c < N; ++c) {
        column[c] = reinterpret_cast<T*>(table.pointers[c * table.tensors + tensor]) + start;
#if ON_DEVICE
        __builtin_assume(__isGlobal(column[c]));  // else every access would first find out which memory it is in
#endif
    }
    sweep<READ, WRITE>(column, left < table.piece ? left : table.piece, threadIdx.x, blockDim.x, rule);
}

template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void sweep_table(const Table& table, Rule rule) {
    for (long long i = blockIdx.x; i < table.pieces; i += gridDim.x) sweep_piece<READ, WRITE, N, T>(table, i, rule);
}

// The parameters of a kernel on a table, and the table they make.
#define TABLE_PARAMETERS                                                                                               \
    const unsigned long long *pointers, const long long *sizes, long long tensors, const long long *work,             \
        long long pieces, long long piece
#define TABLE \
    Table { pointers, sizes, tensors, work, pieces, piece }

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
