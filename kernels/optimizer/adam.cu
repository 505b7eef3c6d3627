// Fuses: a whole step of Adam, AdamW or AMSGrad for all parameters of a group: one pass in one launch, after the one
// thread of adam_prepare.
//
// Bytes a parameter (b bytes each): 7b (reads p g m v, writes p m v), AMSGrad 9b; as compositions about 36b. Roof:
// memory; 28 bytes a float32 parameter are 1.2e11 parameters a second at 3.3 TB/s.
//
// Columns of the table: p g m v, for AMSGrad w. constants: Adam::CONSTANTS doubles.
#include "optimizer/adam.h"
#include "optimizer/optimizer.cuh"

KERNEL adam_prepare(const double* lr, const long long* error, double* step, double* constants, double beta1,
                    double beta2, double eps, double weight_decay, int decoupled, int maximize) {
    if (global_thread() != 0) return;
    double c[Adam<double>::CONSTANTS];
    const double count = *step + 1.0;
    Adam<double>::prepare(*lr, count, beta1, beta2, eps, weight_decay, decoupled, maximize, c);
    keep_step(c, count, error, step, constants);
}

#define MAKE(SUFFIX, T, A)                                                                                        \
    KERNEL adam_##SUFFIX(TABLE_PARAMETERS, const double* constants, int amsgrad) {                                \
        const Adam<A> adam = rule_of<Adam<A>, A>(constants);                                                      \
        if (is_skipped(constants)) return;                                                                        \
        if (amsgrad) {                                                                                            \
            walk_table<31u, 29u, 5, T>(                                                                           \
                TABLE, [=](long long, A(&x)[5]) { adam.update_amsgrad(x[0], x[1], x[2], x[3], x[4]); });          \
        } else {                                                                                                  \
            walk_table<15u, 13u, 4, T>(TABLE, [=](long long, A(&x)[4]) { adam.update(x[0], x[1], x[2], x[3]); });  \
        }                                                                                                         \
    }
FOR_ALL_DTYPES(MAKE)
