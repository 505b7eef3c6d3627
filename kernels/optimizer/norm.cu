// Fuses: the norm of all gradients of a group, and clipping by it or by value. Results are the same in every run:
// partial sums go through memory, no float is added atomically.
//
// Bytes an element (b bytes each): b for norms; 2b for scaling and clamping. Roof: memory.
//
// norm_parts writes one float64 a block, from partial[first] on; norm_finish, one block, joins them to the norm and the
// factor of clipping. A thread adds the elements of a piece in the arithmetic type, pieces and threads in float64.
#include "common/reductions.h"
#include "common/table.cuh"
#include "optimizer/norm.h"

DEVICE double join_block(double s, int kind, double* scratch) {
    return kind == NORM_MAX ? team_merge<Max<double>>(s, scratch) : team_merge<Sum<double>>(s, scratch);
}

template <class T>
DEVICE double norm_of_pieces(const Table& table, int kind, double p) {
    using A = ArithmeticOf<T>;
    double total = 0.0;
    for (long long i = blockIdx.x; i < table.pieces; i += gridDim.x) {
        A part = 0;
        walk_piece<1u, 0u, 1, T>(table, i, [&part, kind, p](long long, A(&x)[1]) {
            part = norm_absorb(part, x[0], kind, static_cast<A>(p));
        });
        total = norm_join(total, static_cast<double>(part), kind);
    }
    return total;
}

KERNEL norm_finish(const double* partial, long long parts, int kind, double p, double max_norm, int if_finite,
                   double* norm, double* scale) {
    __shared__ double scratch[WARP];
    double s = 0.0;
    for (long long i = threadIdx.x; i < parts; i += blockDim.x) s = norm_join(s, partial[i], kind);
    s = join_block(s, kind, scratch);
    if (threadIdx.x != 0) return;
    *norm = norm_finish(s, kind, p);
    *scale = clip_scale(*norm, max_norm, if_finite);
}

#define MAKE(SUFFIX, T, A)                                                                                            \
    KERNEL norm_parts_##SUFFIX(TABLE_PARAMETERS, double* partial, long long first, int kind, double p) {              \
        __shared__ double scratch[WARP];                                                                              \
        const double s = join_block(norm_of_pieces<T>(TABLE, kind, p), kind, scratch);                                \
        if (threadIdx.x == 0) partial[first + blockIdx.x] = s;                                                        \
    }                                                                                                                 \
    KERNEL scale_tensors_##SUFFIX(TABLE_PARAMETERS, const double* scale) {                                            \
        const A factor = static_cast<A>(*scale);                                                                      \
        if (factor == A(1)) return;                                                                                   \
        walk_table<1u, 1u, 1, T>(TABLE, [=](long long, A(&x)[1]) { x[0] *= factor; });                                \
    }                                                                                                                 \
    KERNEL clamp_tensors_##SUFFIX(TABLE_PARAMETERS, double limit) {                                                   \
        const A most = static_cast<A>(limit);                                                                         \
        walk_table<1u, 1u, 1, T>(TABLE, [=](long long, A(&x)[1]) { x[0] = clamp(x[0], most); });                      \
    }
FOR_ALL_DTYPES(MAKE)
