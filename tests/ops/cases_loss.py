"""Losses against the formulas of NumPy and SciPy, in every reduction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import tensorgrad as tg
from tensorgrad.functional import loss as F
from tests.ops.table import FLOAT32_AND_64, Case

FLOATS = (tg.float16, *FLOAT32_AND_64)
REDUCE: dict[str, Callable[..., Any]] = {"none": lambda v: v, "sum": np.sum, "mean": np.mean}
SIZES: dict[str, tuple[int, ...]] = {"usual": (5, 7), "scalar": ()}
CASES: list[Case] = []


# ---------------------------------------------------------------------- elementwise
def _huber(delta: float) -> Callable[..., Any]:
    return lambda x, y: special.huber(delta, x - y).astype(x.dtype)


def _bce(p: Any, t: Any) -> Any:
    return -(special.xlogy(t, p) + special.xlog1py(1 - t, -p))


def _bce_logits(x: Any, t: Any) -> Any:
    return -(t * special.log_expit(x) + (1 - t) * special.log_expit(-x))


PAIRWISE: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any, dict[str, Any]]] = {
    "mse_loss": (F.mse_loss, lambda x, y: (x - y) ** 2, "normal", {}),
    "l1_loss": (F.l1_loss, lambda x, y: np.abs(x - y), "distinct", {}),
    "huber_loss": (F.huber_loss, _huber(1.0), "normal", {}),
    "huber_loss-delta": (F.huber_loss, _huber(0.4), "normal", {"delta": 0.4}),
    "smooth_l1_loss": (F.smooth_l1_loss, lambda x, y: _huber(0.5)(x, y) / 0.5, "normal", {"beta": 0.5}),
    "smooth_l1_loss-zero": (F.smooth_l1_loss, lambda x, y: np.abs(x - y), "distinct", {"beta": 0}),
    "binary_cross_entropy": (F.binary_cross_entropy, _bce, "probability", {}),
    "binary_cross_entropy_with_logits": (
        F.binary_cross_entropy_with_logits,
        _bce_logits,
        ("normal", "probability"),
        {},
    ),
    "kl_div": (F.kl_div, lambda x, t: special.xlogy(t, t) - t * x, ("normal", "probability"), {}),
    "kl_div-log": (F.kl_div, lambda x, t: np.exp(t) * (t - x), "normal", {"log_target": True}),
}

for _name, (_function, _value, _sample, _arguments) in PAIRWISE.items():
    for _reduction, _reduce in REDUCE.items():
        for _kind, _size in SIZES.items():
            CASES.append(
                Case(
                    f"{_name}-{_reduction}-{_kind}",
                    lambda x, y, f=_function, r=_reduction, a=_arguments: f(x, y, reduction=r, **a),
                    lambda x, y, v=_value, r=_reduce: r(v(x, y)),
                    [_size, _size],
                    sample=_sample,
                    tolerance=4,  # several roundings against SciPy's one
                )
            )

CASES += [
    Case(
        "mse_loss-broadcast",
        lambda x, y: F.mse_loss(x, y, broadcast=True),
        lambda x, y: np.mean((x - y) ** 2),
        [(4, 1), (3,)],
    ),
    Case("mse_loss-empty", F.mse_loss, lambda x, y: np.mean((x - y) ** 2), [(0, 3), (0, 3)], gradient=False),
    Case("mse_loss-half", F.mse_loss, lambda x, y: np.mean((x - y) ** 2), [(9,), (9,)], dtypes=(tg.float16,)),
    Case(
        "l1_loss-broadcast",
        lambda x, y: F.l1_loss(x, y, reduction="sum", broadcast=True),
        lambda x, y: np.sum(np.abs(x - y)),
        [(2, 3), ()],
    ),
    Case(
        "binary_cross_entropy-weight",
        lambda p, t, w: F.binary_cross_entropy(p, t, w),
        lambda p, t, w: np.mean(_bce(p, t) * w),
        [(4, 3), (4, 3), (3,)],
        sample="probability",
        tolerance=4,
    ),
    Case(
        "binary_cross_entropy_with_logits-weights",
        lambda x, t, w, p: F.binary_cross_entropy_with_logits(x, t, w, pos_weight=p),
        lambda x, t, w, p: np.mean(-w * (p * t * special.log_expit(x) + (1 - t) * special.log_expit(-x))),
        [(4, 3), (4, 3), (4, 1), (3,)],
        sample=("normal", "probability", "positive", "positive"),
        tolerance=4,
    ),
    Case(
        "kl_div-batchmean",
        lambda x, t: F.kl_div(x, t, reduction="batchmean"),
        lambda x, t: np.sum(special.xlogy(t, t) - t * x) / len(x),
        [(4, 3), (4, 3)],
        sample=("normal", "probability"),
    ),
]


# ---------------------------------------------------------------------- on classes
def _label_sample(classes: int, ignored: bool) -> Callable[..., Any]:
    def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        labels = rng.integers(0, classes, shape)
        return np.where(rng.random(shape) < 0.3, -100, labels) if ignored else labels

    return sample


def _class_loss(x: Any, labels: Any, weight: Any, reduction: str, smoothing: float = 0.0, softmax: bool = True) -> Any:
    """The definition, sample by sample: -sum_c t_c w_c log p_c, and the mean weighted by the labels'
    weights."""
    if x.ndim == 1:
        out = _class_loss(x[None], labels[None], weight, reduction, smoothing, softmax)
        return out[0] if reduction == "none" else out
    classes = x.shape[1]
    w = np.ones(classes, x.dtype) if weight is None else weight
    rows = np.moveaxis(x, 1, -1).reshape(-1, classes)
    losses, weights = [], []
    for row, label in zip(rows, labels.reshape(-1), strict=True):
        log_p = special.log_softmax(row) if softmax else row
        target = np.full(classes, smoothing / classes, x.dtype)
        used = label != -100
        if used:
            target[label] += 1 - smoothing
        losses.append(-np.sum(target * w * log_p) if used else 0 * row[0])
        weights.append(w[label] if used else 0 * w[0])
    if reduction == "none":
        return np.array(losses, x.dtype).reshape(labels.shape)
    total = np.sum(np.array(losses, x.dtype))
    return total if reduction == "sum" else total / np.sum(np.array(weights, x.dtype))


LAYOUTS: dict[str, tuple[tuple[int, ...], tuple[int, ...], int]] = {
    "rows": ((6, 4), (6,), 4),
    "single": ((5,), (), 5),
    "image": ((2, 3, 4, 2), (2, 4, 2), 3),
}
for _kind, (_shape, _labels, _classes) in LAYOUTS.items():
    for _reduction in REDUCE:
        for _ignored in (False, True) if _kind != "single" else (False,):
            _suffix = f"{_kind}-{_reduction}{'-ignore' if _ignored else ''}"
            _sample = ("normal", _label_sample(_classes, _ignored))
            CASES += [
                Case(
                    f"cross_entropy-{_suffix}",
                    lambda x, t, r=_reduction: F.cross_entropy(x, t, reduction=r),
                    lambda x, t, r=_reduction: _class_loss(x, t, None, r),
                    [_shape, _labels],
                    sample=_sample,
                    dtypes=FLOATS,
                    tolerance=4,
                ),
                Case(
                    f"cross_entropy-weight_and_smoothing-{_suffix}",
                    lambda x, t, r=_reduction, c=_classes: F.cross_entropy(
                        x, t, _class_weights(c, x.dtype), reduction=r, label_smoothing=0.2
                    ),
                    lambda x, t, r=_reduction, c=_classes: _class_loss(x, t, _weights(c, x.dtype), r, 0.2),
                    [_shape, _labels],
                    sample=_sample,
                    tolerance=4,
                ),
                Case(
                    f"nll_loss-weight-{_suffix}",
                    lambda x, t, r=_reduction, c=_classes: F.nll_loss(x, t, _class_weights(c, x.dtype), reduction=r),
                    lambda x, t, r=_reduction, c=_classes: _class_loss(x, t, _weights(c, x.dtype), r, softmax=False),
                    [_shape, _labels],
                    sample=_sample,
                    tolerance=4,
                ),
            ]


def _weights(classes: int, dtype: Any) -> Any:
    return np.linspace(0.5, 2.0, classes).astype(dtype)


def _class_weights(classes: int, dtype: Any) -> tg.Tensor:
    return tg.as_tensor(_weights(classes, dtype))  # on the default device, as the case is


def _soft(x: Any, t: Any, w: Any = 1.0, smoothing: float = 0.0) -> Any:
    t = t * (1 - smoothing) + smoothing / x.shape[1]
    return np.sum(-special.log_softmax(x, axis=1) * t * w) / (x.size / x.shape[1])


CASES += [
    Case(
        "cross_entropy-probabilities",
        F.cross_entropy,
        _soft,
        [(5, 4), (5, 4)],
        sample=("normal", "probability"),
        tolerance=4,
    ),
    Case(
        "cross_entropy-probabilities_of_images",
        lambda x, t: F.cross_entropy(x, t, _class_weights(3, x.dtype), label_smoothing=0.1),
        lambda x, t: _soft(x, t, _weights(3, x.dtype)[:, None], 0.1),
        [(2, 3, 4), (2, 3, 4)],
        sample=("normal", "probability"),
        tolerance=4,
    ),
    Case(
        "cross_entropy-probabilities_single",
        F.cross_entropy,
        lambda x, t: _soft(x[None], t[None]),
        [(4,), (4,)],
        sample=("normal", "probability"),
        tolerance=4,
    ),
    Case(
        "cross_entropy-other_ignore_index",
        lambda x, t: F.cross_entropy(x, t, ignore_index=1),
        lambda x, t: _class_loss(x, np.where(t == 1, -100, t), None, "mean"),
        [(8, 3), (8,)],
        sample=("normal", _label_sample(3, False)),
        tolerance=4,
    ),
    Case(
        "cross_entropy-no_rows",
        lambda x, t: F.cross_entropy(x, t, reduction="sum"),
        lambda x, t: np.sum(x),
        [(0, 3), (0,)],
        sample=("normal", _label_sample(3, False)),
    ),
]
