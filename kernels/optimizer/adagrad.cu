// Fuses: a whole step of Adagrad for all parameters of a group: one pass in one launch, after the one thread of
// adagrad_prepare.
//
// Bytes a parameter (b bytes each): 5b (reads p g s, writes p s); as compositions 19b. Roof: memory.
//
// Columns of the table: p g s. constants: Adagrad::CONSTANTS doubles.
#include "optimizer/adagrad.h"
#include "optimizer/optimizer.cuh"

KERNEL adagrad_prepare(const double* lr, const long long* error, double* step, double* constants, double lr_decay,
                       double eps, double weight_decay, int maximize) {
    if (global_thread() != 0) return;
    double c[Adagrad<double>::CONSTANTS];
    const double count = *step + 1.0;
    Adagrad<double>::prepare(*lr, count, lr_decay, eps, weight_decay, maximize, c);
    keep_step(c, count, error, step, constants);
}

#define MAKE(SUFFIX, T, A)                                                                                    \
    KERNEL adagrad_##SUFFIX(TABLE_PARAMETERS, const double* constants) {                                      \
        const Adagrad<A> adagrad = rule_of<Adagrad<A>, A>(constants);                                         \
        if (is_skipped(constants)) return;                                                                    \
        walk_table<7u, 5u, 3, T>(TABLE, [=](long long, A(&x)[3]) { adagrad.update(x[0], x[1], x[2]); });      \
    }
FOR_ALL_DTYPES(MAKE)
