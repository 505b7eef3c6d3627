"""Activations, losses and their gradients against PyTorch, argument by argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F

torch = pytest.importorskip("torch")
T = torch.nn.functional

RNG = np.random.default_rng(0)
REDUCTIONS = ("none", "sum", "mean")


def _compare(
    ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: Any, second: bool = True, tolerance: float = 1e-12
) -> None:
    """Value, gradients of every floating array, and the gradients of those, in float64."""
    mine = [tg.from_numpy(a.copy()).requires_grad_(a.dtype.kind == "f") for a in arrays]
    other = [torch.from_numpy(a.copy()).requires_grad_(a.dtype.kind == "f") for a in arrays]
    results = [[ours(*mine)], [theirs(*other)]]
    for grad, inputs, found in zip((tg.autograd.grad, torch.autograd.grad), (mine, other), results, strict=True):
        wanted = [x for x in inputs if x.requires_grad]
        first = grad((found[0] * found[0]).sum(), wanted, create_graph=second)
        found += list(first)
        if second:
            found += list(grad(sum((g * g).sum() for g in first), wanted))
    for a, b in zip(*results, strict=True):
        exact = b.detach().numpy()
        scale = 1 + np.abs(exact[np.isfinite(exact)]).max(initial=0)
        np.testing.assert_allclose(a.detach().numpy(), exact, rtol=tolerance, atol=tolerance * scale)


ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (F.relu, T.relu),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda x: T.leaky_relu(x, 0.2)),
    "elu": (lambda x: F.elu(x, 0.7), lambda x: T.elu(x, 0.7)),
    "gelu": (F.gelu, T.gelu),
    "gelu-tanh": (lambda x: F.gelu(x, approximate="tanh"), lambda x: T.gelu(x, approximate="tanh")),
    "silu": (F.silu, T.silu),
    "softplus": (lambda x: F.softplus(x, 2.0, 1.5), lambda x: T.softplus(x, 2.0, 1.5)),
    "sigmoid": (F.sigmoid, torch.sigmoid),
    "logsigmoid": (tg.functional.activation.logsigmoid, T.logsigmoid),
    "softmax": (lambda x: F.softmax(x, -1), lambda x: T.softmax(x, -1)),
    "log_softmax": (lambda x: F.log_softmax(x, 0), lambda x: T.log_softmax(x, 0)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str) -> None:
    x = np.concatenate([RNG.standard_normal(40) * 3, np.linspace(-40, 40, 24)]).reshape(8, 8)
    _compare(*ACTIVATIONS[name], x)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(6, 4), (2, 4, 3, 2)], ids=str)
def test_cross_entropy_with_labels(
    shape: tuple[int, ...], reduction: str, ignored: bool, weighted: bool, smoothing: float
) -> None:
    labels = RNG.integers(0, shape[1], shape[:1] + shape[2:])
    if ignored:
        labels.reshape(-1)[::3] = 2
    weight = np.array([0.5, 1.0, 2.0, 0.1])
    static = {"reduction": reduction, "ignore_index": 2 if ignored else -100, "label_smoothing": smoothing}
    mine = tg.from_numpy(labels), tg.from_numpy(weight) if weighted else None
    other = torch.from_numpy(labels), torch.from_numpy(weight) if weighted else None
    _compare(
        lambda x: F.cross_entropy(x, *mine, **static),  # type: ignore[arg-type]
        lambda x: T.cross_entropy(x, *other, **static),
        RNG.standard_normal(shape),
        tolerance=1e-11,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 4, 3)], ids=str)
def test_cross_entropy_with_probabilities(shape: tuple[int, ...], smoothing: float, reduction: str) -> None:
    weight = np.array([0.5, 1.0, 2.0, 0.1])
    static = {"reduction": reduction, "label_smoothing": smoothing}
    _compare(
        lambda x, t: F.cross_entropy(x, t, tg.from_numpy(weight), **static),  # type: ignore[arg-type]
        lambda x, t: T.cross_entropy(x, t, torch.from_numpy(weight), **static),
        RNG.standard_normal(shape),
        RNG.random(shape),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 4, 3)], ids=str)
def test_nll_loss(shape: tuple[int, ...], reduction: str) -> None:
    labels = np.asarray(RNG.integers(0, 4, shape[:1] + shape[2:] if len(shape) > 1 else ()))
    weight = np.array([0.5, 1.0, 2.0, 0.1])
    _compare(
        lambda x: F.nll_loss(x, tg.from_numpy(labels), tg.from_numpy(weight), reduction=reduction),
        lambda x: T.nll_loss(x, torch.from_numpy(labels), torch.from_numpy(weight), reduction=reduction),
        RNG.standard_normal(shape),
    )


PAIRWISE: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
    "mse_loss": (F.mse_loss, T.mse_loss, {}),
    "l1_loss": (F.l1_loss, T.l1_loss, {}),
    "huber_loss": (F.huber_loss, T.huber_loss, {"delta": 0.6}),
    "smooth_l1_loss": (tg.functional.loss.smooth_l1_loss, T.smooth_l1_loss, {"beta": 0.6}),
    "binary_cross_entropy": (F.binary_cross_entropy, T.binary_cross_entropy, {}),
    "binary_cross_entropy_with_logits": (
        F.binary_cross_entropy_with_logits,
        T.binary_cross_entropy_with_logits,
        {},
    ),
    "kl_div": (tg.functional.loss.kl_div, T.kl_div, {}),
    "kl_div-log": (tg.functional.loss.kl_div, T.kl_div, {"log_target": True}),
}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss:UserWarning")  # theirs, of kl_div
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", PAIRWISE)
def test_pairwise_losses(name: str, reduction: str) -> None:
    ours, theirs, arguments = PAIRWISE[name]
    _compare(
        lambda x, t: ours(x, t, reduction=reduction, **arguments),
        lambda x, t: theirs(x, t, reduction=reduction, **arguments),
        RNG.uniform(0.05, 0.95, (6, 5)),
        RNG.uniform(0.05, 0.95, (6, 5)),
        tolerance=1e-10,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_binary_losses(reduction: str) -> None:
    target, weight, positive = RNG.random((6, 5)), RNG.random((6, 1)), RNG.random(5) + 0.5
    mine = [tg.from_numpy(a) for a in (target, weight, positive)]
    other = [torch.from_numpy(a) for a in (target, weight, positive)]
    _compare(
        lambda x: F.binary_cross_entropy_with_logits(x, mine[0], mine[1], pos_weight=mine[2], reduction=reduction),
        lambda x: T.binary_cross_entropy_with_logits(x, other[0], other[1], pos_weight=other[2], reduction=reduction),
        RNG.standard_normal((6, 5)) * 5,
    )
    _compare(
        lambda x: F.binary_cross_entropy(x, mine[0], mine[1], reduction=reduction),
        lambda x: T.binary_cross_entropy(x, other[0], other[1], reduction=reduction),
        RNG.uniform(0.05, 0.95, (6, 5)),
        tolerance=1e-10,
    )


@pytest.mark.parametrize("value", [-1e-40, -0.0, 0.0, 1e-40, 1.0, 1 + 2.0**-23, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["input", "target"])
def test_what_bce_refuses(value: float, place: str) -> None:
    given = np.full((2, 3), value, np.float32), np.full((2, 3), 0.5, np.float32)
    arrays = given if place == "input" else given[::-1]

    def raises(function: Callable[..., Any], made: Callable[[Any], Any], error: type[Exception]) -> bool:
        try:
            function(*(made(a) for a in arrays))
        except error as caught:
            return place in str(caught)
        return False

    theirs = raises(T.binary_cross_entropy, torch.from_numpy, RuntimeError)
    assert raises(F.binary_cross_entropy, tg.from_numpy, tg.errors.ArgumentError) == theirs


def test_half_precision_losses_are_as_good_as_theirs() -> None:
    logits, labels = RNG.standard_normal((200, 10)).astype(np.float16), RNG.integers(0, 10, 200)
    exact = T.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(labels)).item()
    ours = F.cross_entropy(tg.from_numpy(logits), tg.from_numpy(labels))
    theirs = T.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels))
    assert ours.dtype == tg.float16
    assert abs(ours.item() - exact) <= abs(theirs.item() - exact) + 1e-3
