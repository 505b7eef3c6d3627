// Fuses: a whole step of RMSprop, centered or not, with or without momentum, for all parameters of a group: one pass in
// one launch, after the one thread of rmsprop_prepare.
//
// Bytes a parameter (b bytes each): 5b (reads p g v, writes p v), 2b more if centered, 2b more with momentum; as
// compositions 22b to 41b. Roof: memory.
//
// Columns of the table: p g v, then a if centered, then b with momentum. constants: Rmsprop::CONSTANTS doubles.
#include "optimizer/rmsprop.h"
#include "optimizer/optimizer.cuh"

KERNEL rmsprop_prepare(const double* lr, const long long* error, double* step, double* constants, double alpha,
                       double eps, double momentum, double weight_decay, int maximize) {
    if (global_thread() != 0) return;
    double c[Rmsprop<double>::CONSTANTS];
    Rmsprop<double>::prepare(*lr, alpha, eps, momentum, weight_decay, maximize, c);
    keep_step(c, *step + 1.0, error, step, constants);
}

#define MAKE(SUFFIX, T, A)                                                                                   \
    KERNEL rmsprop_##SUFFIX(TABLE_PARAMETERS, const double* constants, int centered, int has_momentum) {     \
        const Rmsprop<A> rule = rule_of<Rmsprop<A>, A>(constants);                                           \
        if (is_skipped(constants)) return;                                                                   \
        if (centered && has_momentum) {                                                                      \
            walk_table<31u, 29u, 5, T>(TABLE, [=](long long, A(&x)[5]) {                                     \
                rule.move_momentum(x[0], rule.scaled_centered(x[0], x[1], x[2], x[3]), x[4]);                \
            });                                                                                              \
        } else if (centered) {                                                                               \
            walk_table<15u, 13u, 4, T>(TABLE, [=](long long, A(&x)[4]) {                                     \
                rule.move(x[0], rule.scaled_centered(x[0], x[1], x[2], x[3]));                               \
            });                                                                                              \
        } else if (has_momentum) {                                                                           \
            walk_table<15u, 13u, 4, T>(TABLE, [=](long long, A(&x)[4]) {                                     \
                rule.move_momentum(x[0], rule.scaled(x[0], x[1], x[2]), x[3]);                               \
            });                                                                                              \
        } else {                                                                                             \
            walk_table<7u, 5u, 3, T>(                                                                        \
                TABLE, [=](long long, A(&x)[3]) { rule.move(x[0], rule.scaled(x[0], x[1], x[2])); });        \
        }                                                                                                    \
    }
FOR_ALL_DTYPES(MAKE)
