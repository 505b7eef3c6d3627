"""What is computed is contiguous wherever PyTorch's result is, for operands in every layout.

It may be contiguous where PyTorch's is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg
from tests.against_torch.layouts import LAYOUTS, Function, flat, functional, laid_out

torch = pytest.importorskip("torch")

DTYPES = ["float64", "float32", "float16", "int64", "int32", "uint8", "bool"]
UNARY = [
    *("abs", "neg", "sign", "exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "square"),
    *("sin", "cos", "tan", "tanh", "sigmoid", "relu", "erf", "floor", "ceil", "round", "trunc", "isnan", "isinf"),
    *("isfinite", "logical_not", "zeros_like", "ones_like", "empty_like", "rand_like", "clone"),
]
ACTIVATIONS = ["relu", "silu", "gelu", "elu", "leaky_relu", "softplus", "logsigmoid", "sigmoid", "tanh"]
LOSSES = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "binary_cross_entropy"]
LOSSES.append("binary_cross_entropy_with_logits")
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "//": lambda x, y: x // y,
    "%": lambda x, y: x % y,
    "**": lambda x, y: x**y,
    ">": lambda x, y: x > y,
    "<=": lambda x, y: x <= y,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}
BITS: dict[str, Callable[[Any, Any], Any]] = {
    "&": lambda x, y: x & y,
    "|": lambda x, y: x | y,
    "^": lambda x, y: x ^ y,
    "<<": lambda x, y: x << y,
    ">>": lambda x, y: x >> y,
}
REDUCTIONS = ["sum", "mean", "prod", "amax", "amin", "any", "all", "std", "var", "norm", "logsumexp", "std_mean"]
OF_HALF = ["sum", "mean", "amax", "norm", "logsumexp"]


def _of_one() -> dict[str, Function]:
    found: dict[str, Function] = {
        "clamp": lambda L, x: x.clamp(0.1, 0.5),
        "clamp_min": lambda L, x: x.clamp_min(0.3),
        "clamp by tensors": lambda L, x: x.clamp(L.tensor(0.1), L.tensor(0.5)),
        "masked_fill": lambda L, x: x.masked_fill(x > 0.3, 0.0),
        "masked_fill another dtype": lambda L, x: x.masked_fill(x > 0.3, L.tensor(1.0, dtype=L.float64)),
        "masked_fill plain mask": lambda L, x: x.masked_fill(L.ones(2, 3, 4) > 0, 0.0),
        "masked_fill small mask": lambda L, x: x.masked_fill(L.tensor([True, False, True, True]), 0.0),
        "where": lambda L, x: L.where(x > 0.3, x, 0.0),
        "where numbers": lambda L, x: L.where(x > 0.3, L.tensor(1.0), L.tensor(0)),
        "where 0-d": lambda L, x: L.where(L.tensor(True), x, x),
        "where plain": lambda L, x: L.where(L.ones(2, 3, 4) > 0, x, x),
        "type_as": lambda L, x: x.type_as(L.ones(1, dtype=L.float64)),
        "full_like": lambda L, x: L.full_like(x, 2),
        "add alpha": lambda L, x: L.add(x, x, alpha=2),
        "maximum": lambda L, x: L.maximum(x, x),
        "isclose": lambda L, x: L.isclose(x, x),
        "div floor": lambda L, x: L.div(x, 0.3, rounding_mode="floor"),
        "div trunc": lambda L, x: L.div(x, 0.3, rounding_mode="trunc"),
        "round decimals": lambda L, x: L.round(x, decimals=2),
        "pow of a number": lambda L, x: L.pow(2.0, x),
        "pow of an integer": lambda L, x: 2 ** x.int(),
        "square": lambda L, x: x**2,
        "root": lambda L, x: x**0.5,
        "invert": lambda L, x: ~x.int(),
        "dropout of all": lambda L, x: functional(L).dropout(x, 1.0),
        "one_hot": lambda L, x: functional(L).one_hot(x.long(), 3),
        "gelu tanh": lambda L, x: functional(L).gelu(x, approximate="tanh"),
        "apart": lambda L, x: x[:, L.tensor([0, 1])],
        "two indices": lambda L, x: x[:, L.tensor([[0, 1]]), L.tensor([[0], [1]])],
        "indices around": lambda L, x: x[L.tensor([[0, 1]]), :, L.tensor([[0], [1]])],
        "rows": lambda L, x: x[L.tensor([1, 0])],
    }
    for name in UNARY:
        found[name] = lambda L, x, name=name: getattr(L, name)(x)  # type: ignore[misc]
        found[f"{name} half"] = lambda L, x, name=name: getattr(L, name)(x.half())  # type: ignore[misc]
    for name in ACTIVATIONS:
        found[f"F.{name}"] = lambda L, x, name=name: getattr(functional(L), name)(x)  # type: ignore[misc]
    for dtype in DTYPES:
        found[f"to {dtype}"] = lambda L, x, d=dtype: x.to(getattr(L, d))  # type: ignore[misc]
        found[f"copy to {dtype}"] = lambda L, x, d=dtype: x.to(getattr(L, d), copy=True)  # type: ignore[misc]
    for sign, f in OPERATORS.items():
        found[f"x {sign} 2.0"] = lambda L, x, f=f: f(x, 2.0)  # type: ignore[misc]
        found[f"2.0 {sign} x"] = lambda L, x, f=f: f(2.0, x)  # type: ignore[misc]
        found[f"int {sign} 2"] = lambda L, x, f=f: f(x.int(), 2)  # type: ignore[misc]
        found[f"int {sign} 2.0"] = lambda L, x, f=f: f(x.int(), 2.0)  # type: ignore[misc]
        found[f"half {sign} 2.0"] = lambda L, x, f=f: f(x.half(), 2.0)  # type: ignore[misc]
        found[f"x {sign} 0-d"] = lambda L, x, f=f: f(x, L.tensor(2.0))  # type: ignore[misc]
        found[f"0-d {sign} x"] = lambda L, x, f=f: f(L.tensor(2.0), x)  # type: ignore[misc]
        found[f"x {sign} row"] = lambda L, x, f=f: f(x, L.ones(4))  # type: ignore[misc]
    for sign, f in BITS.items():
        found[f"int {sign} 1"] = lambda L, x, f=f: f(x.int(), 1)  # type: ignore[misc]
        found[f"int {sign} int"] = lambda L, x, f=f: f(x.int(), x.int())  # type: ignore[misc]
    for name in ("softmax", "log_softmax"):
        for dim in (0, 1, -1):
            found[f"{name} {dim}"] = lambda L, x, n=name, d=dim: getattr(functional(L), n)(x, d)  # type: ignore[misc]
            found[f"{name} {dim} float64"] = lambda L, x, n=name, d=dim: getattr(  # type: ignore[misc]
                functional(L), n
            )(x, d, dtype=L.float64)
            found[f"{name} {dim} half"] = lambda L, x, n=name, d=dim: getattr(  # type: ignore[misc]
                functional(L), n
            )(x.half(), d)
    return found


def _reducing() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for name in REDUCTIONS:
        for dim in (0, 1, -1, (0, 1), (0, 2), (1, 2)):
            if name == "prod" and isinstance(dim, tuple):  # PyTorch has none
                continue
            for keepdim in (False, True):
                keywords = {"dim": dim, "keepdim": keepdim}
                found[f"{name} {dim} {keepdim}"] = lambda L, x, n=name, k=keywords: getattr(L, n)(  # type: ignore[misc]
                    x, **k
                )
                if name in OF_HALF:
                    found[f"{name} {dim} {keepdim} half"] = lambda L, x, n=name, k=keywords: getattr(  # type: ignore[misc]
                        L, n
                    )(x.half(), **k)
                if name in ("sum", "mean", "norm"):
                    found[f"{name} {dim} {keepdim} float64"] = lambda L, x, n=name, k=keywords: getattr(  # type: ignore[misc]
                        L, n
                    )(x, **k, dtype=L.float64)
    for dim in (0, 1, 2):
        for p in (0.0, 1.0, 3.0, float("inf"), -float("inf")):
            found[f"norm {p} {dim}"] = lambda L, x, p=p, d=dim: L.norm(x, p, d, True)  # type: ignore[misc]
        for name in ("max", "min", "argmax", "argmin"):
            found[f"{name} {dim}"] = lambda L, x, n=name, d=dim: getattr(L, n)(x, d, True)  # type: ignore[misc]
    return found


OF_TWO: dict[str, Callable[[Any, Any, Any], Any]] = {
    "where": lambda L, x, y: L.where(x > 0.3, x, y),
    "where of a number": lambda L, x, y: L.where(y > 0.3, x, 0.0),
    "masked_fill": lambda L, x, y: x.masked_fill(y > 0.3, 0.0),
    "clamp": lambda L, x, y: L.clamp(x, y, y + 1),
    "isclose": lambda L, x, y: L.isclose(x, y),
    "maximum": lambda L, x, y: L.maximum(x, y),
    "both": lambda L, x, y: (x > 0) & (y > 0),
    "shift": lambda L, x, y: x.int() << y.int(),
    "gather": lambda L, x, y: x.gather(1, y.long()),
    "take_along_dim": lambda L, x, y: L.take_along_dim(x, y.long(), 1),
    "scatter": lambda L, x, y: x.scatter(1, y.long(), 7.0),
    "scatter_add": lambda L, x, y: x.scatter_add(1, y.long(), y),
    "index_add": lambda L, x, y: x.index_add(1, L.tensor([0, 1, 1]), y),
    "matmul": lambda L, x, y: x @ y.mT,
    "einsum product": lambda L, x, y: L.einsum("abc,abc->abc", x, y),
    "einsum turned": lambda L, x, y: L.einsum("abc,abc->cba", x, y),
    "einsum outer": lambda L, x, y: L.einsum("abc,abd->abcd", x, y),
    "einsum outer between": lambda L, x, y: L.einsum("abc,ade->bcde", x, y),
    "einsum outer turned": lambda L, x, y: L.einsum("abc,ade->dbec", x, y),
    "einsum sum": lambda L, x, y: L.einsum("abc,adc->bda", x, y),
    "einsum of one": lambda L, x, y: L.einsum("abc,abc->ab", x, y),
}


def _of_two() -> dict[str, Callable[[Any, Any, Any], Any]]:
    found = dict(OF_TWO)
    for sign, f in OPERATORS.items():
        found[f"x {sign} y"] = lambda L, x, y, f=f: f(x, y)  # type: ignore[misc]
        found[f"half {sign} y"] = lambda L, x, y, f=f: f(x.half(), y)  # type: ignore[misc]
        found[f"x {sign} int"] = lambda L, x, y, f=f: f(x, y.int() + 1)  # type: ignore[misc]
    for name in LOSSES:
        found[name] = lambda L, x, y, n=name: getattr(functional(L), n)(x, y, reduction="none")  # type: ignore[misc]
    return found


CASES_OF_ONE = {**_of_one(), **_reducing()}
CASES_OF_TWO = _of_two()


def _check(function: Callable[..., Any], *layouts: str) -> None:
    ours = list(flat(function(tg, *[laid_out(tg, name, small=True) for name in layouts])))
    theirs = list(flat(function(torch, *[laid_out(torch, name, small=True) for name in layouts])))
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == tuple(b.shape)
        assert a.is_contiguous() or not b.is_contiguous(), f"{layouts}: {a.array.strides}"


@pytest.mark.parametrize("name", CASES_OF_ONE)
def test_of_one_operand(name: str) -> None:
    for layout in LAYOUTS:
        _check(CASES_OF_ONE[name], layout)


@pytest.mark.parametrize("name", CASES_OF_TWO)
def test_of_two_operands(name: str) -> None:
    for first in LAYOUTS:
        for second in LAYOUTS:
            _check(CASES_OF_TWO[name], first, second)
