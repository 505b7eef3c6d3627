"""The optimizers' published formulas in plain float64 NumPy, one parameter at a time: an oracle.

Written from the papers (and, where PyTorch differs from them, its documentation), with no thought for speed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # a float64 NumPy array; NumPy's own types lose track of what an expression gives


def _gradient(p: Array, g: Array, o: dict[str, Any]) -> Array:
    g = -g if o.get("maximize") else g
    return g + o.get("weight_decay", 0.0) * p


def sgd(p: Array, g: Array, s: dict[str, Any], lr: float, **o: Any) -> Array:
    g = _gradient(p, g, o)
    mu = o.get("momentum", 0.0)
    if mu:
        s["b"] = g if "b" not in s else mu * s["b"] + (1 - o.get("dampening", 0.0)) * g
        g = g + mu * s["b"] if o.get("nesterov") else s["b"]
    return p - lr * g


def adam(p: Array, g: Array, s: dict[str, Any], lr: float, **o: Any) -> Array:
    beta1, beta2 = o.get("betas", (0.9, 0.999))
    decoupled = o.get("decoupled", False)
    if decoupled:
        p = p - lr * o["weight_decay"] * p
        g = -g if o.get("maximize") else g
    else:
        g = _gradient(p, g, o)
    t = s["t"] = s.get("t", 0) + 1
    m = s["m"] = beta1 * s.get("m", 0.0) + (1 - beta1) * g
    v = s["v"] = beta2 * s.get("v", 0.0) + (1 - beta2) * g**2
    if o.get("amsgrad"):
        v = s["w"] = np.maximum(s.get("w", 0.0), v)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return p - lr * m_hat / (np.sqrt(v_hat) + o.get("eps", 1e-8))


def adamw(p: Array, g: Array, s: dict[str, Any], lr: float, **o: Any) -> Array:
    return adam(p, g, s, lr, **{"weight_decay": 1e-2, **o, "decoupled": True})


def rmsprop(p: Array, g: Array, s: dict[str, Any], lr: float, **o: Any) -> Array:
    g = _gradient(p, g, o)
    alpha = o.get("alpha", 0.99)
    v = s["v"] = alpha * s.get("v", 0.0) + (1 - alpha) * g**2
    if o.get("centered"):
        s["a"] = alpha * s.get("a", 0.0) + (1 - alpha) * g
        v = np.maximum(v - s["a"] ** 2, 0.0)
    update = g / (np.sqrt(v) + o.get("eps", 1e-8))
    mu = o.get("momentum", 0.0)
    if mu:
        update = s["b"] = mu * s.get("b", 0.0) + update
    return p - lr * update


def adagrad(p: Array, g: Array, s: dict[str, Any], lr: float, **o: Any) -> Array:
    g = _gradient(p, g, o)
    t = s["t"] = s.get("t", 0) + 1
    s["s"] = s.get("s", o.get("initial_accumulator_value", 0.0)) + g**2
    rate = lr / (1 + (t - 1) * o.get("lr_decay", 0.0))
    return p - rate * g / (np.sqrt(s["s"]) + o.get("eps", 1e-10))


# Every option of every optimizer, alone and together with those it meets.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"maximize": True}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"momentum": 0.8, "nesterov": True}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05, "maximize": True}),
    ("SGD", {"momentum": 0.7, "dampening": 0.5, "weight_decay": 0.05}),
    ("Adam", {}),
    ("Adam", {"betas": (0.5, 0.8), "eps": 1e-3}),
    ("Adam", {"betas": (0.0, 0.9)}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"maximize": True}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "maximize": True}),
    ("AdamW", {"amsgrad": True, "betas": (0.8, 0.9)}),
    ("AdamW", {"weight_decay": 0.0}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.5, "eps": 1e-3}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "eps": 1e-5}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "weight_decay": 0.1}),
    ("Adagrad", {"maximize": True, "lr_decay": 0.01}),
]

REFERENCE: dict[str, Callable[..., Array]] = {
    "SGD": sgd,
    "Adam": adam,
    "AdamW": adamw,
    "RMSprop": rmsprop,
    "Adagrad": adagrad,
}


def case_id(case: Any) -> str:
    if isinstance(case, dict):
        return ",".join(f"{k}={v}" for k, v in case.items()) or "defaults"
    return str(case)
