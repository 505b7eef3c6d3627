// Rules of the norm of all gradients, and of clipping.
#pragma once

#include "common/portable.h"

// The norm of a vector: (sum |x|^p)^(1/p), or max |x| for p = inf. 1 and 2 need no powers.
enum NormKind { NORM_POWER = 0, NORM_ONE = 1, NORM_TWO = 2, NORM_MAX = 3 };

template <class A>
HD A norm_absorb(A s, A x, int kind, A p) {
    if (kind == NORM_TWO) return s + x * x;
    const A size = m::abs(x);
    if (kind == NORM_MAX) return m::max(s, size);
    return s + (kind == NORM_ONE ? size : m::pow(size, p));
}

HD double norm_join(double a, double b, int kind) { return kind == NORM_MAX ? m::max(a, b) : a + b; }

HD double norm_finish(double s, int kind, double p) {
    if (kind == NORM_TWO) return m::sqrt(s);
    return kind == NORM_POWER ? m::pow(s, 1.0 / p) : s;
}

// What clipping multiplies the gradients by. A norm that is not finite spoils them, or with `if_finite` leaves them.
HD double clip_scale(double norm, double max_norm, int if_finite) {
    const bool finite = norm - norm == 0.0;
    if (if_finite && !finite) return 1.0;
    return m::min(max_norm / (norm + 1e-6), 1.0);
}

template <class A>
HD A clamp(A x, A limit) {
    return m::min(m::max(x, -limit), limit);
}
