// The loss of one row of logits: -log softmax(x)[label] = log(sum) - (x[label] - greatest), and its gradient.
#pragma once

#include "activation/softmax.h"

template <class A>
HD A cross_entropy_loss(SoftmaxState<A> s, A x_of_label) {
    return m::log(s.sum) - (x_of_label - s.top);
}

// scale (probability - one-hot label)
template <class A>
HD A cross_entropy_gradient(A probability, bool is_label, A scale) {
    return (is_label ? probability - A(1) : probability) * scale;
}
