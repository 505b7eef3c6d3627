"""Losses under PyTorch's names.

`reduction`: "mean" (over all elements, or weighted: see `cross_entropy`), "sum", or "none". PyTorch lets a
prediction of shape (N, 1) meet a target of shape (N,), and compares each of N with each of N; here shapes
must be equal, unless `broadcast=True` says that this is meant.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.op import Op
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import (
    HALF,
    get_default_dtype,
    how_to_make_one,
    int64,
    is_floating,
    result_type,
    type_name,
)
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.functional import reduction as R
from tensorgrad.functional.activation import log_softmax, logsigmoid
from tensorgrad.functional.arithmetic import add, mul, neg, sub
from tensorgrad.functional.promotion import cast
from tensorgrad.functional.shape import broadcast_to, reshape
from tensorgrad.functional.wide import in_float32
from tensorgrad.ops import loss as L

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]


# ---------------------------------------------------------------------- on numbers
@hinted
def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", broadcast: bool = False) -> Tensor:
    """(input - target)^2. ShapeError unless the shapes are equal or `broadcast`."""
    return _elementwise(L.mse_loss, input, target, reduction, broadcast)


@hinted
def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", broadcast: bool = False) -> Tensor:
    """|input - target|; the gradient at 0 is 0. ShapeError unless the shapes are equal or `broadcast`."""
    return _elementwise(L.l1_loss, input, target, reduction, broadcast)


@hinted
def huber_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", delta: float = 1.0, broadcast: bool = False
) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta * (|d| - delta / 2), for d = input - target (P. Huber, 1964).

    ShapeError unless the shapes are equal or `broadcast`; ArgumentError unless delta > 0.
    """
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta must be positive, got {delta}")
    return _elementwise(L.huber_loss, input, target, reduction, broadcast, delta=float(delta))


@hinted
def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0, broadcast: bool = False
) -> Tensor:
    """`huber_loss` with delta = beta, divided by beta; `l1_loss` for beta = 0. ArgumentError unless beta >= 0."""
    if not beta >= 0:
        raise ArgumentError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    if beta == 0:
        return _elementwise(L.l1_loss, input, target, reduction, broadcast, name="smooth_l1_loss")
    return _elementwise(L.smooth_l1_loss, input, target, reduction, broadcast, beta=float(beta))


# ---------------------------------------------------------------------- on probabilities
@hinted
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    broadcast: bool = False,
) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) for p = input and t = target in [0, 1], times `weight`, which broadcasts.

    Logarithms are cut off at -100, as in PyTorch. From logits, use `binary_cross_entropy_with_logits`: it is exact also
    where p rounds to 0 or 1. ShapeError unless the shapes are equal or `broadcast`. ArgumentError for a p or t outside
    [0, 1], or nan: on CUDA at the next wait for the device.
    """
    name = "binary_cross_entropy"
    _check_probabilities(name, "input", input, "; for logits, use binary_cross_entropy_with_logits")
    _check_probabilities(name, "target", target)
    if weight is None:
        return _elementwise(L.binary_cross_entropy, input, target, reduction, broadcast)
    _check_reduction(name, reduction)
    return _weighted_bce(*_pair(name, input, target, broadcast), weight, reduction)


@in_float32
def _weighted_bce(x: Tensor, t: Tensor, weight: Tensor, reduction: str) -> Tensor:
    losses = apply(L.binary_cross_entropy, x, t, reduction="none")
    return _reduced("binary_cross_entropy", _weighed(losses, weight), reduction)


@hinted
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    broadcast: bool = False,
) -> Tensor:
    """-(pos_weight t log s + (1 - t) log(1 - s)) for s = sigmoid(input), from the logits themselves.

    So it does not overflow, keeps its bits where s rounds to 0 or 1, and is 0, not nan, for an infinite logit that is
    right.

    `weight` multiplies the losses, `pos_weight` their first term; both broadcast. ShapeError unless the
    shapes of input and target are equal or `broadcast`.
    """
    name = "binary_cross_entropy_with_logits"
    if weight is None and pos_weight is None:
        return _elementwise(L.bce_with_logits, input, target, reduction, broadcast, name=name)
    _check_reduction(name, reduction)
    return _weighted_with_logits(*_pair(name, input, target, broadcast), weight, pos_weight, reduction)


@in_float32
def _weighted_with_logits(
    x: Tensor, t: Tensor, weight: Tensor | None, pos_weight: Tensor | None, reduction: str
) -> Tensor:
    if pos_weight is None:
        losses = apply(L.bce_with_logits, x, t, reduction="none")
    else:
        right = apply(L.weighed, logsigmoid(x), mul(t, cast(pos_weight, x.dtype)))
        losses = neg(add(right, apply(L.weighed, logsigmoid(neg(x)), sub(1, t))))
    if weight is not None:
        losses = _weighed(losses, weight)
    return _reduced("binary_cross_entropy_with_logits", losses, reduction)


@hinted
def kl_div(
    input: Tensor,
    target: Tensor,
    *,
    reduction: str = "mean",
    log_target: bool = False,
    broadcast: bool = False,
) -> Tensor:
    """t (log t - input) for log-probabilities `input` and probabilities t = target (exp(target) if
    `log_target`).

    Terms with t = 0 are 0, also where `input` is -inf, and so are their gradients. `reduction` may also be "batchmean",
    the sum divided by the first dimension: the divergence by its definition. ShapeError unless the shapes are equal or
    `broadcast`.
    """
    if reduction not in ("mean", "batchmean", "sum", "none"):
        raise ArgumentError(f'kl_div: reduction must be "mean", "batchmean", "sum" or "none", got {reduction!r}')
    x, t = _pair("kl_div", input, target, broadcast)
    return apply(L.kl_div_of_logs if log_target else L.kl_div, x, t, reduction=reduction)


# ---------------------------------------------------------------------- on classes
@hinted
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-sum over classes of t log softmax(input), for the target distribution t.

    `input`: logits (C,), (N, C) or (N, C, d1, ...). `target`: labels, integers in [0, C) of the shape without
    C, or probabilities, floating, of the shape of `input`. `weight` (C,) multiplies each class's term;
    `label_smoothing` e replaces t by (1 - e) t + e / C (C. Szegedy et al., 2016). Samples labelled
    `ignore_index` count for nothing, and neither does a class of target probability or weight 0, whatever its logit.

    "mean" divides the sum by the number of samples; with labels, by the sum of their weights, so it is nan
    where all are ignored. Raises BoundsError for a label out of range, ShapeError and DTypeError for targets
    of neither kind, ArgumentError for label_smoothing outside [0, 1].
    """
    name = "cross_entropy"
    _check_reduction(name, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"{name}: label_smoothing must be in [0, 1], got {label_smoothing}")
    classes = _check_logits(name, input, target, weight)
    if weight is None and label_smoothing == 0 and target.dtype.kind != "f" and input.dtype.char != HALF:
        labels = _labels(name, input, target)  # as most calls are
        return apply(L.cross_entropy, input, labels, ignore_index=ignore_index, reduction=reduction)
    return _on_classes(input, target, weight, ignore_index, reduction, label_smoothing, classes)


@in_float32
def _on_classes(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
    classes: int,
) -> Tensor:
    name = "cross_entropy"
    if is_floating(target.dtype) and target.shape == input.shape:
        return _on_probabilities(input, cast(target, input.dtype), weight, reduction, label_smoothing)
    labels = _labels(name, input, target)
    if weight is None and label_smoothing == 0:
        return apply(L.cross_entropy, input, labels, ignore_index=ignore_index, reduction=reduction)
    x = log_softmax(input, _class_dim(input))
    weight = None if weight is None else cast(weight, input.dtype)
    static = {"ignore_index": ignore_index, "reduction": reduction, "name": name}
    hard = apply(L.nll_loss, x, labels, weight, **static) if label_smoothing < 1 else None
    if hard is not None and label_smoothing == 0:
        return hard
    smooth = mul(apply(L.smoothing_loss, x, labels, weight, **static), label_smoothing / max(classes, 1))
    return smooth if hard is None else add(mul(hard, 1 - label_smoothing), smooth)


@hinted
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-input at the label, for log-probabilities `input`: `cross_entropy` without the softmax.

    Shapes, `weight`, `ignore_index`, the mean and the errors as for `cross_entropy` with labels.
    """
    _check_reduction("nll_loss", reduction)
    _check_logits("nll_loss", input, target, weight)
    labels = _labels("nll_loss", input, target)
    weight = None if weight is None else cast(weight, input.dtype)
    static = {"ignore_index": ignore_index, "reduction": reduction, "name": "nll_loss"}
    return apply(L.nll_loss, input, labels, weight, **static)


def _on_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    dim = _class_dim(input)
    classes = input.shape[dim]
    if label_smoothing:
        target = add(mul(target, 1 - label_smoothing), label_smoothing / classes)
    if weight is not None:
        target = mul(target, reshape(cast(weight, input.dtype), (classes,) + (1,) * (input.ndim - dim - 1)))
    losses = neg(R.sum(apply(L.weighed, log_softmax(input, dim), target), dim))
    return _reduced("cross_entropy", losses, reduction)


# ---------------------------------------------------------------------- checks
def _class_dim(input: Tensor) -> int:
    return 0 if input.ndim == 1 else 1


def _check_tensor(name: str, what: str, x: object) -> None:
    if not isinstance(x, Variable):
        raise DTypeError(f"{name}: {what} must be a Tensor, got {type_name(x)}; {how_to_make_one(x)}")


def _check_probabilities(name: str, what: str, x: Tensor, hint: str = "") -> None:
    _check_tensor(name, what, x)
    if x.dtype.kind != "b":
        numbers = x if is_floating(x.dtype) else cast(x, get_default_dtype())
        x.device.backend.check_range(numbers.array, 0.0, 1.0, what=f"{name}: {what}", hint=hint)


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f'{name}: reduction must be "mean", "sum" or "none", got {reduction!r}')


def _reduced(name: str, losses: Tensor, reduction: str) -> Tensor:
    _check_reduction(name, reduction)
    return losses if reduction == "none" else R.sum(losses) if reduction == "sum" else R.mean(losses)


def _weighed(losses: Tensor, weight: Tensor) -> Tensor:
    return apply(L.weighed, losses, cast(weight, losses.dtype))


def _elementwise(
    op: Op, input: Tensor, target: Tensor, reduction: str, broadcast: bool, name: str = "", **static: float
) -> Tensor:
    name = name or op.name
    _check_reduction(name, reduction)
    x, y = _pair(name, input, target, broadcast)
    return apply(op, x, y, reduction=reduction, **static)


def _pair(name: str, input: Tensor, target: Tensor, broadcast: bool) -> tuple[Tensor, Tensor]:
    """Input and target in one shape and one floating dtype."""
    _check_tensor(name, "input", input)
    _check_tensor(name, "target", target)
    if input.shape != target.shape:
        shape = _broadcast_shape(name, input.shape, target.shape, broadcast)
        input, target = broadcast_to(input, shape), broadcast_to(target, shape)
    if input.dtype is target.dtype and input.dtype.kind == "f":
        return input, target
    dtype = result_type((input, target), name=name)
    kind = dtype if is_floating(dtype) else get_default_dtype()
    return cast(input, kind), cast(target, kind)


def _broadcast_shape(name: str, a: tuple[int, ...], b: tuple[int, ...], allowed: bool) -> tuple[int, ...]:
    try:
        shape = np.broadcast_shapes(a, b)
    except ValueError as error:
        raise ShapeError(f"{name}: input and target must have one shape, got {a} and {b}") from error
    if not allowed:
        raise ShapeError(
            f"{name}: input and target must have one shape, got {a} and {b}; {_how_to_align(a, b)}, "
            f"or pass broadcast=True to compare them as {shape}"
        )
    return shape


def _how_to_align(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    if math.prod(a) != math.prod(b):
        return "bring them to one shape"
    return f"use input.reshape({b})" if len(a) > len(b) and len(b) > 1 else f"use target.reshape({a})"


def _check_logits(name: str, input: Any, target: Any, weight: Tensor | None) -> int:
    """The number of classes of `input`."""
    _check_tensor(name, "target", target)
    _check_tensor(name, "input", input)
    if not is_floating(input.dtype):
        raise DTypeError(f"{name}: input must be a floating Tensor, got {input.dtype}; convert it with .float()")
    if input.ndim == 0:
        raise ShapeError(f"{name}: input must have shape (C,), (N, C) or (N, C, d1, ...), got ()")
    classes: int = input.shape[0 if input.ndim == 1 else 1]
    if weight is not None:
        if weight.shape != (classes,):
            raise ShapeError(f"{name}: weight must have one entry a class, shape ({classes},), got {weight.shape}")
        if weight.requires_grad:
            raise ArgumentError(f"{name}: class weights have no gradient; pass weight.detach()")
    return classes


def _labels(name: str, input: Tensor, target: Tensor) -> Tensor:
    """`target` as int64 labels of the shape of `input` without its class dimension."""
    dim = _class_dim(input)
    wanted = input.shape[:dim] + input.shape[dim + 1 :]
    if target.shape != wanted:
        raise ShapeError(_target_message(name, input.shape, wanted, target.shape))
    if target.dtype.kind not in "iu":
        raise DTypeError(f"{name}: labels must be integers, got {target.dtype}; convert them with .long()")
    return cast(target, int64)


def _target_message(name: str, shape: tuple[int, ...], wanted: tuple[int, ...], got: tuple[int, ...]) -> str:
    kinds = f"integer labels of shape {wanted}"
    if name == "cross_entropy":
        kinds += f" or floating probabilities of shape {shape}"
    if got == shape:
        hint = "convert it with .float(), or take .argmax(dim=1) of one-hot rows"
    elif math.prod(got) == math.prod(wanted):
        hint = f"use target.reshape({wanted})"
    else:
        hint = "check the batch sizes"
    return f"{name}: for input {shape} the target must be {kinds}, got {got}; {hint}"
