"""Sums along long axes, in every layout, with float64 (for float64: exact rational sums) as the oracle.

The bound is that of pairwise summation whose blocks of at most 128 are added one by one: 64 + log2(n / 128) eps times
the sum of the sizes (N. Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 4.2). "Counting" makes
the most of it: an addend of half an ulp of the first is lost whenever it meets the first by itself, so the error tells
how many did, all of them where addends are added one by one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import tensorgrad as tg

__all__ = ["LONG_SHAPES", "REDUCTIONS", "Reduction", "check_reduction", "check_scan", "layouts", "sample"]

Host = Any

# An axis of hundreds or thousands first, last and in the middle; two long ones; one that no piece divides.
LONG_SHAPES: tuple[tuple[int, ...], ...] = ((5003,), (2000, 3), (3, 2000), (3, 701, 2), (150, 2, 150), (2, 60, 3, 50))


def bound(n: int) -> float:
    """In units of eps times the sum of the sizes."""
    return 64 + math.log2(n / 128) if n > 256 else n / 2 + 1


def sample(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, kind: str) -> Host:
    """`counting`: 2 / eps and then ones. `positive`: as most data are. `mixed`: sums that cancel."""
    if kind == "counting":
        x = np.ones(shape)
        x.flat[0] = 2.0 / float(np.finfo(np.float32 if dtype == np.float16 else dtype).eps)
        return (x / x.flat[0] * 32 if dtype == np.float16 else x).astype(dtype)
    x = rng.exponential(size=shape) if kind == "positive" else rng.standard_normal(shape)
    return (x * (2e-3 if dtype == np.float16 else 1)).astype(dtype)


def layouts(x: tg.Tensor) -> Iterator[tuple[str, tg.Tensor]]:
    """The same values, lying otherwise."""
    host = x.numpy(force=True)
    everything = tuple(range(x.ndim))
    for order in itertools.permutations(everything):
        memory = tg.from_numpy(np.ascontiguousarray(host.transpose(order))).to(x.device)
        yield f"order {order}", memory.permute(*[order.index(i) for i in everything])
    wider = tg.zeros(*x.shape[:-1], x.shape[-1] * 2 + 1, dtype=x.dtype, device=x.device)
    wider[..., 1::2] = x
    yield "every second", wider[..., 1::2]
    wider = tg.zeros(*x.shape[:-1], x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    wider[..., 1:] = x
    yield "rows with gaps", wider[..., 1:]


class Reduction(NamedTuple):
    """`exact(x, axis)`: the result in float64; `size(x, axis)`: what a relative error of the sum does to it at most."""

    function: Callable[..., tg.Tensor]
    exact: Callable[[Host, Any], Host]
    size: Callable[[Host, Any], Host]


def _sums(x: Host, axis: Any) -> Host:
    """Of float64 by `math.fsum`, which rounds once; else in float64."""
    if x.dtype != np.float64:
        return np.sum(x.astype(np.float64), axis=axis)
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in axis)
    kept = [i for i in range(x.ndim) if i not in axes]
    rows = x.transpose([*kept, *axes]).reshape(math.prod([x.shape[i] for i in kept]), -1)
    return np.array([math.fsum(row) for row in rows.tolist()]).reshape([x.shape[i] for i in kept])


def _count(x: Host, axis: Any) -> int:
    return math.prod(x.shape if axis is None else [x.shape[a] for a in axis])


def _mean(x: Host, axis: Any) -> Host:
    return _sums(x, axis) / _count(x, axis)


def _var(x: Host, axis: Any) -> Host:
    wide = x.astype(np.longdouble)
    return np.var(wide, axis=axis, ddof=1).astype(np.float64)


def _logsumexp(x: Host, axis: Any) -> Host:
    wide = x.astype(np.longdouble)
    top = wide.max(axis=axis, keepdims=True)
    return (np.log(np.exp(wide - top).sum(axis=axis)) + top.squeeze(axis)).astype(np.float64)


def _ones(x: Host, axis: Any) -> Host:
    return np.ones_like(_sums(x.astype(np.float32), axis)) + np.abs(_logsumexp(x, axis))


REDUCTIONS: dict[str, Reduction] = {
    "sum": Reduction(tg.sum, _sums, lambda x, axis: _sums(np.abs(x), axis)),
    "mean": Reduction(tg.mean, _mean, lambda x, axis: _mean(np.abs(x), axis)),
    "var": Reduction(tg.var, _var, lambda x, axis: 2 * _var(x, axis)),
    "std": Reduction(tg.std, lambda x, axis: np.sqrt(_var(x, axis)), lambda x, axis: np.sqrt(_var(x, axis))),
    "var_mean": Reduction(lambda x, d: tg.var_mean(x, d)[0], _var, lambda x, axis: 2 * _var(x, axis)),
    "mean of var_mean": Reduction(lambda x, d: tg.var_mean(x, d)[1], _mean, lambda x, axis: _mean(np.abs(x), axis)),
    "std of std_mean": Reduction(
        lambda x, d: tg.std_mean(x, d)[0],
        lambda x, axis: np.sqrt(_var(x, axis)),
        lambda x, axis: np.sqrt(_var(x, axis)),
    ),
    "norm": Reduction(
        lambda x, d: tg.norm(x, 2, d),
        lambda x, axis: np.sqrt(_sums(x.astype(np.float64) ** 2, axis)),
        lambda x, axis: np.sqrt(_sums(x.astype(np.float64) ** 2, axis)),
    ),
    "norm of 1": Reduction(
        lambda x, d: tg.norm(x, 1, d), lambda x, axis: _sums(np.abs(x), axis), lambda x, axis: _sums(np.abs(x), axis)
    ),
    "logsumexp": Reduction(tg.logsumexp, _logsumexp, _ones),
}


def _tolerance(dtype: Any, exact: Host, n: int, size: Host) -> Host:
    """The sum's error in what it is summed in, and the rounding of the result."""
    inside = float(np.finfo(np.float32 if dtype == np.float16 else dtype).eps)
    last = float(np.finfo(dtype).eps) * np.abs(exact) + float(np.finfo(dtype).smallest_subnormal)
    return inside * bound(n) * size + last


def check_reduction(device: tg.Device, name: str, dtype: Any, kind: str, shape: tuple[int, ...]) -> None:
    """Over every set of dims, in every layout, of an array of `shape`."""
    reduction = REDUCTIONS[name]
    values = sample(np.random.default_rng(len(shape)), shape, dtype, kind)
    sets = [c for r in range(1, len(shape) + 1) for c in itertools.combinations(range(len(shape)), r)]
    expected = {dims: (reduction.exact(values, dims), reduction.size(values, dims)) for dims in sets}
    for layout, x in layouts(tg.from_numpy(values).to(device)):
        for dims in sets:
            found = reduction.function(x, dims)
            exact, size = expected[dims]
            assert str(found.dtype) == np.dtype(dtype).name
            error = np.abs(found.numpy(force=True).astype(np.float64) - exact)
            allowed = _tolerance(dtype, exact, _count(values, dims), size)
            assert (error <= allowed).all(), f"{layout}, dims {dims}: {float((error / allowed).max()):.3g} of the bound"


def check_scan(device: tg.Device, dtype: Any, kind: str, shape: tuple[int, ...]) -> None:
    """`cumsum` along every dim, in every layout."""
    values = sample(np.random.default_rng(len(shape)), shape, dtype, kind)
    for axis in range(len(shape)):
        wide = values.astype(np.longdouble)
        exact = np.cumsum(wide, axis).astype(np.float64)
        size = np.cumsum(np.abs(wide), axis).astype(np.float64)
        allowed = _tolerance(dtype, exact, shape[axis], size)
        for layout, x in layouts(tg.from_numpy(values).to(device)):
            found = tg.cumsum(x, axis)
            assert str(found.dtype) == np.dtype(dtype).name
            error = np.abs(found.numpy(force=True).astype(np.float64) - exact)
            assert (error <= allowed).all(), f"{layout}, dim {axis}: {float((error / allowed).max()):.3g} of the bound"
