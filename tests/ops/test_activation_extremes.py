"""Activations and losses where naive formulas overflow: far out, at infinity, fully masked, at the kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad.functional import activation as A
from tensorgrad.functional import loss as F

FAR = [-1e4, -1000.0, -100.0, 100.0, 1000.0, 1e4]
STEP, RAMP = (0.0, 0.0), (0.0, 1.0)
# The function, its limits on both sides, and the slopes of those.
POINTWISE: dict[str, tuple[Callable[..., tg.Tensor], Callable[..., Any], tuple[float, float]]] = {
    "relu": (A.relu, lambda x: np.maximum(x, 0), RAMP),
    "leaky_relu": (A.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x), (0.01, 1.0)),
    "elu": (A.elu, lambda x: np.where(x > 0, x, -1.0), RAMP),
    "gelu": (A.gelu, lambda x: np.maximum(x, 0), RAMP),
    "gelu-tanh": (lambda x: A.gelu(x, "tanh"), lambda x: np.maximum(x, 0), RAMP),
    "silu": (A.silu, lambda x: np.maximum(x, 0), RAMP),
    "softplus": (A.softplus, lambda x: np.maximum(x, 0), RAMP),
    "sigmoid": (A.sigmoid, lambda x: np.where(x > 0, 1.0, 0.0), STEP),
    "logsigmoid": (A.logsigmoid, lambda x: np.minimum(x, 0), (1.0, 0.0)),
}


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64], ids=str)
@pytest.mark.parametrize("name", POINTWISE)
def test_far_out_values_slopes_and_bends(name: str, dtype: Any) -> None:
    function, limit, (left, right) = POINTWISE[name]
    points = np.array(FAR)
    x = tg.from_numpy(points.astype(dtype)).requires_grad_()
    y = function(x)
    (slope,) = tg.autograd.grad(y.sum(), [x], create_graph=True)
    bend = tg.autograd.grad(slope.sum(), [x])[0] if slope.requires_grad else None
    slack = 2e-3 if dtype == tg.float16 else 1e-6
    np.testing.assert_allclose(y.detach().numpy(), limit(points).astype(dtype), rtol=slack, atol=slack)
    np.testing.assert_allclose(slope.detach().numpy(), np.where(points < 0, left, right), rtol=slack, atol=slack)
    if bend is not None:
        np.testing.assert_allclose(bend.numpy(), 0, rtol=0, atol=slack)


def test_relu_at_zero_and_at_nan() -> None:
    x = tg.from_numpy(np.array([0.0, -0.0, 1.0, -1.0, np.nan])).requires_grad_()
    y = A.relu(x)
    (slope,) = tg.autograd.grad(y[:4].sum(), [x])
    assert slope.numpy()[:4].tolist() == [0, 0, 1, 0]
    assert np.isnan(y.detach().numpy()[4])


def test_sigmoid_keeps_its_relative_precision_in_the_tail() -> None:
    x = np.linspace(-80, 5, 500).astype(np.float32)
    exact = special.expit(x.astype(np.float64))
    np.testing.assert_allclose(A.sigmoid(tg.from_numpy(x)).numpy(), exact, rtol=1e-6)


@pytest.mark.parametrize("function", [A.softmax, A.log_softmax])
def test_softmax_of_large_and_masked_rows(function: Callable[..., tg.Tensor]) -> None:
    rows = np.array([[1e4, -1e4, 1e4], [-np.inf, 1.0, 2.0], [-np.inf, -np.inf, 3.0]])
    x = tg.from_numpy(rows).requires_grad_()
    y = function(x, -1)
    reference = special.softmax if function is A.softmax else special.log_softmax
    np.testing.assert_allclose(y.detach().numpy(), reference(rows, axis=-1), atol=1e-12)
    picked = y[:, 2].sum()
    (slope,) = tg.autograd.grad(picked, [x], create_graph=True)
    assert np.isfinite(slope.detach().numpy()).all()
    (bend,) = tg.autograd.grad((slope * slope).sum(), [x])
    assert np.isfinite(bend.numpy()).all()


def test_softmax_of_a_fully_masked_row_is_nan() -> None:
    rows = tg.from_numpy(np.array([[-np.inf, -np.inf], [0.0, 0.0]]))
    with np.errstate(invalid="ignore"):
        masked, usual = A.softmax(rows, 1).numpy()
    assert np.isnan(masked).all()
    assert usual.tolist() == [0.5, 0.5]


def test_softmax_arguments() -> None:
    x = tg.zeros(2, 3)
    assert A.softmax(x, 1, dtype=tg.float64).dtype == tg.float64
    with pytest.raises(tg.ArgumentError, match="softmax: dim must be given"):
        A.softmax(x)
    with pytest.raises(tg.BoundsError, match="log_softmax: dim must be in"):
        A.log_softmax(x, 2)
    with pytest.raises(tg.DTypeError, match="softmax: dtype must be a floating one, got int64"):
        A.softmax(x, 1, dtype=tg.int64)
    with pytest.raises(tg.ArgumentError, match='gelu: approximate must be "none" or "tanh"'):
        A.gelu(x, "fast")


# ---------------------------------------------------------------------- losses
def test_cross_entropy_of_large_logits() -> None:
    rows = np.array([[1e4, 0.0], [-1e4, 1e4], [0.0, -np.inf]])
    x = tg.from_numpy(rows).requires_grad_()
    labels = tg.from_numpy(np.array([0, 0, 0]))
    losses = F.cross_entropy(x, labels, reduction="none")
    assert losses.tolist() == [0.0, 2e4, 0.0]
    (slope,) = tg.autograd.grad(losses.sum(), [x], create_graph=True)
    assert slope.tolist() == [[0.0, 0.0], [-1.0, 1.0], [0.0, 0.0]]
    (bend,) = tg.autograd.grad(slope[:2, 0].sum(), [x])
    assert np.isfinite(bend.numpy()).all()


@pytest.mark.parametrize("arguments", [{}, {"label_smoothing": 0.1}], ids=["plain", "smoothed"])
def test_all_ignored_is_a_nan_mean_and_no_gradient(arguments: dict[str, Any]) -> None:
    x = tg.ones(3, 4, requires_grad=True)
    labels = tg.full((3,), -100, dtype=tg.int64)
    loss = F.cross_entropy(x, labels, **arguments)
    loss.backward()
    assert np.isnan(loss.item())
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0] * 4] * 3
    assert F.cross_entropy(x, labels, reduction="sum", **arguments).item() == 0.0


def test_an_ignored_row_may_hold_anything() -> None:
    rows = np.array([[np.nan, np.inf], [0.0, 0.0]])
    x = tg.from_numpy(rows).requires_grad_()
    loss = F.cross_entropy(x, tg.from_numpy(np.array([-100, 1])))
    assert loss.item() == pytest.approx(np.log(2))


def test_narrow_labels_name_classes_beyond_their_own_range() -> None:
    x = np.random.default_rng(0).standard_normal((4, 1000))
    for dtype in (np.uint8, np.int16, np.int64):
        labels = np.array([0, 100, 200, 255], dtype)
        expected = -special.log_softmax(x, axis=1)[np.arange(4), labels].mean()
        t = tg.from_numpy(x).requires_grad_()
        loss = F.cross_entropy(t, tg.from_numpy(labels))
        loss.backward()
        assert loss.item() == pytest.approx(expected)
        assert t.grad is not None
        assert np.count_nonzero(t.grad.numpy() < 0) == 4


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64], ids=str)
def test_bce_at_certainty_is_cut_off_as_in_pytorch(dtype: Any) -> None:
    p = tg.from_numpy(np.array([0.0, 1.0, 0.0, 1.0], dtype)).requires_grad_()
    t = tg.from_numpy(np.array([0.0, 1.0, 1.0, 0.0], dtype))
    losses = F.binary_cross_entropy(p, t, reduction="none")
    assert losses.tolist() == [0.0, 0.0, 100.0, 100.0]
    (slope,) = tg.autograd.grad(losses.sum(), [p])
    np.testing.assert_allclose(slope.numpy(), [0.0, 0.0, -1e12, 1e12])


@pytest.mark.parametrize("weighted", [False, True])
def test_bce_with_logits_far_out(weighted: bool) -> None:
    x = tg.from_numpy(np.array([1e4, -1e4, 1e4, -1e4])).requires_grad_()
    t = tg.from_numpy(np.array([1.0, 0.0, 0.0, 1.0]))
    pos_weight = tg.from_numpy(np.array(2.0)) if weighted else None
    losses = F.binary_cross_entropy_with_logits(x, t, pos_weight=pos_weight, reduction="none")
    positive = 2.0 if weighted else 1.0
    assert losses.tolist() == [0.0, 0.0, 1e4, positive * 1e4]
    (slope,) = tg.autograd.grad(losses.sum(), [x], create_graph=True)
    np.testing.assert_allclose(slope.detach().numpy(), [0.0, 0.0, 1.0, -positive], atol=1e-12)
    (bend,) = tg.autograd.grad(slope.sum(), [x])
    np.testing.assert_allclose(bend.numpy(), 0, atol=1e-12)


def test_float16_means_of_sums_beyond_its_range() -> None:
    x = tg.full((1000,), 20.0, dtype=tg.float16)
    assert F.mse_loss(x, x * 0).item() == 400.0
    logits = tg.zeros(70_000, 2, dtype=tg.float16)
    labels = tg.zeros(70_000, dtype=tg.int64)
    assert F.cross_entropy(logits, labels).item() == pytest.approx(np.log(2), rel=1e-3)


@pytest.mark.parametrize("size", [2, 20_000])
def test_an_infinite_gradient_does_not_reach_what_relu_cut_off(size: int) -> None:
    x = tg.full((size,), -1.0, requires_grad=True)
    tg.relu(x).sqrt().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().max().item() == 0
