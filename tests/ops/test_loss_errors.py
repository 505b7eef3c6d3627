"""What a loss refuses, and what it says: the op, what was required, what came, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.functional import loss as F

PAIRWISE: list[Callable[..., tg.Tensor]] = [
    F.mse_loss,
    F.l1_loss,
    F.huber_loss,
    F.smooth_l1_loss,
    F.binary_cross_entropy,
    F.binary_cross_entropy_with_logits,
    F.kl_div,
]


def _raises(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match="^" + re.escape(message) + "$")


# ---------------------------------------------------------------------- shapes that only broadcast
@pytest.mark.parametrize("loss", PAIRWISE, ids=lambda f: f.__name__)
def test_column_against_row_is_refused_unless_asked_for(loss: Callable[..., tg.Tensor]) -> None:
    column, row = tg.full((3, 1), 0.5), tg.full((3,), 0.25)
    message = (
        f"{loss.__name__}: input and target must have one shape, got (3, 1) and (3,); "
        "use target.reshape((3, 1)), or pass broadcast=True to compare them as (3, 3)"
    )
    with _raises(tg.ShapeError, message):
        loss(column, row)
    assert loss(column, row, broadcast=True, reduction="none").shape == (3, 3)


def test_the_advice_for_shapes_is_sound() -> None:
    column, row = tg.ones(3, 1), tg.ones(3)
    assert F.mse_loss(column, row.reshape((3, 1))).item() == 0
    with pytest.raises(tg.ShapeError, match=r"use target\.reshape\(\(3,\)\)"):
        F.mse_loss(row, column)
    with pytest.raises(tg.ShapeError, match="bring them to one shape"):
        F.mse_loss(tg.ones(2, 3), tg.ones(3))


def test_shapes_that_cannot_broadcast() -> None:
    with _raises(tg.ShapeError, "mse_loss: input and target must have one shape, got (3,) and (4,)"):
        F.mse_loss(tg.ones(3), tg.ones(4), broadcast=True)


# ---------------------------------------------------------------------- labels
@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss], ids=lambda f: f.__name__)
class TestLabels:
    def test_out_of_range(self, loss: Callable[..., tg.Tensor]) -> None:
        with _raises(tg.BoundsError, f"{loss.__name__}: labels must be in [0, 3), got 7 at position 2"):
            loss(tg.zeros(4, 3), tg.tensor([0, 2, 7, 9]))
        with pytest.raises(tg.BoundsError, match=r"labels must be in \[0, 3\), got -1 at position 0"):
            loss(tg.zeros(2, 3), tg.tensor([-1, 0]))

    def test_out_of_range_beside_ignored_ones(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.BoundsError, match="got 3 at position 1"):
            loss(tg.zeros(2, 3), tg.tensor([-100, 3]))

    def test_out_of_range_in_an_image(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.BoundsError, match=r"got 5 at position \(1, 0, 1\)"):
            loss(tg.zeros(2, 3, 2, 2), tg.tensor([[[0, 1], [2, 0]], [[1, 5], [0, 0]]]))

    def test_the_default_ignore_index_is_no_class_when_another_is_chosen(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.BoundsError, match="got -100 at position 0"):
            loss(tg.zeros(2, 3), tg.tensor([-100, 1]), ignore_index=1)

    def test_floating_labels(self, loss: Callable[..., tg.Tensor]) -> None:
        message = f"{loss.__name__}: labels must be integers, got float32; convert them with .long()"
        with _raises(tg.DTypeError, message):
            loss(tg.zeros(2, 3), tg.tensor([0.0, 1.0]))

    def test_a_column_of_labels(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.ShapeError, match=r"got \(2, 1\); use target.reshape\(\(2,\)\)"):
            loss(tg.zeros(2, 3), tg.tensor([[0], [1]]))

    def test_another_batch_size(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.ShapeError, match=r"integer labels of shape \(2,\).*got \(4,\); check the batch"):
            loss(tg.zeros(2, 3), tg.tensor([0, 1, 2, 0]))

    def test_integer_one_hot_rows(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.ShapeError, match=r"convert it with .float\(\), or take .argmax\(dim=1\)"):
            loss(tg.zeros(2, 3), tg.tensor([[0, 1, 0], [1, 0, 0]]))

    def test_weight(self, loss: Callable[..., tg.Tensor]) -> None:
        logits, labels = tg.zeros(2, 3), tg.tensor([0, 1])
        with pytest.raises(tg.ShapeError, match=r"shape \(3,\), got \(4,\)"):
            loss(logits, labels, tg.ones(4))
        with pytest.raises(tg.ArgumentError, match="class weights have no gradient"):
            loss(logits, labels, tg.ones(3, requires_grad=True))

    def test_input(self, loss: Callable[..., tg.Tensor]) -> None:
        with pytest.raises(tg.DTypeError, match="input must be a floating Tensor, got int64"):
            loss(tg.tensor([[1, 2]]), tg.tensor([0]))
        with pytest.raises(tg.ShapeError, match=r"input must have shape \(C,\)"):
            loss(tg.tensor(1.0), tg.tensor(0))
        with pytest.raises(tg.DTypeError, match=r"target must be a Tensor, got list"):
            loss(tg.zeros(2, 3), [0, 1])


# ---------------------------------------------------------------------- other arguments
@pytest.mark.parametrize("loss", [*PAIRWISE, F.cross_entropy, F.nll_loss], ids=lambda f: f.__name__)
def test_reduction(loss: Callable[..., tg.Tensor]) -> None:
    target = tg.tensor([1]) if loss in (F.cross_entropy, F.nll_loss) else tg.full((1, 2), 0.5)
    with pytest.raises(tg.ArgumentError, match=f"^{loss.__name__}: reduction must be .* got 'average'$"):
        loss(tg.full((1, 2), 0.5), target, reduction="average")


def test_parameters_out_of_range() -> None:
    x = tg.zeros(2, 3)
    with _raises(tg.ArgumentError, "cross_entropy: label_smoothing must be in [0, 1], got 1.5"):
        F.cross_entropy(x, tg.tensor([0, 1]), label_smoothing=1.5)
    with _raises(tg.ArgumentError, "huber_loss: delta must be positive, got 0"):
        F.huber_loss(x, x, delta=0)
    with _raises(tg.ArgumentError, "smooth_l1_loss: beta must not be negative, got -1"):
        F.smooth_l1_loss(x, x, beta=-1)


def test_numbers_are_no_tensors() -> None:
    with _raises(tg.DTypeError, "mse_loss: target must be a Tensor, got float; make one with tg.tensor(...)"):
        F.mse_loss(tg.zeros(2), 0.5)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- probabilities
@pytest.mark.parametrize("value", [-0.5, 1.5, float("nan"), float("inf"), -1e-40])
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64], ids=str)
def test_bce_refuses_what_is_no_probability(value: float, dtype: Any) -> None:
    right, wrong = tg.full((2, 2), 0.5, dtype=dtype), tg.full((2, 2), 0.5, dtype=dtype)
    wrong[0, 1] = value
    got = f"must be in [0, 1], got {wrong.numpy()[0, 1]!s} at position (0, 1)"
    hint = "; for logits, use binary_cross_entropy_with_logits"
    with _raises(tg.errors.ArgumentError, f"binary_cross_entropy: input {got}{hint}"):
        F.binary_cross_entropy(wrong, right)
    with _raises(tg.errors.ArgumentError, f"binary_cross_entropy: target {got}"):
        F.binary_cross_entropy(right, wrong, weight=tg.ones(2, 2))


def test_bce_of_integers_and_bools() -> None:
    zeros_and_ones = tg.tensor([0, 1, 1])
    assert F.binary_cross_entropy(tg.tensor([0.0, 1.0, 1.0]), zeros_and_ones).item() == 0
    assert F.binary_cross_entropy(zeros_and_ones, zeros_and_ones > 0).item() == 0
    with pytest.raises(tg.errors.ArgumentError, match=r"target must be in \[0, 1\], got 2.0 at position 1"):
        F.binary_cross_entropy(tg.tensor([0.5, 0.5]), tg.tensor([1, 2]))
    with pytest.raises(tg.DTypeError, match="target must be a Tensor"):
        F.binary_cross_entropy(tg.tensor([0.5]), 0.5)  # type: ignore[arg-type]
    assert F.binary_cross_entropy(tg.zeros(0), tg.zeros(0), reduction="sum").item() == 0
