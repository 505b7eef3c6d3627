// Fuses: the softmax of each row of logits and the loss of its label (softmax_cross_entropy);
// softmax_cross_entropy_backward makes the gradient of kept probabilities.
//
// Bytes an element (b bytes each): forward 3b asked for, 2b from memory while the rows in work fit the second-level
// cache (compositions: about 12b); backward from probabilities 2b (compositions: 5b). Roof: memory.
//
// Labels are int64 and should be checked before (check.cu). One out of range reads nothing: its loss is nan, and in
// backward no element of its row counts as the label.
// Blocks as in softmax.cu.
#include "activation/softmax.cuh"
#include "loss/softmax_cross_entropy.h"

template <class T>
DEVICE void cross_entropy_rows(const T* logits, const long long* labels, T* losses, T* out, long long rows,
                               long long columns, ArithmeticOf<T>* scratch) {
    using A = ArithmeticOf<T>;
    for (long long row = first_row(); row < rows; row += all_teams()) {
        const T* const x = logits + row * columns;
        const long long label = labels[row];
        // Read now: afterwards `out` may have taken its place.
        const bool in_range = label >= 0 && label < columns;
        const A of_label = in_range ? load(x[label]) : m::infinity<A>() - m::infinity<A>();
        const SoftmaxState<A> state = softmax_of_row(x, columns, scratch);
        if (threadIdx.x == 0) losses[row] = store<T>(cross_entropy_loss(state, of_label));
        const Probability<A> probability(state);
        T* const column[] = {out + row * columns, const_cast<T*>(x)};
        walk_row<2u, 1u>(column, columns, [=](long long, A(&v)[2]) { v[0] = probability(v[1]); });
    }
}

#define MAKE(SUFFIX, T, A)                                                                                         \
    KERNEL softmax_cross_entropy_##SUFFIX(const T* logits, const long long* labels, T* losses, T* probabilities,   \
                                          long long rows, long long columns) {                                     \
        __shared__ A scratch[WARP];                                                                                \
        cross_entropy_rows(logits, labels, losses, probabilities, rows, columns, scratch);                         \
    }                                                                                                              \
    KERNEL softmax_cross_entropy_backward_##SUFFIX(const T* scale, long long scale_stride, const T* probabilities, \
                                                   const long long* labels, T* out, long long rows,                \
                                                   long long columns) {                                            \
        for (long long row = first_row(); row < rows; row += all_teams()) {                                        \
            const long long label = labels[row];                                                                   \
            const A factor = load(scale[row * scale_stride]);                                                      \
            T* const column[] = {out + row * columns, const_cast<T*>(probabilities) + row * columns};              \
            walk_row<2u, 1u>(column, columns, [=](long long c, A(&v)[2]) {                                         \
                v[0] = cross_entropy_gradient(v[1], c == label, factor);                                           \
            });                                                                                                    \
        }                                                                                                          \
    }
FOR_ALL_DTYPES(MAKE)
