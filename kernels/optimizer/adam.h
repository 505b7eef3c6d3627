// Adam, AdamW (decoupled) and AMSGrad (with w): D. Kingma & J. Ba, 2015; I. Loshchilov & F. Hutter, 2019; S. Reddi,
// S. Kale & S. Kumar, 2018; in the form of OptimizerPrimitives.adam_step.
#pragma once

#include "optimizer/optimizer.h"

template <class A>
struct Adam {
    static constexpr int CONSTANTS = 9;
    A beta1, rest1, beta2, rest2, eps, size, shrink, weight_decay, sign;

    static HD void prepare(double lr, double step, double b1, double b2, double eps, double weight_decay, int decoupled,
                           int maximize, double (&c)[CONSTANTS]) {
        // sqrt(v / d) + eps = (sqrt(v) + eps sqrt(d)) / sqrt(d): the elements need one division less.
        const double root2 = m::sqrt(1.0 - m::pow(b2, step));
        c[0] = b1;
        c[1] = 1.0 - b1;
        c[2] = b2;
        c[3] = 1.0 - b2;
        c[4] = eps * root2;
        c[5] = lr * root2 / (1.0 - m::pow(b1, step));
        c[6] = decoupled ? 1.0 - lr * weight_decay : 1.0;
        c[7] = decoupled ? 0.0 : weight_decay;
        c[8] = sign_of(maximize);
    }

    HD explicit Adam(const A (&c)[CONSTANTS])
        : beta1(c[0]), rest1(c[1]), beta2(c[2]), rest2(c[3]), eps(c[4]), size(c[5]), shrink(c[6]), weight_decay(c[7]),
          sign(c[8]) {}

    // Moves m and v; returns the gradient's square average that the step divides by, before AMSGrad's maximum.
    HD void average(A& p, A g, A& m1, A& v) const {
        p *= shrink;
        g = prepared_gradient(p, g, sign, weight_decay);
        m1 = beta1 * m1 + rest1 * g;
        v = beta2 * v + rest2 * (g * g);
    }

    HD void move(A& p, A m1, A v) const { p -= size * (m1 / (m::sqrt(v) + eps)); }

    HD void update(A& p, A g, A& m1, A& v) const {
        average(p, g, m1, v);
        move(p, m1, v);
    }

    HD void update_amsgrad(A& p, A g, A& m1, A& v, A& w) const {
        average(p, g, m1, v);
        w = m::max(w, v);
        move(p, m1, w);
    }
};
