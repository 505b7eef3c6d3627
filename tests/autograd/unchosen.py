"""Values that an operation did not choose, and slopes after it that are infinite there: their gradient is zero.

The tensors are made on the default device, so that the cases run on every one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.autograd.tools import leaf

__all__ = ["CASES", "Case", "check"]

INF = math.inf
NAN = math.nan
LOG_2 = math.log(2)


Function = Callable[[tg.Tensor], tg.Tensor]


class Case(NamedTuple):
    """`function` of a leaf with `values`, and the gradient of its sum; 0 stands exactly where nothing was chosen."""

    values: Any
    function: Function
    gradient: Any


def _row(**more: Any) -> dict[str, Any]:
    return {"reduction": "none", **more}


def _labels() -> tg.Tensor:
    return tg.tensor([0, 1])


def _no_weight_for_the_first() -> tg.Tensor:
    return tg.tensor([0.0, 1.0], dtype=tg.float64)


def _ones() -> tg.Tensor:
    return tg.ones(2, dtype=tg.float64)


# ---------------------------------------------------------------------- in-place writes
WRITES: dict[str, Callable[[tg.Tensor], Any]] = {
    "zero_": lambda b: b[0:1].zero_(),
    "zero_, no dimensions": lambda b: b[0].zero_(),
    "fill_": lambda b: b[0:1].fill_(0.0),
    "fill_, a tensor": lambda b: b[0:1].fill_(tg.tensor(0.0, dtype=tg.float64)),
    "copy_": lambda b: b[0:1].copy_(tg.zeros(1, dtype=tg.float64)),
    "masked_fill_": lambda b: b[0:1].masked_fill_(tg.tensor([True]), 0.0),
    "clamp_": lambda b: b[0:1].clamp_(-1.0, 0.0),
    "relu_": lambda b: b[0:1].sub_(5.0).relu_(),
    "setitem of a view": lambda b: b[:1].__setitem__(0, 0.0),
    "setitem": lambda b: b.__setitem__(0, 0.0),
    "a transposed view": lambda b: b.view(1, 2).T[0].zero_(),
    "a mask": lambda b: b.__setitem__(tg.tensor([True, False]), 0.0),
    "an index": lambda b: b.__setitem__(tg.tensor([0]), 0.0),
    "a view of a view": lambda b: b[0:2][0:1].view(1, 1).zero_(),
    "all of it": lambda b: b.copy_(tg.tensor([0.0, 9.0], dtype=tg.float64)),
}


def _written(write: Callable[[tg.Tensor], Any]) -> Callable[[tg.Tensor], tg.Tensor]:
    def function(x: tg.Tensor) -> tg.Tensor:
        b = x * 1
        write(b)
        return b.sqrt()

    return function


def _written_through_transposed(x: tg.Tensor) -> tg.Tensor:
    b = x.T * 1
    b[0].zero_()
    return b.sqrt()


CASES: dict[str, Case] = {
    name: Case([4.0, 9.0], _written(write), [0, 0 if name == "all of it" else 1 / 6]) for name, write in WRITES.items()
}
CASES["a write in another layout"] = Case(
    [[4.0, 9.0], [1.0, 16.0]], _written_through_transposed, [[0, 1 / 6], [0, 1 / 8]]
)

# ---------------------------------------------------------------------- extremes, clamps, masks
CASES |= {
    "max": Case([0.0, -1.0], lambda x: x.max().sqrt(), [INF, 0]),
    "min": Case([0.0, 1.0], lambda x: x.min().sqrt(), [INF, 0]),
    "amax": Case([[0.0, -1.0], [4.0, 1.0]], lambda x: x.amax(1).sqrt(), [[INF, 0], [0.25, 0]]),
    "amin": Case([[0.0, 1.0], [4.0, 9.0]], lambda x: x.amin(1, True).sqrt(), [[INF, 0], [0.25, 0]]),
    "max over a dim": Case([[0.0, -1.0]], lambda x: x.max(1)[0].sqrt(), [[INF, 0]]),
    "norm of inf": Case([4.0, -1.0], lambda x: (x.norm(INF) - 4).sqrt(), [INF, 0]),
    "sort": Case([4.0, 0.0], lambda x: x.sort()[0][1:].sqrt(), [0.25, 0]),
    "topk": Case([0.0, -1.0], lambda x: x.topk(1)[0].sqrt(), [INF, 0]),
    "maximum": Case([-1.0, 4.0], lambda x: tg.maximum(x, tg.zeros(2, dtype=tg.float64)).sqrt(), [0, 0.25]),
    "minimum": Case(
        [1.0, 0.25],
        lambda x: (1 - tg.minimum(x, tg.full((2,), 0.75, dtype=tg.float64)) - 0.25).sqrt(),
        [0, -0.5 / 0.5**0.5],
    ),
    "clamp": Case([-1.0, 0.25], lambda x: x.clamp(0.0, 1.0).sqrt(), [0, 1]),
    "clamp by tensors": Case([-1.0, 0.25], lambda x: x.clamp(tg.zeros(2, dtype=tg.float64)).sqrt(), [0, 1]),
    "where": Case([-1.0, 4.0], lambda x: tg.where(x > 0, x, 0.0).sqrt(), [0, 0.25]),
    "masked_fill": Case([1.0, 4.0], lambda x: x.masked_fill(tg.tensor([True, False]), 0.0).sqrt(), [0, 0.25]),
    "tril": Case([[1.0, 2.0], [4.0, 16.0]], lambda x: x.tril().sqrt(), [[0.5, 0], [0.25, 0.125]]),
    "triu": Case([[1.0, 4.0], [2.0, 16.0]], lambda x: x.triu().sqrt(), [[0.5, 0.25], [0, 0.125]]),
    "pad": Case([1.0, 4.0], lambda x: F.pad(x, (1, -1)).sqrt(), [0.5, 0]),
    "relu": Case([-1.0, 4.0], lambda x: x.relu().sqrt(), [0, 0.25]),
    "leaky_relu": Case([-1.0, 4.0], lambda x: F.leaky_relu(x, 0.0).sqrt(), [0, 0.25]),
    "elu": Case([-1.0, 4.0], lambda x: F.elu(x, 0.0).sqrt(), [0, 0.25]),
    "dropout": Case([1.0, 4.0], lambda x: F.dropout(x, 1.0).sqrt(), [0, 0]),
    "norm": Case([0.0, 0.0], lambda x: x.norm().sqrt(), [0, 0]),
    "norm of 3": Case([0.0, 0.0], lambda x: x.norm(3).sqrt(), [0, 0]),
    "std": Case([2.0, 2.0], lambda x: x.std().sqrt(), [0, 0]),
}

# ---------------------------------------------------------------------- losses
LOGITS = [[-1.0, -2.0], [-3.0, -4.0]]
SECOND = [[0, 0], [0, -0.25]]  # of the root of 4
CASES |= {
    "nll, no weight": Case(
        LOGITS, lambda x: F.nll_loss(x, _labels(), _no_weight_for_the_first(), **_row()).sqrt(), SECOND
    ),
    "nll, ignored": Case(LOGITS, lambda x: F.nll_loss(x, _labels(), **_row(ignore_index=0)).sqrt(), SECOND),
    "cross_entropy, no weight": Case(
        LOGITS,
        lambda x: F.cross_entropy(x, _labels(), _no_weight_for_the_first(), **_row()).sqrt()[:1],
        [[0, 0], [0, 0]],
    ),
    "cross_entropy, ignored": Case(
        LOGITS, lambda x: F.cross_entropy(x, _labels(), **_row(ignore_index=0)).sqrt()[:1], [[0, 0], [0, 0]]
    ),
    "cross_entropy, smoothed": Case(
        LOGITS,
        lambda x: F.cross_entropy(x, _labels(), **_row(ignore_index=0, label_smoothing=0.1)).sqrt()[:1],
        [[0, 0], [0, 0]],
    ),
    "cross_entropy of probabilities": Case(
        LOGITS, lambda x: F.cross_entropy(x, tg.zeros(2, 2, dtype=tg.float64), **_row()).sqrt(), [[0, 0], [0, 0]]
    ),
    "binary_cross_entropy, no weight": Case(
        [0.5, 0.5],
        lambda x: F.binary_cross_entropy(x, _ones(), _no_weight_for_the_first(), **_row()).sqrt(),
        [0, -1 / LOG_2**0.5],
    ),
    "binary_cross_entropy_with_logits, no weight": Case(
        [0.0, 0.0],
        lambda x: F.binary_cross_entropy_with_logits(x, _ones(), _no_weight_for_the_first(), **_row()).sqrt(),
        [0, -0.25 / LOG_2**0.5],
    ),
}

# ---------------------------------------------------------------------- Python numbers at their ends
NUMBERS: dict[str, Callable[[tg.Tensor], tg.Tensor]] = {
    "/ 0": lambda x: x / 0,
    "/ -0.": lambda x: x / -0.0,
    "/ nan": lambda x: x / NAN,
    "* inf": lambda x: x * INF,
    "* nan": lambda x: x * NAN,
    "inf *": lambda x: INF * x,
    "** inf": lambda x: x**INF,
    "** nan": lambda x: x**NAN,
    "** -1 at 0": lambda x: (x - 2) ** -1,
    "** -2. at 0": lambda x: (x - 2) ** -2.0,
    "** -0.5 below 0": lambda x: (x - 3) ** -0.5,
    "0 / at 0": lambda x: 0 / (x - 2),
    "inf /": lambda x: INF / x,
    "nan /": lambda x: NAN / x,
    "3 / at 0": lambda x: 3 / (x - 2),
    "0 ** negative": lambda x: 0.0**-x,
    "inf **": lambda x: INF**x,
    "nan **": lambda x: NAN**x,
    "-1 **": lambda x: (-1.0) ** x,
    "% 0": lambda x: x % 0,
    "3 % at 0": lambda x: 3.0 % (x - 2),
    "// 0": lambda x: x // 0,
}


def _unchosen(f: Function) -> Function:
    return lambda x: tg.where(tg.tensor([False, False]), f(x), x * 3)


CASES |= {name: Case([2.0, 2.0], _unchosen(f), [3, 3]) for name, f in NUMBERS.items()}


def check(case: Case) -> None:
    """Both paths of backward give the gradient, and what was not chosen has no second one."""
    x = leaf(case.values)
    case.function(x).sum().backward()
    assert x.grad is not None
    wanted = np.asarray(case.gradient, np.float64)
    np.testing.assert_allclose(x.grad.numpy(force=True), wanted, rtol=1e-12)
    (g,) = tg.autograd.grad(case.function(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(force=True), wanted, rtol=1e-12)
    if g.requires_grad:
        (h,) = tg.autograd.grad(g.sum(), x, allow_unused=True)
        second = np.zeros_like(wanted) if h is None else h.numpy(force=True)
        np.testing.assert_array_equal(second[wanted == 0], 0)
