// Fuses: a whole step of gradient descent, with or without (Nesterov) momentum, for all parameters of a group: one pass
// in one launch, after the one thread of sgd_prepare.
//
// Bytes a parameter (b bytes each): 3b (reads p g, writes p), with momentum 5b; compositions 6b and 11b. Roof: memory.
//
// Columns of the table: p g, with momentum b. constants: Sgd::CONSTANTS doubles.
#include "optimizer/sgd.h"
#include "optimizer/optimizer.cuh"

KERNEL sgd_prepare(const double* lr, const long long* error, double* step, double* constants, double momentum,
                   double dampening, double weight_decay, int maximize) {
    if (global_thread() != 0) return;
    double c[Sgd<double>::CONSTANTS];
    const double count = *step + 1.0;
    Sgd<double>::prepare(*lr, count, momentum, dampening, weight_decay, maximize, c);
    keep_step(c, count, error, step, constants);
}

#define MAKE(SUFFIX, T, A)                                                                                  \
    KERNEL sgd_##SUFFIX(TABLE_PARAMETERS, const double* constants, int has_momentum, int nesterov) {        \
        const Sgd<A> sgd = rule_of<Sgd<A>, A>(constants);                                                   \
        if (is_skipped(constants)) return;                                                                  \
        if (has_momentum) {                                                                                 \
            walk_table<7u, 5u, 3, T>(TABLE, [=](long long, A(&x)[3]) {                                      \
                sgd.update_momentum(x[0], x[1], x[2], nesterov != 0);                                       \
            });                                                                                             \
        } else {                                                                                            \
            walk_table<3u, 1u, 2, T>(TABLE, [=](long long, A(&x)[2]) { sgd.update(x[0], x[1]); });          \
        }                                                                                                   \
    }
FOR_ALL_DTYPES(MAKE)
