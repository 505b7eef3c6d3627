// RMSprop: G. Hinton, 2012; centered: A. Graves, 2013; in the form of OptimizerPrimitives.rmsprop_step.
#pragma once

#include "optimizer/optimizer.h"

template <class A>
struct Rmsprop {
    static constexpr int CONSTANTS = 7;
    A lr, alpha, rest, eps, momentum, weight_decay, sign;

    static HD void prepare(double lr, double alpha, double eps, double momentum, double weight_decay, int maximize,
                           double (&c)[CONSTANTS]) {
        c[0] = lr;
        c[1] = alpha;
        c[2] = 1.0 - alpha;
        c[3] = eps;
        c[4] = momentum;
        c[5] = weight_decay;
        c[6] = sign_of(maximize);
    }

    HD explicit Rmsprop(const A (&c)[CONSTANTS])
        : lr(c[0]), alpha(c[1]), rest(c[2]), eps(c[3]), momentum(c[4]), weight_decay(c[5]), sign(c[6]) {}

    // Moves v (and a, if centered); returns the step before momentum.
    HD A scaled(A p, A g, A& v) const {
        g = prepared_gradient(p, g, sign, weight_decay);
        v = alpha * v + rest * (g * g);
        return g / (m::sqrt(v) + eps);
    }

    HD A scaled_centered(A p, A g, A& v, A& a) const {
        g = prepared_gradient(p, g, sign, weight_decay);
        v = alpha * v + rest * (g * g);
        a = alpha * a + rest * g;
        return g / (m::sqrt(m::max(v - a * a, A(0))) + eps);  // rounding can take v - a^2 below zero
    }

    HD void move(A& p, A u) const { p -= lr * u; }

    HD void move_momentum(A& p, A u, A& b) const {
        b = momentum * b + u;
        p -= lr * b;
    }
};
