"""The loss modules against NumPy formulas; weights that move; shapes that only broadcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad import nn

Array = Any
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3))
P, Q = RNG.uniform(0.05, 0.95, (4, 3)), RNG.uniform(size=(4, 3))
LABELS = np.asarray([0, 2, 1, 2])
WEIGHT = np.asarray([0.5, 2.0, 1.5])


def huber(d: Array, delta: float) -> Array:
    return np.where(np.abs(d) <= delta, 0.5 * d**2, delta * (np.abs(d) - 0.5 * delta))


def bce(p: Array, y: Array) -> Array:
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


ELEMENTWISE: list[tuple[Callable[..., nn.Module], Array, Array, Array]] = [
    (nn.MSELoss, X, Y, (X - Y) ** 2),
    (nn.L1Loss, X, Y, np.abs(X - Y)),
    (nn.HuberLoss, X, Y, huber(X - Y, 1.0)),
    (lambda **k: nn.HuberLoss(delta=0.4, **k), X, Y, huber(X - Y, 0.4)),
    (nn.SmoothL1Loss, X, Y, huber(X - Y, 1.0)),
    (lambda **k: nn.SmoothL1Loss(beta=0.4, **k), X, Y, huber(X - Y, 0.4) / 0.4),
    (lambda **k: nn.SmoothL1Loss(beta=0.0, **k), X, Y, np.abs(X - Y)),
    (nn.BCELoss, P, Q, bce(P, Q)),
    (lambda **k: nn.BCELoss(weight=tg.tensor(WEIGHT), **k), P, Q, bce(P, Q) * WEIGHT),
    (nn.BCEWithLogitsLoss, X, Q, bce(special.expit(X), Q)),
    (nn.KLDivLoss, np.log(P), Q, special.rel_entr(Q, P)),
    (lambda **k: nn.KLDivLoss(log_target=True, **k), np.log(P), np.log(Q), special.rel_entr(Q, P)),
    (
        lambda **k: nn.BCEWithLogitsLoss(weight=tg.tensor(WEIGHT), pos_weight=tg.tensor(WEIGHT + 1), **k),
        X,
        Q,
        -WEIGHT * (Q * (WEIGHT + 1) * special.log_expit(X) + (1 - Q) * special.log_expit(-X)),
    ),
]


@pytest.mark.parametrize(("make", "x", "y", "each"), ELEMENTWISE, ids=range(len(ELEMENTWISE)))
def test_elementwise_losses(make: Callable[..., nn.Module], x: Array, y: Array, each: Array) -> None:
    a, b = tg.tensor(x), tg.tensor(y)
    np.testing.assert_allclose(make(reduction="none")(a, b).detach().numpy(), each, rtol=1e-9)
    np.testing.assert_allclose(make()(a, b).item(), each.mean(), rtol=1e-9)
    np.testing.assert_allclose(make(reduction="sum")(a, b).item(), each.sum(), rtol=1e-9)


def cross_entropy(smoothing: float, weight: Array | None, ignore: int | None) -> tuple[Array, float]:
    """Loss of each row, and their weighted mean, as PyTorch documents them."""
    w = np.ones(3) if weight is None else weight
    log_p = special.log_softmax(X, axis=1)
    rows = np.arange(4)
    each = (1 - smoothing) * -log_p[rows, LABELS] * w[LABELS] - smoothing / 3 * (log_p * w).sum(1)
    keep = ignore != LABELS
    return np.where(keep, each, 0), (each * keep).sum() / (w[LABELS] * keep).sum()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("ignore", [-100, 2])
def test_cross_entropy(smoothing: float, weight: Array | None, ignore: int) -> None:
    w = None if weight is None else tg.tensor(weight)
    each, mean = cross_entropy(smoothing, weight, ignore)
    x, y = tg.tensor(X), tg.tensor(LABELS)
    options: dict[str, Any] = {"weight": w, "ignore_index": ignore, "label_smoothing": smoothing}
    np.testing.assert_allclose(nn.CrossEntropyLoss(**options)(x, y).item(), mean, rtol=1e-9)
    np.testing.assert_allclose(nn.CrossEntropyLoss(reduction="none", **options)(x, y).detach().numpy(), each, rtol=1e-9)
    np.testing.assert_allclose(nn.CrossEntropyLoss(reduction="sum", **options)(x, y).item(), each.sum(), rtol=1e-9)
    if not smoothing:
        del options["label_smoothing"]
        log_p = tg.tensor(special.log_softmax(X, axis=1))
        np.testing.assert_allclose(nn.NLLLoss(**options)(log_p, y).item(), mean, rtol=1e-9)


def test_cross_entropy_with_probabilities() -> None:
    target = special.softmax(Y, axis=1)
    want = -(target * special.log_softmax(X, axis=1)).sum(1).mean()
    np.testing.assert_allclose(nn.CrossEntropyLoss()(tg.tensor(X), tg.tensor(target)).item(), want, rtol=1e-9)


@pytest.mark.parametrize(
    "make", [nn.MSELoss, nn.L1Loss, nn.HuberLoss, nn.SmoothL1Loss, nn.BCELoss, nn.BCEWithLogitsLoss, nn.KLDivLoss]
)
def test_shapes_that_only_broadcast(make: Callable[..., nn.Module]) -> None:
    x, y = tg.full((4, 1), 0.5), tg.full((4,), 0.25)
    with pytest.raises(tg.errors.ShapeError, match=r"\(4, 1\).*\(4,\)"):
        make()(x, y)
    same = make()(tg.full((4, 4), 0.5), tg.full((4, 4), 0.25)).item()
    assert make(broadcast=True)(x, y).item() == pytest.approx(same)


def test_a_label_out_of_range_names_the_module() -> None:
    with pytest.raises(tg.errors.BoundsError, match=r"^CrossEntropyLoss: .*7"):
        nn.CrossEntropyLoss()(tg.tensor(X), tg.tensor([0, 7, 1, 2]))


def test_class_weights_move_with_the_loss() -> None:
    loss = nn.CrossEntropyLoss(weight=tg.tensor(WEIGHT))
    assert loss.weight is not None
    assert loss.weight.dtype == np.float64
    loss.to(tg.float32)
    assert loss.weight.dtype == np.float32
    assert not list(loss.parameters())
    assert list(nn.BCEWithLogitsLoss(pos_weight=tg.ones(3)).state_dict()) == ["pos_weight"]


def test_the_divergence_by_its_definition() -> None:
    found = nn.KLDivLoss("batchmean")(tg.tensor(np.log(P)), tg.tensor(Q))
    assert found.item() == pytest.approx(special.rel_entr(Q, P).sum() / len(P))
    assert nn.KLDivLoss(reduction="sum", log_target=True).log_target
    with pytest.raises(tg.errors.ArgumentError, match="KLDivLoss: reduction must be 'mean', 'batchmean', 'sum' or"):
        nn.KLDivLoss("avg")


def test_arguments() -> None:
    for make in (nn.MSELoss, nn.CrossEntropyLoss, nn.NLLLoss, nn.BCELoss):
        with pytest.raises(tg.errors.ArgumentError, match="reduction must be 'mean', 'sum' or 'none', got 'avg'"):
            make(reduction="avg")
    with pytest.raises(tg.errors.ArgumentError, match="HuberLoss: delta must be positive, got 0"):
        nn.HuberLoss(delta=0)
    with pytest.raises(tg.errors.ArgumentError, match=r"label_smoothing must be in \[0, 1\], got 1.5"):
        nn.CrossEntropyLoss(label_smoothing=1.5)
