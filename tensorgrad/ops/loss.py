"""Losses: values and gradients of one op each, reduction included.

`reduction`: "none", "sum" or "mean" (of `kl_div` also "batchmean"). Elementwise losses take an input and a target of
one shape; losses on labels take the classes on axis 1 (axis 0 of a single sample) and int64 labels of the input's
shape without that axis. All are compositions, so float16 is computed in float32 (`wide=True`).

Where a probability or weight of exactly 0 meets an infinite logarithm, their product counts as 0
(`multiply_unless_zero`): what is never drawn costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import Op, op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.dtypes import DType

__all__ = [
    "bce_with_logits",
    "binary_cross_entropy",
    "cross_entropy",
    "huber_loss",
    "kl_div",
    "kl_div_of_logs",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
    "smoothing_loss",
    "weighed",
]

Needs = tuple[bool, ...]


# ---------------------------------------------------------------------- elementwise
def _reduced(B: Backend, values: Array, reduction: str) -> Array:
    if reduction == "none":
        return values if B.is_contiguous(values) else B.copy(values)
    total = B.sum(values)
    return total if reduction == "sum" else B.divide(total, _count(values.shape, reduction))


def _share(B: Backend, g: Array, slope: Array, reduction: str) -> Array:
    """The gradient of each element: its slope times its share of the result's gradient."""
    count = _count(slope.shape, reduction)
    return B.multiply(slope, g if count is None else B.divide(g, count))


def _count(shape: Shape, reduction: str) -> int | None:
    """What the sum is divided by, or None."""
    if reduction == "mean":
        return math.prod(shape)
    return (shape[0] if shape else 1) if reduction == "batchmean" else None


def _of_difference(name: str, value: Callable[..., Array], slope: Callable[..., Array]) -> Op:
    """A loss that is a function `value` of input - target, whose derivative is `slope`."""

    def joint(
        B: Backend, needs: Needs, g: Array, _out: Any, x: Array, y: Array, reduction: str, **static: float
    ) -> tuple[Array | None, Array | None]:
        d = _share(B, g, slope(B, B.subtract(x, y), **static), reduction)
        return d if needs[0] else None, B.negative(d) if needs[1] else None

    def forward(B: Backend, x: Array, y: Array, reduction: str, **static: float) -> Array:
        return _reduced(B, value(B, B.subtract(x, y), **static), reduction)

    return op(joint=joint, name=name, wide=True)(forward)


def _huber_value(B: Backend, d: Array, delta: float) -> Array:
    bounded = _huber_slope(B, d, delta)
    return B.multiply(bounded, B.subtract(d, B.multiply(bounded, 0.5)))


def _huber_slope(B: Backend, d: Array, delta: float) -> Array:
    return B.maximum(B.minimum(d, delta), -delta)


def _smooth_value(B: Backend, d: Array, beta: float) -> Array:
    slope = _smooth_slope(B, d, beta)
    return B.multiply(slope, B.subtract(d, B.multiply(slope, beta / 2)))


def _smooth_slope(B: Backend, d: Array, beta: float) -> Array:
    return B.maximum(B.minimum(B.divide(d, beta), 1), -1)


mse_loss = _of_difference("mse_loss", lambda B, d: B.square(d), lambda B, d: B.multiply(d, 2))
l1_loss = _of_difference("l1_loss", lambda B, d: B.absolute(d), lambda B, d: B.sign(d))
huber_loss = _of_difference("huber_loss", _huber_value, _huber_slope)
smooth_l1_loss = _of_difference("smooth_l1_loss", _smooth_value, _smooth_slope)


# ---------------------------------------------------------------------- of two classes
_LOWEST_LOG = -100.0
_SMALLEST_VARIANCE = 1e-12


def _logs(B: Backend, x: Array) -> tuple[Array, Array]:
    """log(x) and log(1 - x), cut off at -100 as in PyTorch: the loss stays finite at 0 and 1."""
    return B.maximum(B.log(x), _LOWEST_LOG), B.maximum(B.log1p(B.negative(x)), _LOWEST_LOG)


def _bce_vjp(
    B: Backend, needs: Needs, g: Array, _out: Any, x: Array, y: Array, reduction: str
) -> tuple[Array | None, Array | None]:
    dx = dy = None
    if needs[0]:
        variance = B.maximum(B.multiply(x, B.subtract(1, x)), _SMALLEST_VARIANCE)
        dx = _share(B, g, B.divide(B.subtract(x, y), variance), reduction)
    if needs[1]:
        log_x, log_rest = _logs(B, x)
        dy = _share(B, g, B.subtract(log_rest, log_x), reduction)
    return dx, dy


@op(joint=_bce_vjp, wide=True)
def binary_cross_entropy(B: Backend, x: Array, y: Array, reduction: str) -> Array:
    log_x, log_rest = _logs(B, x)
    likelihood = B.add(B.multiply(y, log_x), B.multiply(B.subtract(1, y), log_rest))
    return _reduced(B, B.negative(likelihood), reduction)


def _bce_with_logits_vjp(
    B: Backend, needs: Needs, g: Array, _out: Any, x: Array, y: Array, reduction: str
) -> tuple[Array | None, Array | None]:
    dx = _share(B, g, B.bce_with_logits_backward(x, y), reduction) if needs[0] else None
    dy = _share(B, g, B.negative(x), reduction) if needs[1] else None
    return dx, dy


@op(joint=_bce_with_logits_vjp, wide=True)
def bce_with_logits(B: Backend, x: Array, y: Array, reduction: str) -> Array:
    return _reduced(B, B.bce_with_logits(x, y), reduction)


# ---------------------------------------------------------------------- of distributions
def _kl_vjp(
    B: Backend, needs: Needs, g: Array, _out: Any, x: Array, t: Array, reduction: str
) -> tuple[Array | None, Array | None]:
    dx = dt = None
    if needs[0]:
        dx = B.negative(_share(B, g, t, reduction))
    if needs[1]:
        log_t, used = _log_of_used(B, t)
        slope = B.add(B.subtract(log_t, x), B.astype(used, t.dtype))
        dt = _share(B, g, _finite_or_used(B, slope, used), reduction)
    return dx, dt


@op(joint=_kl_vjp, wide=True)
def kl_div(B: Backend, x: Array, t: Array, reduction: str) -> Array:
    """t (log t - x)."""
    return _reduced(B, B.multiply_unless_zero(t, B.subtract(_log_of_used(B, t)[0], x)), reduction)


def _log_of_used(B: Backend, t: Array) -> tuple[Array, Array]:
    """log t, 0 where t is 0; and where it is not."""
    used = B.not_equal(t, 0)
    return B.log(B.where(used, t, B.full((), 1, t.dtype))), used


def _finite_or_used(B: Backend, slope: Array, used: Array) -> Array:
    """The slope, but 0 where it is infinite, or nan, of what is not used."""
    return B.where(B.logical_or(used, B.isfinite(slope)), slope, B.full((), 0, slope.dtype))


def _kl_of_logs_vjp(
    B: Backend, needs: Needs, g: Array, _out: Any, x: Array, log_t: Array, reduction: str
) -> tuple[Array | None, Array | None]:
    t = B.exp(log_t)
    dx = B.negative(_share(B, g, t, reduction)) if needs[0] else None
    if not needs[1]:
        return dx, None
    slope = B.multiply_unless_zero(t, B.add(B.subtract(log_t, x), 1))
    return dx, _share(B, g, slope, reduction)


@op(joint=_kl_of_logs_vjp, wide=True)
def kl_div_of_logs(B: Backend, x: Array, log_t: Array, reduction: str) -> Array:
    """t (log t - x), given log t."""
    return _reduced(B, B.multiply_unless_zero(B.exp(log_t), B.subtract(log_t, x)), reduction)


@op(
    lambda B, g, _out, _x, t: B.multiply_unless_zero(t, g),
    lambda B, g, _out, x, t: B.multiply(g, _finite_or_used(B, x, B.not_equal(t, 0))),
    elementwise=True,
    wide="vjps",
)
def weighed(B: Backend, x: Array, t: Array) -> Array:
    """t x, for probabilities or weights t. What has none has no gradient, whatever comes in."""
    return B.multiply_unless_zero(t, x)


# ---------------------------------------------------------------------- on labels
def _rows(B: Backend, x: Array) -> Array:
    """(rows, classes) of (C,), (N, C) or (N, C, d1, ...)."""
    if x.ndim == 2:
        return x
    if x.ndim == 1:
        return B.reshaped(x, (1, *x.shape))
    last = B.transpose(x, (0, *range(2, x.ndim), 1))
    return B.reshaped(last, (math.prod(last.shape[:-1]), x.shape[1]))


def _unrows(B: Backend, rows: Array, shape: tuple[int, ...]) -> Array:
    """The inverse of `_rows`: back to `shape`."""
    if len(shape) == 2:
        return rows
    if len(shape) == 1:
        return B.reshaped(rows, shape)
    last = B.reshaped(rows, (shape[0], *shape[2:], shape[1]))
    return B.transpose(last, (0, len(shape) - 1, *range(1, len(shape) - 1)))


def _used(B: Backend, labels: Array, ignore_index: int, classes: int, name: str) -> tuple[Array, Array]:
    """Flat labels with 0 for the ignored ones, and which are not ignored; BoundsError where one is no
    class."""
    valid = B.not_equal(labels, ignore_index)
    safe = B.where(valid, labels, B.full((), 0, labels.dtype))
    if classes:
        B.check_bounds(safe, 0, classes, what=f"{name}: labels")
    flat = (math.prod(labels.shape),)
    return B.reshaped(safe, flat), B.reshaped(valid, flat)


def _kept(B: Backend, valid: Array, x: Array) -> Array:
    """x where the row is used and 0, whatever x, where it is ignored."""
    return B.where(valid, x, B.full((), 0, x.dtype))


def _weights(B: Backend, safe: Array, valid: Array, weight: Array | None, dtype: DType) -> Array:
    """The weight of each row: its class's, or 1, and 0 where it is ignored."""
    return B.astype(valid, dtype) if weight is None else _kept(B, valid, B.take(weight, safe, 0))


def _reduced_rows(B: Backend, losses: Array, weights: Array, reduction: str, shape: tuple[int, ...]) -> Array:
    if reduction == "none":
        return B.reshaped(losses, shape)
    total = B.sum(losses)
    return total if reduction == "sum" else B.divide(total, B.sum(weights))


def _row_gradients(B: Backend, g: Array, valid: Array, weights: Array, reduction: str) -> Array:
    """The gradient of each row's loss (rows, 1); 0 where ignored, also where all are and the mean is nan."""
    rows = valid.shape[0]
    if reduction == "mean":
        g = B.divide(g, B.sum(weights))
    each = B.reshaped(g, (rows, 1)) if reduction == "none" else g
    return _kept(B, B.reshaped(valid, (rows, 1)), each)


def _cross_entropy_vjp(
    B: Backend, g: Array, out: Any, _x: Any, _labels: Any, ignore_index: int, reduction: str
) -> Array:
    probabilities, safe, valid, weights = out
    scale = _row_gradients(B, g, valid, weights, reduction)
    return _unrows(B, B.softmax_cross_entropy_backward(scale, probabilities, safe), _x.shape)


@op(_cross_entropy_vjp, lambda B, g, _out, _x, _labels, **_: None, residuals="differentiable")
def cross_entropy(B: Backend, x: Array, labels: Array, ignore_index: int, reduction: str) -> tuple[Array, ...]:
    rows = _rows(B, x)
    safe, valid = _used(B, labels, ignore_index, rows.shape[1], "cross_entropy")
    losses, probabilities = B.softmax_cross_entropy(rows, safe)
    weights = B.astype(valid, x.dtype)
    loss = _reduced_rows(B, _kept(B, valid, losses), weights, reduction, labels.shape)
    return loss, probabilities, safe, valid, weights


def _on_log_probabilities(
    name: str,
    row_loss: Callable[[Backend, Array, Array, Array, Array | None], Array],
    row_slope: Callable[[Backend, Array, Array, Array | None, int], Array],
) -> Op:
    """A loss that is linear in the log-probabilities x: `row_loss` of each row and its derivative
    `row_slope`.

    Inputs: x, labels, class weights or None. `name` in its arguments is the function its errors speak for.
    """

    def vjp(
        B: Backend, g: Array, _out: Any, _x: Any, labels: Array, weight: Array | None,
        ignore_index: int, reduction: str, name: str,
    ) -> Array:  # fmt: skip
        classes = _x.shape[0 if len(_x.shape) == 1 else 1]
        safe, valid = _used(B, labels, ignore_index, classes, name)
        weights = _weights(B, safe, valid, weight, _x.dtype)
        scale = _row_gradients(B, g, valid, weights, reduction)
        slope = row_slope(B, safe, weights, weight, classes)
        return _unrows(B, B.multiply_unless_zero(slope, scale), _x.shape)

    def forward(
        B: Backend, x: Array, labels: Array, weight: Array | None, ignore_index: int, reduction: str, name: str
    ) -> Array:
        rows = _rows(B, x)
        safe, valid = _used(B, labels, ignore_index, rows.shape[1], name)
        weights = _weights(B, safe, valid, weight, x.dtype)
        losses = _kept(B, valid, row_loss(B, rows, safe, weights, weight))
        return _reduced_rows(B, losses, weights, reduction, labels.shape)

    nothing = lambda B, g, _out, _x, _labels, _weight, **_: None  # noqa: E731
    return op(vjp, nothing, nothing, name=name, wide=True)(forward)


def _picked(B: Backend, rows: Array, safe: Array, weights: Array, _weight: Array | None) -> Array:
    return B.negative(B.multiply_unless_zero(weights, B.pick_labels(rows, safe)))


def _picked_slope(B: Backend, safe: Array, weights: Array, _weight: Array | None, classes: int) -> Array:
    column = B.negative(B.reshaped(weights, (weights.shape[0], 1)))
    return B.where(B.one_hot_rows(safe, classes), column, B.full((), 0, column.dtype))


def _uniform(B: Backend, rows: Array, _safe: Array, _weights: Array, weight: Array | None) -> Array:
    return B.negative(B.sum(rows if weight is None else B.multiply_unless_zero(weight, rows), axis=1))


def _uniform_slope(B: Backend, _safe: Array, weights: Array, weight: Array | None, classes: int) -> Array:
    return B.negative(B.full((1, classes), 1, weights.dtype) if weight is None else B.reshaped(weight, (1, classes)))


# The log-probability of the label, and (for label smoothing) the sum over all classes, weighted.
nll_loss = _on_log_probabilities("nll_loss", _picked, _picked_slope)
smoothing_loss = _on_log_probabilities("smoothing_loss", _uniform, _uniform_slope)
