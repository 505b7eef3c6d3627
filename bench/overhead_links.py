"""The ops whose taping cost is measured: as links that can be chained, and as the raw NumPy calls in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.workload import Loop

__all__ = ["LINKS", "SIZE", "ChainBackward", "Link", "constant", "numpy_backward", "numpy_forward", "start"]

Array = npt.NDArray[np.float32]

SIZE = 32
CHAIN = 100
ZERO = np.zeros((), np.float32)
ONE = np.ones((), np.float32)


@dataclass(frozen=True)
class Link:
    """One or a few ops taking a (32, 32) float32 array to another, so that links can be chained.

    `taped(x, w)` is what a user of tensorgrad or torch writes. `forward(x, w)` makes the same NumPy calls
    without a tape, and `backward(g, w, out)` those of the gradient by `x`: the least that computes it.
    """

    name: str
    ops: int
    taped: Callable[[Any, Any], Any]
    forward: Callable[[Array, Array], Array]
    backward: Callable[[Array, Array, Array], Array]


def relu_backward(g: Array, _w: Array, out: Array) -> Array:
    return np.multiply(g, np.greater(out, ZERO))


def tanh_backward(g: Array, _w: Array, out: Array) -> Array:
    return np.multiply(g, np.subtract(ONE, np.square(out)))


def sum_backward(g: Array, w: Array, _out: Array) -> Array:
    kept: Array = np.sum(np.multiply(g, w), axis=-1, keepdims=True)
    return np.broadcast_to(kept, (SIZE, SIZE))


# Values must stay ordinary over a whole chain: an overflow or a subnormal number has a cost of its own. Hence
# exp(-x), with its fixed point, and a constant of ones (for matmul: of 1 / 32 each).
LINKS = [
    Link("add", 1, lambda x, w: x + w, np.add, lambda g, w, out: g),
    Link("multiply", 1, lambda x, w: x * w, np.multiply, lambda g, w, out: np.multiply(g, w)),
    Link("divide", 1, lambda x, w: x / w, np.divide, lambda g, w, out: np.divide(g, w)),
    Link("negate", 1, lambda x, w: -x, lambda x, w: np.negative(x), lambda g, w, out: np.negative(g)),
    Link("relu", 1, lambda x, w: x.relu(), lambda x, w: np.maximum(x, ZERO), relu_backward),
    Link("tanh", 1, lambda x, w: x.tanh(), lambda x, w: np.tanh(x), tanh_backward),
    Link(
        "exp of negative",
        2,
        lambda x, w: (-x).exp(),
        lambda x, w: np.exp(np.negative(x)),
        lambda g, w, out: np.negative(np.multiply(g, out)),
    ),
    Link(
        "sum, multiply",
        2,
        lambda x, w: x.sum(-1, keepdim=True) * w,
        lambda x, w: np.multiply(np.sum(x, axis=-1, keepdims=True), w),
        sum_backward,
    ),
    Link("matmul", 1, lambda x, w: x @ w, np.matmul, lambda g, w, out: np.matmul(g, w.T)),
    Link("transpose", 1, lambda x, w: x.t(), lambda x, w: x.T, lambda g, w, out: g.T),
    Link(
        "reshape",
        2,
        lambda x, w: x.reshape(SIZE * SIZE).reshape(SIZE, SIZE),
        lambda x, w: x.reshape(SIZE * SIZE).reshape(SIZE, SIZE),
        lambda g, w, out: g.reshape(SIZE * SIZE).reshape(SIZE, SIZE),
    ),
]


def start() -> Array:
    """The first `x` of a chain."""
    return np.random.default_rng(0).uniform(0.5, 1.5, (SIZE, SIZE)).astype(np.float32)


def constant(link: Link) -> Array:
    """The second operand of a link."""
    value = 1 / SIZE if link.name in ("matmul", "sum, multiply") else 1
    return np.full((SIZE, SIZE), value, np.float32)


class ChainBackward:
    """Backward through chains of one link repeated; a repetition is one link. Building them is not timed."""

    def __init__(self, link: Link, x: Any, w: Any, seed: Any) -> None:
        self._link, self._x, self._w, self._seed = link, x, w, seed

    def time(self, repetitions: int) -> float:
        """Seconds for so many links, from as many whole chains as hold them."""
        chains = -(-repetitions // CHAIN)
        return sum(self._backward() for _ in range(chains)) * repetitions / (chains * CHAIN)

    def check(self) -> list[float]:
        """The gradient's sum over a chain."""
        self._backward()
        return [float(self._x.grad.sum())]

    def _backward(self) -> float:
        self._x.grad = None
        y = self._x
        for _ in range(CHAIN):
            y = self._link.taped(y, self._w)
        begin = perf_counter()
        y.backward(self._seed)
        return perf_counter() - begin


def numpy_forward(link: int) -> Loop:
    forward, x, w = LINKS[link].forward, start(), constant(LINKS[link])
    return Loop(lambda: forward(x, w))


def numpy_backward(link: int) -> Loop:
    """The raw gradient calls of one link."""
    backward, x, w = LINKS[link].backward, start(), constant(LINKS[link])
    out, g = LINKS[link].forward(x, w), np.ones((SIZE, SIZE), np.float32)
    return Loop(lambda: backward(g, w, out))
