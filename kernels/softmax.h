// Online softmax: M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", 2018. One pass over a row finds
// its greatest element and the sum of exp(x - greatest); the state of any two parts can be merged.
//
// As in the definition (exp(x - max) / sum), a row with nan or +inf is nan, and so is a row of -inf only.
#pragma once

#include "portable.h"

template <class A>
struct SoftmaxState {
    A top;
    A sum;
};

template <class A>
struct Softmax {
    using State = SoftmaxState<A>;

    static HD State identity() { return State{-m::infinity<A>(), A(0)}; }

    static HD State absorb(State s, A x) {
        if (x > s.top) {
            s.sum = s.sum * m::exp(s.top - x) + (A(1) + (x - x));  // x - x is nan for inf: so becomes the row
            s.top = x;
        } else if (x != -m::infinity<A>()) {  // -inf adds nothing, also while top is -inf
            s.sum += m::exp(x - s.top);
        }
        return s;
    }

    static HD State merge(State a, State b) {
        const A top = a.top > b.top ? a.top : b.top;
        if (top == -m::infinity<A>()) return State{top, a.sum + b.sum};
        return State{top, a.sum * m::exp(a.top - top) + b.sum * m::exp(b.top - top)};
    }
};

// What finishing makes of the whole row's state, for each element.
template <class A>
struct Probability {
    A top, sum;
    HD explicit Probability(SoftmaxState<A> s) : top(s.top), sum(s.sum) {}
    HD A operator()(A x) const { return m::exp(x - top) / sum; }
};

template <class A>
struct LogProbability {
    A top, log_sum;
    HD explicit LogProbability(SoftmaxState<A> s) : top(s.top), log_sum(m::log(s.sum)) {}
    HD A operator()(A x) const { return x - top - log_sum; }
};

// The gradients, given the sum over the row that each needs.
template <class A>
HD A softmax_gradient(A g, A y, A sum_of_products) {
    return y * (g - sum_of_products);
}

template <class A>
HD A log_softmax_gradient(A g, A y, A sum) {
    return g - m::exp(y) * sum;
}
