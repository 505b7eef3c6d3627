// Fuses: sums over the rows of a matrix (bias gradients). Results are the same in every run: partial sums go through
// memory, no float is added atomically.
//
// Bytes an element (b bytes each): b. Roof: memory.
//
// column_sums writes partial[slab][column]; column_finish adds the slabs. See columns.cuh for the grid.
#include "common/columns.cuh"

#define MAKE(SUFFIX, T, A)                                                                                            \
    KERNEL column_sums_##SUFFIX(const T* x, A* partial, long long rows, long long columns, long long slab_rows) {     \
        __shared__ A scratch[THREADS * Vector<T>::size];                                                              \
        sum_columns(x, rows, columns, slab_rows, scratch,                                                             \
                    [=](long long c, A sum) { partial[blockIdx.y * columns + c] = sum; });                            \
    }                                                                                                                 \
    KERNEL column_finish_##SUFFIX(const A* partial, T* out, long long slabs, long long columns) {                     \
        __shared__ A scratch[THREADS * Vector<A>::size];                                                              \
        sum_columns(partial, slabs, columns, slabs, scratch, [=](long long c, A sum) { out[c] = store<T>(sum); });    \
    }
FOR_ALL_DTYPES(MAKE)
