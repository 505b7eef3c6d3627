// Fuses: softmax and log_softmax along rows (greatest element, exponentials, sum, quotient), and their gradients.
//
// Bytes an element (b bytes each): forward 3b asked for, 2b from memory while a row of every resident team fits the
// second-level cache (compositions: 11b); backward 5b asked for, 3b from memory (compositions: 10b). Roof: memory, with
// two exp an element.
//
// A block is (32, n) threads for short rows (a warp each), or (64...256, 1) for long ones.
#include "activation/softmax.cuh"

template <template <class> class Finish, class T>
DEVICE void softmax_rows(const T* x, T* out, long long rows, long long columns,
                         ArithmeticOf<T>* scratch) {
    using A = ArithmeticOf<T>;
    for (long long row = first_row(); row < rows; row += all_teams()) {
        const Finish<A> finish(softmax_of_row(x + row * columns, columns, scratch));
        T* const column[] = {out + row * columns, const_cast<T*>(x) + row * columns};
        walk_row<2u, 1u>(column, columns, [=](long long, A(&v)[2]) { v[0] = finish(v[1]); });
    }
}

template <class T, class Part, class Finish>
DEVICE void softmax_rows_backward(const T* g, const T* y, T* dx, long long rows, long long columns,
                                  ArithmeticOf<T>* scratch, Part part, Finish finish) {
    using A = ArithmeticOf<T>;
    for (long long row = first_row(); row < rows; row += all_teams()) {
        T* const column[] = {dx + row * columns, const_cast<T*>(g) + row * columns, const_cast<T*>(y) + row * columns};
        RunningSums<A> mine;
        walk_row<6u, 0u>(column, columns, [&mine, part](long long, A(&v)[3]) { mine.add(part(v[1], v[2])); });
        const A sum = team_merge<Sum<A>>(mine.total(), scratch);
        walk_row<6u, 1u>(column, columns, [=](long long, A(&v)[3]) { v[0] = finish(v[1], v[2], sum); });
    }
}

#define MAKE(SUFFIX, T, A)                                                                                   \
    KERNEL softmax_##SUFFIX(const T* x, T* out, long long rows, long long columns) {                         \
        __shared__ A scratch[WARP];                                                                          \
        softmax_rows<Probability>(x, out, rows, columns, scratch);                                           \
    }                                                                                                        \
    KERNEL log_softmax_##SUFFIX(const T* x, T* out, long long rows, long long columns) {                     \
        __shared__ A scratch[WARP];                                                                          \
        softmax_rows<LogProbability>(x, out, rows, columns, scratch);                                        \
    }                                                                                                        \
    KERNEL softmax_backward_##SUFFIX(const T* g, const T* y, T* dx, long long rows, long long columns) {     \
        __shared__ A scratch[WARP];                                                                          \
        softmax_rows_backward(                                                                               \
            g, y, dx, rows, columns, scratch, [](A gi, A yi) { return gi * yi; },                            \
            [](A gi, A yi, A sum) { return softmax_gradient(gi, yi, sum); });                                \
    }                                                                                                        \
    KERNEL log_softmax_backward_##SUFFIX(const T* g, const T* y, T* dx, long long rows, long long columns) { \
        __shared__ A scratch[WARP];                                                                          \
        softmax_rows_backward(                                                                               \
            g, y, dx, rows, columns, scratch, [](A gi, A) { return gi; },                                    \
            [](A gi, A yi, A sum) { return log_softmax_gradient(gi, yi, sum); });                            \
    }
FOR_ALL_DTYPES(MAKE)
