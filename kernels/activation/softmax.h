// Online softmax: M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", 2018. One pass over a row
// finds a reference `top` within 1 of its greatest element, and the sum of exp(x - top).
//
// The reference moves only where an element is greater by more than 1, and the sum is compensated (W. Kahan, 1965):
// moved at every new maximum, and added plainly, long rows would lose several bits that the definition keeps.
//
// As in the definition (exp(x - max) / sum), a row with nan or +inf is nan, and so is a row of -inf only.
#pragma once

#include "common/portable.h"

template <class A>
struct SoftmaxState {
    A top;
    A sum;
    A excess;  // what rounding has added to the sum
};

template <class A>
struct Softmax {
    using State = SoftmaxState<A>;

    static HD State identity() { return State{-m::infinity<A>(), A(0), A(0)}; }

    static HD State absorb(State s, A x) {
        A e;
        if (x > s.top + A(1)) {
            const A factor = m::exp(s.top - x);
            s.sum *= factor;
            s.excess *= factor;
            s.top = x;
            e = A(1);
        } else if (x != -m::infinity<A>()) {
            e = m::exp(x - s.top);
        } else {
            return s;  // nothing, also where top is -inf
        }
        const A term = e - s.excess;
        const A sum = s.sum + term;
        s.excess = (sum - s.sum) - term;
        s.sum = sum;
        return s;
    }

    // The sum of exp(x - top), for a top of another part that is no less; nan where top is inf. Parts are merged by the
    // greatest top and by the sum of these.
    static HD A sum_below(State s, A top) {
        return s.top == -m::infinity<A>() ? s.sum : (s.sum - s.excess) * m::exp(s.top - top);
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
