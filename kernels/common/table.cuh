// One launch for many tensors, after apex's multi_tensor_apply, but with tables of any length in device memory:
//
// - pointers[c * tensors + t]: the address of column c (parameter, gradient, state, ...) of tensor t;
// - sizes[t]: how many elements each of them has;
// - work[2 * i], work[2 * i + 1]: the tensor and the first element of piece i, which is up to `piece` elements long.
//
// Blocks take pieces in turn, so any grid does; every element belongs to one piece, so no two threads write to one.
#pragma once

#include "common/launch.cuh"

struct Table {
    const unsigned long long* pointers;
    const long long* sizes;
    long long tensors;
    const long long* work;
    long long pieces;
    long long piece;
};

// rule(position in the tensor's piece, x) on the first N columns: see walk.
template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void walk_piece(const Table& table, long long i, Rule rule) {
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
    walk<READ, WRITE>(column, left < table.piece ? left : table.piece, threadIdx.x, blockDim.x, rule);
}

template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void walk_table(const Table& table, Rule rule) {
    for (long long i = blockIdx.x; i < table.pieces; i += gridDim.x) walk_piece<READ, WRITE, N, T>(table, i, rule);
}

// The parameters of a kernel on a table, and the table they make.
#define TABLE_PARAMETERS                                                                                               \
    const unsigned long long *pointers, const long long *sizes, long long tensors, const long long *work,             \
        long long pieces, long long piece
#define TABLE \
    Table { pointers, sizes, tensors, work, pieces, piece }
