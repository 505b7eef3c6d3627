// The activations: value(x) and gradient(g, saved), where `saved` is the result y for some and the argument x for the
// others (each says which). `alpha` is the slope of leaky_relu below zero; the others ignore it.
// The definitions are those of primitives/activation.py: nothing overflows into nan.
#pragma once

#include "common/portable.h"

// y = max(x, 0). Saves y (x does as well).
struct Relu {
    template <class A>
    static HD A value(A x, A) {
        return m::max(x, A(0));
    }
    template <class A>
    static HD A gradient(A g, A y, A) {
        return y <= A(0) ? A(0) : g;
    }
};

// x where x > 0, else alpha x. Saves x; y does as well where alpha >= 0.
struct LeakyRelu {
    template <class A>
    static HD A value(A x, A alpha) {
        return x > A(0) ? x : x * alpha;
    }
    template <class A>
    static HD A gradient(A g, A x, A alpha) {
        return x > A(0) ? g : g * alpha;
    }
};

// Far below 0 the exponential is infinite, and the quotient 0.
template <class A>
HD A logistic(A x) {
    return A(1) / (A(1) + m::exp(-x));
}

// 1 / (1 + exp(-x)). Saves y.
struct Sigmoid {
    template <class A>
    static HD A value(A x, A) {
        return logistic(x);
    }
    template <class A>
    static HD A gradient(A g, A y, A) {
        return g * y * (A(1) - y);
    }
};

// Saves y.
struct Tanh {
    template <class A>
    static HD A value(A x, A) {
        return m::tanh(x);
    }
    template <class A>
    static HD A gradient(A g, A y, A) {
        return g * (A(1) - y * y);
    }
};

// x sigmoid(x). Saves x.
struct Silu {
    template <class A>
    static HD A value(A x, A) {
        return x / (A(1) + m::exp(-x));
    }
    template <class A>
    static HD A gradient(A g, A x, A) {
        const A s = logistic(x);
        return g * (s * (x * (A(1) - s) + A(1)));
    }
};

// x P(x), P the normal distribution. Saves x.
struct Gelu {
    template <class A>
    static HD A value(A x, A) {
        return (x < A(-40) ? A(-40) : x) * m::normal_cdf(x);  // which is 0 there: -inf * 0 would be nan
    }
    template <class A>
    static HD A gradient(A g, A x, A) {
        const A near = x < A(-40) ? A(-40) : x > A(40) ? A(40) : x;  // beyond, the density is 0
        const A density = m::exp(near * near * A(-0.5)) * A(0.3989422804014327);
        return g * (m::normal_cdf(x) + near * density);
    }
};

// x (1 + tanh(u)) / 2 = x logistic(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). Saves x.
struct GeluTanh {
    template <class A>
    static HD A twice_u(A x) {
        return x * A(2 * 0.7978845608028654) * (x * x * A(0.044715) + A(1));
    }
    template <class A>
    static HD A value(A x, A) {
        return x * logistic(twice_u(x));
    }
    template <class A>
    static HD A gradient(A g, A x, A) {
        x = m::max(m::min(x, A(30)), A(-30));  // the logistic is 0 or 1 there, and x^2 must not become inf
        const A s = logistic(twice_u(x));
        const A slope = (x * x * A(3 * 0.044715) + A(1)) * A(2 * 0.7978845608028654);
        return g * (s * (x * (A(1) - s) * slope + A(1)));
    }
};
