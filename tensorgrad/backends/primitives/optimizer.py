"""The composite primitives of the optimizers: one call updates every parameter of a group in place.

Each rule is written once, for one parameter, out of basic primitives with `out=`; a launcher (`_each_parameter`)
applies it to all of them. A device may override the launcher (see `cpu/optimizer.py`) or a whole step
(a kernel); what stands here stays the oracle and the fallback.

Common to all steps:

- `params`, `grads` and each list of state have equal length; arrays with the same position have equal shapes,
  and all arrays of a call have the same floating dtype. Parameters and state are written in place, gradients
  are not;
- `lr` and `step` are 0-d float64 arrays of the device. `step` is advanced by one first, so it counts from 1
  in the formulas below. Nothing is read back to the host and nothing branches on values, so a step can be
  replayed;
- what depends on `lr` or `step` is computed in float64 and rounded once to the parameters' dtype;
- with `maximize` the sign of the gradient is flipped before anything else; with `weight_decay` (and not
  `decoupled`) `weight_decay * p` is added to it next. Below, g is the gradient after both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tensorgrad.backends.primitives.basic import Array, Primitives
from tensorgrad.dtypes import DType, float32, float64

__all__ = ["OptimizerPrimitives"]

Arrays: TypeAlias = Sequence[Array]
Rule: TypeAlias = Callable[..., None]


class OptimizerPrimitives(Primitives, composes=True):
    """Mixin of `Backend`: the optimizer steps and gradient clipping, composed of basic primitives."""

    def sgd_step(
        self,
        params: Arrays,
        grads: Arrays,
        momenta: Arrays | None,
        lr: Array,
        step: Array,
        *,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
    ) -> None:
        """Gradient descent, with momentum where `momenta` (zeros before the first step) is given.

            b = momentum * b + (1 - dampening) * g        (b = g on the first step)
            p = p - lr * (g + momentum * b   if nesterov else   b)

        Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, in
        PyTorch's form: lr multiplies the whole step, and dampening spares the first one.
        """
        dtype = params[0].dtype
        self.add(step, 1.0, out=step)
        constants = {
            "lr": self.astype(lr, dtype),
            "momentum": momentum,
            "keep": _after_first(self, step, 1.0 - dampening, dtype) if momenta and dampening else None,
            "nesterov": nesterov,
        }
        self._each_parameter(_sgd, [params, grads, momenta], weight_decay, maximize, constants)

    def adam_step(
        self,
        params: Arrays,
        grads: Arrays,
        exp_avgs: Arrays,
        exp_avg_sqs: Arrays,
        max_exp_avg_sqs: Arrays | None,
        lr: Array,
        step: Array,
        *,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        decoupled: bool,
        maximize: bool,
    ) -> None:
        """Adam; AdamW with `decoupled`; AMSGrad where `max_exp_avg_sqs` is given.

            p = p * (1 - lr * weight_decay)               (only if decoupled)
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g^2
            w = max(w, v)   if AMSGrad   else   v
            p = p - lr / (1 - beta1^step) * m / (sqrt(w / (1 - beta2^step)) + eps)

        Kingma & Ba, "Adam", 2015; Loshchilov & Hutter, "Decoupled weight decay regularization", 2019; Reddi,
        Kale & Kumar, "On the convergence of Adam and beyond", 2018, in PyTorch's form: the maximum is taken
        of the uncorrected v.
        """
        dtype = params[0].dtype
        self.add(step, 1.0, out=step)
        # sqrt(w / c) + eps = (sqrt(w) + eps * sqrt(c)) / sqrt(c): one pass over the array less
        root2 = self.sqrt(_bias_correction(self, beta2, step))
        size = self.divide(self.multiply(lr, root2), _bias_correction(self, beta1, step))
        shrink = self.subtract(1.0, self.multiply(lr, weight_decay)) if decoupled and weight_decay else None
        constants = {
            "beta1": beta1,
            "rest1": 1.0 - beta1,
            "beta2": beta2,
            "rest2": 1.0 - beta2,
            "eps": self.astype(self.multiply(root2, eps), dtype),
            "size": self.astype(size, dtype),
            "shrink": None if shrink is None else self.astype(shrink, dtype),
        }
        columns = [params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs]
        self._each_parameter(_adam, columns, 0.0 if decoupled else weight_decay, maximize, constants)

    def rmsprop_step(
        self,
        params: Arrays,
        grads: Arrays,
        square_avgs: Arrays,
        grad_avgs: Arrays | None,
        momenta: Arrays | None,
        lr: Array,
        step: Array,
        *,
        alpha: float,
        eps: float,
        weight_decay: float,
        momentum: float,
        maximize: bool,
    ) -> None:
        """RMSprop; centered where `grad_avgs` is given, with momentum where `momenta` is.

            v = alpha * v + (1 - alpha) * g^2
            a = alpha * a + (1 - alpha) * g               (only if centered; the variance is then v - a^2)
            u = g / (sqrt(v - a^2   if centered else   v) + eps)
            b = momentum * b + u;  p = p - lr * b         (p = p - lr * u without momentum)

        Hinton, "Neural networks for machine learning", lecture 6, 2012; Graves, "Generating sequences with
        recurrent neural networks", 2013 (centered), in PyTorch's form: eps is added outside the root.
        Rounding can take v - a^2 below zero, where PyTorch makes NaN; here it is cut off at zero.
        """
        self.add(step, 1.0, out=step)
        constants = {
            "lr": self.astype(lr, params[0].dtype),
            "alpha": alpha,
            "rest": 1.0 - alpha,
            "eps": eps,
            "momentum": momentum,
        }
        columns = [params, grads, square_avgs, grad_avgs, momenta]
        self._each_parameter(_rmsprop, columns, weight_decay, maximize, constants)

    def adagrad_step(
        self,
        params: Arrays,
        grads: Arrays,
        sums: Arrays,
        lr: Array,
        step: Array,
        *,
        lr_decay: float,
        eps: float,
        weight_decay: float,
        maximize: bool,
    ) -> None:
        """Adagrad.

            s = s + g^2
            p = p - lr / (1 + (step - 1) * lr_decay) * g / (sqrt(s) + eps)

        Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
        2011, in PyTorch's form.
        """
        self.add(step, 1.0, out=step)
        decay = self.add(self.multiply(self.subtract(step, 1.0), lr_decay), 1.0)
        constants = {"size": self.astype(self.divide(lr, decay), params[0].dtype), "eps": eps}
        self._each_parameter(_adagrad, [params, grads, sums], weight_decay, maximize, constants)

    def clip_grads_by_norm(
        self,
        grads: Arrays,
        max_norm: float,
        norm_type: float,
        *,
        if_finite: bool = False,
        out: Array | None = None,
    ) -> Array:
        """Scale all gradients in place by min(1, max_norm / (norm + 1e-6)); return the norm they had.

        The norm is `total_norm`, a 0-d float64 array. One that is not finite makes the gradients so too, or with
        `if_finite` leaves them as they are.
        Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", 2013; PyTorch's
        `clip_grad_norm_`.
        """
        total = self.total_norm(grads, norm_type, out=out)
        scale = self.minimum(self.divide(max_norm, self.add(total, 1e-6)), 1.0)
        if if_finite:
            scale = self.where(self.isfinite(total), scale, self.full((), 1.0, float64))
        for g in grads:
            self.multiply(g, self.astype(scale, g.dtype), out=g)
        return total

    def clip_grads_by_value(self, grads: Arrays, limit: float) -> None:
        """Clamp every element of every gradient to [-limit, limit], in place; NaN stays."""
        for g in grads:
            self.maximum(g, -limit, out=g)
            self.minimum(g, limit, out=g)

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        """The norm of all arrays taken as one vector, a 0-d float64 array: zero where there are none.

        (sum |g|^norm_type)^(1/norm_type), or max |g| where `norm_type` is infinite.
        """
        join = self.maximum if math.isinf(norm_type) else self.add
        total = self.full((), 0.0, float64, out=out)
        for g in grads:
            if 0 not in g.shape:
                join(total, self.astype(_norm_part(self, g, norm_type), float64), out=total)
        if norm_type == 2.0:
            return self.sqrt(total, out=total)
        return total if math.isinf(norm_type) else self.power(total, 1.0 / norm_type, out=total)

    def _each_parameter(
        self,
        rule: Rule,
        columns: Sequence[Arrays | None],
        weight_decay: float,
        maximize: bool,
        constants: dict[str, Any],
    ) -> None:
        """Apply `rule` to every parameter: `columns` are parameters, gradients and state, or None."""
        for arrays in rows_of(columns):
            p, g, *state = arrays
            t = self.empty(p.shape, p.dtype)
            s = self.empty(p.shape, p.dtype) if weight_decay or maximize else t
            apply_rule(self, rule, p, g, state, s, t, weight_decay, maximize, constants)


def rows_of(columns: Sequence[Arrays | None]) -> list[tuple[Array, ...]]:
    assert columns[0] is not None
    absent = [None] * len(columns[0])
    return list(zip(*[absent if c is None else c for c in columns], strict=True))


def apply_rule(
    B: Any,
    rule: Rule,
    p: Array,
    g: Array,
    state: Sequence[Array | None],
    s: Array,
    t: Array,
    weight_decay: Any,
    maximize: bool,
    constants: dict[str, Any],
) -> None:
    """One parameter, or one piece of it. `t` is scratch, and so is `s`, the same where g is used as it is."""
    if weight_decay:
        B.multiply(p, weight_decay, out=s)
        (B.subtract if maximize else B.add)(s, g, out=s)
        g = s
    elif maximize:
        B.negative(g, out=s)
        g = s
    rule(B, p, g, *state, t, **constants)


def _sgd(
    B: Any,
    p: Array,
    g: Array,
    b: Array | None,
    t: Array,
    *,
    lr: Any,
    momentum: Any,
    keep: Any,
    nesterov: bool,
) -> None:
    if b is not None:
        B.multiply(b, momentum, out=b)
        B.add(b, g if keep is None else B.multiply(g, keep, out=t), out=b)
        if nesterov:
            B.multiply(b, momentum, out=t)
            g = B.add(t, g, out=t)
        else:
            g = b
    B.multiply(g, lr, out=t)
    B.subtract(p, t, out=p)


def _adam(
    B: Any,
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    w: Array | None,
    t: Array,
    *,
    beta1: Any,
    rest1: Any,
    beta2: Any,
    rest2: Any,
    eps: Any,
    size: Any,
    shrink: Any,
) -> None:
    if shrink is not None:
        B.multiply(p, shrink, out=p)
    _average(B, m, g, beta1, rest1, t)
    _average_square(B, v, g, beta2, rest2, t)
    B.sqrt(v if w is None else B.maximum(w, v, out=w), out=t)
    B.add(t, eps, out=t)
    B.divide(m, t, out=t)
    B.multiply(t, size, out=t)
    B.subtract(p, t, out=p)


def _rmsprop(
    B: Any,
    p: Array,
    g: Array,
    v: Array,
    a: Array | None,
    b: Array | None,
    t: Array,
    *,
    lr: Any,
    alpha: Any,
    rest: Any,
    eps: Any,
    momentum: Any,
) -> None:
    _average_square(B, v, g, alpha, rest, t)
    spread = v
    if a is not None:
        _average(B, a, g, alpha, rest, t)
        B.multiply(a, a, out=t)
        B.subtract(v, t, out=t)
        spread = B.maximum(t, 0.0, out=t)
    B.sqrt(spread, out=t)
    B.add(t, eps, out=t)
    u = B.divide(g, t, out=t)
    if b is not None:
        B.multiply(b, momentum, out=b)
        u = B.add(b, u, out=b)
    B.multiply(u, lr, out=t)
    B.subtract(p, t, out=p)


def _adagrad(B: Any, p: Array, g: Array, s: Array, t: Array, *, size: Any, eps: Any) -> None:
    B.multiply(g, g, out=t)
    B.add(s, t, out=s)
    B.sqrt(s, out=t)
    B.add(t, eps, out=t)
    B.divide(g, t, out=t)
    B.multiply(t, size, out=t)
    B.subtract(p, t, out=p)


def _average(B: Any, m: Array, g: Array, beta: Any, rest: Any, t: Array) -> None:
    B.multiply(m, beta, out=m)
    B.multiply(g, rest, out=t)
    B.add(m, t, out=m)


def _average_square(B: Any, v: Array, g: Array, beta: Any, rest: Any, t: Array) -> None:
    B.multiply(v, beta, out=v)
    B.multiply(g, g, out=t)
    B.multiply(t, rest, out=t)
    B.add(v, t, out=v)


def _bias_correction(B: Any, beta: float, step: Array) -> Array:
    return B.subtract(1.0, B.power(beta, step))


def _after_first(B: Any, step: Array, value: float, dtype: DType) -> Array:
    """`value`, but 1 on the first step: chosen on the device, so that a replay needs no branch."""
    first = B.equal(step, 1.0)
    return B.astype(B.where(first, B.full((), 1.0, float64), B.full((), value, float64)), dtype)


def _norm_part(B: Any, g: Array, norm_type: float) -> Array:
    if g.dtype.itemsize < 4:  # 257 squared is past float16
        g = B.astype(g, float32)
    if norm_type == 2.0:
        return B.sum(B.square(g))
    size = B.absolute(g)
    if math.isinf(norm_type):
        return B.max(size)
    return B.sum(B.power(size, norm_type))
