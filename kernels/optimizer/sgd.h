// Gradient descent with momentum: I. Sutskever et al., 2013, in the form of OptimizerPrimitives.sgd_step.
#pragma once

#include "optimizer/optimizer.h"

template <class A>
struct Sgd {
    static constexpr int CONSTANTS = 5;
    A lr, momentum, keep, weight_decay, sign;

    static HD void prepare(double lr, double step, double momentum, double dampening, double weight_decay, int maximize,
                           double (&c)[CONSTANTS]) {
        c[0] = lr;
        c[1] = momentum;
        c[2] = step == 1.0 ? 1.0 : 1.0 - dampening;  // dampening spares the first step
        c[3] = weight_decay;
        c[4] = sign_of(maximize);
    }

    HD explicit Sgd(const A (&c)[CONSTANTS]) : lr(c[0]), momentum(c[1]), keep(c[2]), weight_decay(c[3]), sign(c[4]) {}

    HD void update(A& p, A g) const { p -= lr * prepared_gradient(p, g, sign, weight_decay); }

    HD void update_momentum(A& p, A g, A& b, bool nesterov) const {
        g = prepared_gradient(p, g, sign, weight_decay);
        b = momentum * b + keep * g;
        p -= lr * (nesterov ? g + momentum * b : b);
    }
};
