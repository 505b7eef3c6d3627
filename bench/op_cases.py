"""The ops that `bench/test_ops.py` times: what is called, on which arrays of size n."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

import tensorgrad as tg

__all__ = ["CASES", "SIZES", "OpCase"]

SIZES = (32, 256, 1024)

F = tg.nn.functional
Array = npt.NDArray[np.float32]
Arrays = Callable[[int], list[Array]]


def positive(*shape: int) -> Array:
    """Values in [0.5, 1.5): inside the domain of every op here."""
    return np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape).astype(np.float32)


def square(n: int) -> list[Array]:
    return [positive(n, n)]


def signed(n: int) -> list[Array]:
    return [positive(n, n) - 1]


def pair(n: int) -> list[Array]:
    return [positive(n, n), positive(n, n)]


def matrix_and_row(n: int) -> list[Array]:
    return [positive(n, n), positive(n)]


def layer(n: int) -> list[Array]:
    return [positive(n, n), positive(n, n), positive(n)]


def batched(n: int) -> list[Array]:
    return [positive(8, n, n // 8), positive(8, n // 8, n)]


@cache
def rows(n: int) -> tg.Tensor:
    """Every second row, backwards."""
    return tg.tensor(np.arange(n - 1, 0, -2))


@cache
def labels(n: int) -> tg.Tensor:
    return tg.tensor(np.arange(n))


@dataclass(frozen=True)
class OpCase:
    """`call(*tensors)` makes one float32 tensor of the arrays `arrays(n)`, all of which require grad."""

    name: str
    arrays: Arrays
    call: Callable[..., tg.Tensor]


CASES = [
    OpCase("add", pair, lambda x, y: x + y),
    OpCase("add_row", matrix_and_row, lambda x, y: x + y),
    OpCase("multiply", pair, lambda x, y: x * y),
    OpCase("divide", pair, lambda x, y: x / y),
    OpCase("pow", square, lambda x: x**3),
    OpCase("exp", square, lambda x: x.exp()),
    OpCase("log", square, lambda x: x.log()),
    OpCase("sqrt", square, lambda x: x.sqrt()),
    OpCase("tanh", signed, lambda x: x.tanh()),
    OpCase("sigmoid", signed, lambda x: x.sigmoid()),
    OpCase("relu", signed, lambda x: x.relu()),
    OpCase("gelu", signed, lambda x: F.gelu(x)),
    OpCase("silu", signed, lambda x: F.silu(x)),
    OpCase("clamp", signed, lambda x: x.clamp(-0.3, 0.3)),
    OpCase("maximum", pair, lambda x, y: tg.maximum(x, y)),
    OpCase("where", pair, lambda x, y: tg.where(x > 1, x, y)),
    OpCase("sum", square, lambda x: x.sum()),
    OpCase("sum_rows", square, lambda x: x.sum(1)),
    OpCase("sum_columns", square, lambda x: x.sum(0)),
    OpCase("mean", square, lambda x: x.mean()),
    OpCase("var", square, lambda x: x.var(1)),
    OpCase("norm", square, lambda x: x.norm()),
    OpCase("amax", square, lambda x: x.amax(1)),
    OpCase("logsumexp", signed, lambda x: x.logsumexp(1)),
    OpCase("cumsum", square, lambda x: x.cumsum(1)),
    OpCase("matmul", pair, lambda x, y: x @ y),
    OpCase("matmul_batched", batched, lambda x, y: x @ y),
    OpCase("linear", layer, F.linear),
    OpCase("softmax", signed, lambda x: x.softmax(1)),
    OpCase("log_softmax", signed, lambda x: x.log_softmax(1)),
    OpCase("cross_entropy", signed, lambda x: F.cross_entropy(x, labels(x.shape[0]))),
    OpCase("mse_loss", pair, F.mse_loss),
    OpCase("dropout", square, lambda x: F.dropout(x, 0.5)),
    OpCase("transpose", square, lambda x: x.t()),
    OpCase("reshape", square, lambda x: x.reshape(-1)),
    OpCase("cat", pair, lambda x, y: tg.cat([x, y], 1)),
    OpCase("slice", square, lambda x: x[1:-1, ::2]),
    OpCase("index_rows", square, lambda x: x[rows(x.shape[0])]),
]
