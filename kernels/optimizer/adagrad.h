// Adagrad: J. Duchi, E. Hazan & Y. Singer, 2011, in the form of OptimizerPrimitives.adagrad_step.
#pragma once

#include "optimizer/optimizer.h"

template <class A>
struct Adagrad {
    static constexpr int CONSTANTS = 4;
    A size, eps, weight_decay, sign;

    static HD void prepare(double lr, double step, double lr_decay, double eps, double weight_decay, int maximize,
                           double (&c)[CONSTANTS]) {
        c[0] = lr / (1.0 + (step - 1.0) * lr_decay);
        c[1] = eps;
        c[2] = weight_decay;
        c[3] = sign_of(maximize);
    }

    HD explicit Adagrad(const A (&c)[CONSTANTS]) : size(c[0]), eps(c[1]), weight_decay(c[2]), sign(c[3]) {}

    HD void update(A& p, A g, A& s) const {
        g = prepared_gradient(p, g, sign, weight_decay);
        s += g * g;
        p -= size * (g / (m::sqrt(s) + eps));
    }
};
