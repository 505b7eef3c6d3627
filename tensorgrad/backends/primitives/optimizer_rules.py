"""The optimizers' rules: what each keeps, which options it takes, and its formula, said once.

All else follows from a `Rule`: the primitive NAME_step with its signature, docstring and row in the table, its
overrides, the launch of its kernels, the call of the class in `optim/`. A new optimizer is

- a Rule here, and the line in `OptimizerPrimitives` that makes the primitive of it;
- its kernels NAME_prepare and NAME, which take what the Rule says (the files of `adam` are the pattern);
- a class in `optim/` that names the Rule, checks the options and says which state they call for.

A formula is written for one parameter, or a piece of one, out of basic primitives with `out=`. It makes no array: it
works in `t`, memory like p that is handed to it. What stands here is the oracle and the fallback of the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.backends.primitives.basic import Array
from tensorgrad.dtypes import float64

__all__ = ["ADAGRAD", "ADAM", "RMSPROP", "SGD", "Rule", "prepared_gradient"]

Options = dict[str, Any]


class Rule:
    """How an optimizer changes a parameter.

    name: its primitive is NAME_step, its kernels are NAME_prepare and NAME.
    state: what is kept for each parameter, in the order of the primitive's lists and of the kernel's columns.
    optional: the state that a step may be without; the kernel is told of each, by a flag, whether it is there.
    numbers, flags: the options, in the order in which NAME_prepare takes them. `weight_decay` and `maximize` are among
        them, and a flag `decoupled` says that the formula sees to the decay itself.
    kernel_flags: the flags that go to NAME instead, after those of `optional`.
    constants: (B, lr, step, options) -> what the formula takes by name: numbers, flags, None, and 0-d float64 arrays
        computed on the device, which are rounded once to the dtype of the parameters.
    update: (B, p, g, *state, t, **constants), the formula; its docstring is the primitive's.
    """

    def __init__(
        self,
        *,
        name: str,
        state: tuple[str, ...],
        numbers: tuple[str, ...],
        flags: tuple[str, ...],
        constants: Callable[[Any, Array, Array, Options], dict[str, Any]],
        update: Callable[..., None],
        optional: tuple[str, ...] = (),
        kernel_flags: tuple[str, ...] = (),
    ) -> None:
        self.name, self.state, self.optional = name, state, optional
        self.numbers, self.flags, self.kernel_flags = numbers, flags, kernel_flags
        self.constants, self.update = constants, update
        self.primitive = f"{name}_step"
        self.options = numbers + flags
        self.lists = tuple([f"{each}s" for each in state])  # what the primitive calls its lists of state

    def __repr__(self) -> str:
        return f"Rule({self.name})"


def prepared_gradient(B: Any, p: Array, g: Array, weight_decay: Any, maximize: bool, s: Array) -> Array:
    """What a formula is given for g: g itself, or in the scratch `s` with its sign flipped and the decay added."""
    if weight_decay:
        B.multiply(p, weight_decay, out=s)
        return (B.subtract if maximize else B.add)(s, g, out=s)
    return B.negative(g, out=s) if maximize else g


# ---------------------------------------------------------------------- SGD
def _sgd_constants(B: Any, lr: Array, step: Array, o: Options) -> dict[str, Any]:
    keep = _after_first(B, step, 1.0 - o["dampening"]) if o["dampening"] else None
    return {"lr": lr, "momentum": o["momentum"], "keep": keep, "nesterov": o["nesterov"]}


def _sgd(
    B: Any, p: Array, g: Array, b: Array | None, t: Array, *, lr: Any, momentum: Any, keep: Any, nesterov: bool
) -> None:
    """Gradient descent, with momentum where its state b (zeros before the first step) is given.

        b = momentum * b + (1 - dampening) * g        (b = g on the first step)
        p = p - lr * (g + momentum * b   if nesterov else   b)

    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, in
    PyTorch's form: lr multiplies the whole step, and dampening spares the first one.
    """
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


SGD = Rule(
    name="sgd",
    state=("momentum_buffer",),
    optional=("momentum_buffer",),
    numbers=("momentum", "dampening", "weight_decay"),
    flags=("nesterov", "maximize"),
    kernel_flags=("nesterov",),
    constants=_sgd_constants,
    update=_sgd,
)


# ---------------------------------------------------------------------- Adam
def _adam_constants(B: Any, lr: Array, step: Array, o: Options) -> dict[str, Any]:
    beta1, beta2, shrink = o["beta1"], o["beta2"], None
    # sqrt(w / c) + eps = (sqrt(w) + eps * sqrt(c)) / sqrt(c): one pass over the array less
    root2 = B.sqrt(_bias_correction(B, beta2, step))
    size = B.multiply(lr, root2)
    size = B.divide(size, _bias_correction(B, beta1, step))
    if o["decoupled"] and o["weight_decay"]:
        shrink = B.subtract(1.0, B.multiply(lr, o["weight_decay"]))
    averages = {"beta1": beta1, "rest1": 1.0 - beta1, "beta2": beta2, "rest2": 1.0 - beta2}
    return {**averages, "eps": B.multiply(root2, o["eps"]), "size": size, "shrink": shrink}


def _adam(
    B: Any, p: Array, g: Array, m: Array, v: Array, w: Array | None, t: Array, *,
    beta1: Any, rest1: Any, beta2: Any, rest2: Any, eps: Any, size: Any, shrink: Any,
) -> None:  # fmt: skip
    """Adam; AdamW with `decoupled`; AMSGrad where the maximum w is given.

        p = p * (1 - lr * weight_decay)               (only if decoupled)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        w = max(w, v)   if AMSGrad   else   v
        p = p - lr / (1 - beta1^step) * m / (sqrt(w / (1 - beta2^step)) + eps)

    Kingma & Ba, "Adam", 2015; Loshchilov & Hutter, "Decoupled weight decay regularization", 2019; Reddi,
    Kale & Kumar, "On the convergence of Adam and beyond", 2018, in PyTorch's form: the maximum is taken
    of the uncorrected v.
    """
    if shrink is not None:
        B.multiply(p, shrink, out=p)
    _average(B, m, g, beta1, rest1, t)
    _average_square(B, v, g, beta2, rest2, t)
    B.sqrt(v if w is None else B.maximum(w, v, out=w), out=t)
    B.add(t, eps, out=t)
    B.divide(m, t, out=t)
    B.multiply(t, size, out=t)
    B.subtract(p, t, out=p)


ADAM = Rule(
    name="adam",
    state=("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    optional=("max_exp_avg_sq",),
    numbers=("beta1", "beta2", "eps", "weight_decay"),
    flags=("decoupled", "maximize"),
    constants=_adam_constants,
    update=_adam,
)


# ---------------------------------------------------------------------- RMSprop
def _rmsprop_constants(B: Any, lr: Array, step: Array, o: Options) -> dict[str, Any]:
    return {"lr": lr, "alpha": o["alpha"], "rest": 1.0 - o["alpha"], "eps": o["eps"], "momentum": o["momentum"]}


def _rmsprop(
    B: Any, p: Array, g: Array, v: Array, a: Array | None, b: Array | None, t: Array, *,
    lr: Any, alpha: Any, rest: Any, eps: Any, momentum: Any,
) -> None:  # fmt: skip
    """RMSprop; centered where the average a of gradients is given, with momentum where its state b is.

        v = alpha * v + (1 - alpha) * g^2
        a = alpha * a + (1 - alpha) * g               (only if centered; the variance is then v - a^2)
        u = g / (sqrt(v - a^2   if centered else   v) + eps)
        b = momentum * b + u;  p = p - lr * b         (p = p - lr * u without momentum)

    Hinton, "Neural networks for machine learning", lecture 6, 2012; Graves, "Generating sequences with
    recurrent neural networks", 2013 (centered), in PyTorch's form: eps is added outside the root.
    Rounding can take v - a^2 below zero, where PyTorch makes NaN; here it is cut off at zero.
    """
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


RMSPROP = Rule(
    name="rmsprop",
    state=("square_avg", "grad_avg", "momentum_buffer"),
    optional=("grad_avg", "momentum_buffer"),
    numbers=("alpha", "eps", "momentum", "weight_decay"),
    flags=("maximize",),
    constants=_rmsprop_constants,
    update=_rmsprop,
)


# ---------------------------------------------------------------------- Adagrad
def _adagrad_constants(B: Any, lr: Array, step: Array, o: Options) -> dict[str, Any]:
    decay = B.multiply(B.subtract(step, 1.0), o["lr_decay"])
    decay = B.add(decay, 1.0)
    return {"size": B.divide(lr, decay), "eps": o["eps"]}


def _adagrad(B: Any, p: Array, g: Array, s: Array, t: Array, *, size: Any, eps: Any) -> None:
    """Adagrad.

        s = s + g^2
        p = p - lr / (1 + (step - 1) * lr_decay) * g / (sqrt(s) + eps)

    Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    2011, in PyTorch's form.
    """
    B.multiply(g, g, out=t)
    B.add(s, t, out=s)
    B.sqrt(s, out=t)
    B.add(t, eps, out=t)
    B.divide(g, t, out=t)
    B.multiply(t, size, out=t)
    B.subtract(p, t, out=p)


ADAGRAD = Rule(
    name="adagrad",
    state=("sum",),
    numbers=("lr_decay", "eps", "weight_decay"),
    flags=("maximize",),
    constants=_adagrad_constants,
    update=_adagrad,
)


# ---------------------------------------------------------------------- what several have in common
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
    """1 - beta^step."""
    return B.subtract(1.0, B.power(beta, step))


def _after_first(B: Any, step: Array, value: float) -> Array:
    """`value`, but 1 on the first step: chosen on the device, so that a replay needs no branch."""
    first = B.equal(step, 1.0)
    one, other = B.full((), 1.0, float64), B.full((), value, float64)
    return B.where(first, one, other)
