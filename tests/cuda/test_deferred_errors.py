"""Errors that a CUDA device notes while the host goes on: what is said, when, and about whom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.backends.cuda import errors as cuda_errors
from tensorgrad.backends.cuda.errors import ERROR_WORDS, DeferredErrors
from tensorgrad.functional import loss as F
from tensorgrad.nn import utils
from tests.cupy_standin import installed

Array = Any
CPU = tg.device("cpu").backend
FLOATS = ["float16", "float32", "float64"]


def complaint(call: Callable[[], object]) -> tuple[type[BaseException], str]:
    """The error that a call raises: its class and its text."""
    with pytest.raises(tg.TensorgradError) as caught:
        call()
    return caught.type, str(caught.value)


def gradients(device: tg.Device | str, *values: Any, dtype: Any = np.float32) -> list[tg.Tensor]:
    """Parameters with these gradients."""
    made = []
    for g in values:
        p = tg.zeros(np.shape(g), dtype=np.dtype(dtype), device=device, requires_grad=True)
        p.grad = tg.tensor(np.asarray(g, dtype), device=device)
        made.append(p)
    return made


@contextmanager
def no_wait(device: tg.Device) -> Iterator[None]:
    """Whatever makes the host wait for the device fails."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the host waits for the device")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("to_numpy", "synchronize"):
            patch.setattr(device.backend, name, refuse)
        patch.setattr(device.backend.errors, "raise_pending", refuse)  # type: ignore[attr-defined]
        if installed():  # the class of a real CuPy cannot be changed
            for name in ("get", "item", "tolist", "__bool__", "__int__", "__float__"):
                patch.setattr(device.backend.array_type, name, refuse)
        yield


# ---------------------------------------------------------------------- the norm of gradients
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("norm_type", [2.0, 3.0, math.inf])
def test_clipping_does_not_wait_and_leaves_the_gradients(
    cuda: tg.Device, dtype: str, bad: float, norm_type: float
) -> None:
    values = [[3.0, 4.0], [[1.0, bad, -2.0]]]
    params = gradients(cuda, *values, dtype=dtype)
    with no_wait(cuda):
        total = utils.clip_grad_norm_(params, 1.0, norm_type, error_if_nonfinite=True)
    here = gradients("cpu", *values, dtype=dtype)
    expected = complaint(lambda: utils.clip_grad_norm_(here, 1.0, norm_type, error_if_nonfinite=True))
    assert expected[0] is tg.NonFiniteError
    assert expected[1].startswith(f"clip_grad_norm_: the norm of the gradients is {bad}, so they cannot be clipped; ")
    assert complaint(tg.cuda.synchronize) == expected
    for p, g in zip(params, values, strict=True):
        assert p.grad is not None
        np.testing.assert_array_equal(p.grad.tolist(), g)
    assert not math.isfinite(total.item())  # raised once, and not again


def test_a_finite_norm_is_clipped_and_raises_nothing(cuda: tg.Device) -> None:
    params = gradients(cuda, [3.0, 4.0])
    assert utils.clip_grad_norm_(params, 2.5, error_if_nonfinite=True).item() == 5.0
    assert params[0].grad is not None
    np.testing.assert_allclose(params[0].grad.tolist(), [1.5, 2.0], rtol=1e-6)


def test_without_the_flag_the_gradients_are_spoilt_in_silence(cuda: tg.Device) -> None:
    params = gradients(cuda, [3.0, math.inf])
    assert utils.clip_grad_norm_(params, 2.5).item() == math.inf
    assert params[0].grad is not None
    np.testing.assert_array_equal(params[0].grad.tolist(), [0.0, math.nan])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_total_norm_raises_when_it_is_read(cuda: tg.Device, bad: float) -> None:
    x = tg.tensor([1.0, bad], device=cuda)
    with no_wait(cuda):
        total = utils.get_total_norm(x, error_if_nonfinite=True)
    with pytest.raises(tg.NonFiniteError, match=f"get_total_norm: the norm of the gradients is {bad}, so"):
        total.item()


# ---------------------------------------------------------------------- ranges
@pytest.mark.parametrize("what", ["input", "target"])
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_probability_out_of_range_names_the_loss(cuda: tg.Device, dtype: str, value: float, what: str) -> None:
    right, wrong = np.full((2, 3), 0.5, dtype), np.full((2, 3), 0.5, dtype)
    wrong[1, 0] = value
    given = (wrong, right) if what == "input" else (right, wrong)
    with no_wait(cuda):
        loss = nn.BCELoss()(*(tg.tensor(x, device=cuda) for x in given))
    expected = complaint(lambda: nn.BCELoss()(*(tg.from_numpy(x) for x in given)))
    text = f"binary_cross_entropy: {what} must be in [0, 1], got {np.dtype(dtype).type(value)!s} at position (1, 0)"
    assert expected[1].startswith(f"BCELoss: {text}")
    assert complaint(loss.item) == expected
    assert loss.item() is not None  # raised once


def test_probabilities_at_the_bounds_are_in_range(cuda: tg.Device) -> None:
    losses = F.binary_cross_entropy(tg.tensor([0.0, 1.0, 1.0]), tg.tensor([0.0, 1.0, 0.0]), reduction="none")
    assert losses.tolist() == [0.0, 0.0, 100.0]
    tg.cuda.synchronize()


# ---------------------------------------------------------------------- the primitives
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda x: x,
    "transposed": lambda x: x.T,
    "strided": lambda x: x[:, ::2],
    "misaligned": lambda x: x.reshape(-1)[1:],
    "scalar": lambda x: x[4, 8],
    "nothing": lambda x: x[:0],
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf, 3.0])
def test_the_device_says_what_the_cpu_says(cuda: tg.Device, dtype: str, layout: str, bad: float | None) -> None:
    values = np.linspace(0, 1, 5 * 11).reshape(5, 11).astype(dtype)
    if bad is not None:
        values[4, 8] = values[4, 10] = bad
    there = tg.tensor(values, device=cuda)
    x, y = LAYOUTS[layout](values), LAYOUTS[layout](there).array
    checks: list[Callable[[Any, Any], None]] = [
        lambda B, x: B.check_range(x, 0.0, 1.0, what="op: input", hint="; do"),
        lambda B, x: B.check_finite(x, what="op: input", hint=", so look"),
    ]
    for check in checks:
        try:
            check(CPU, x)
            expected = None
        except tg.errors.ArgumentError as error:
            expected = type(error), str(error)
        check(cuda.backend, y)
        if expected is not None:
            found = complaint(tg.cuda.synchronize)
            assert found == expected
        tg.cuda.synchronize()


def test_the_first_check_to_fail_is_raised_and_the_word_is_free_again(cuda: tg.Device) -> None:
    B = cuda.backend
    x, y = (B.asarray(np.array(v)) for v in ([0.5, 2.0], [-3.0, 0.5]))
    B.check_range(x, 0.0, 4.0, what="passes")
    B.check_range(x, 0.0, 1.0, what="first")
    B.check_range(y, 0.0, 1.0, what="second")
    B.check_bounds(B.asarray(np.array([7])), 0, 3, what="third")
    assert complaint(tg.cuda.synchronize)[1] == "first must be in [0, 1], got 2.0 at position 1"
    tg.cuda.synchronize()
    B.check_bounds(B.asarray(np.array([[1, 7]])), 0, 3, what="later")
    B.check_finite(B.asarray(np.array(math.nan)), what="last")
    assert complaint(tg.cuda.synchronize) == (tg.BoundsError, "later must be in [0, 3), got 7 at position (0, 1)")
    B.check_finite(B.asarray(np.array(math.nan)), what="last")
    assert complaint(tg.cuda.synchronize) == (tg.NonFiniteError, "last is nan")


def test_other_streams_may_be_current(cuda: tg.Device) -> None:
    import cupy

    x = tg.tensor([1.0, 2.0, 3.0], device=cuda)
    tg.cuda.synchronize()
    for position in (0, 1):
        with cupy.cuda.Stream(non_blocking=True):
            index = np.zeros(2, np.int64)
            index[position] = 5
            _ = x[tg.tensor(index, device=cuda)]
        assert complaint(tg.cuda.synchronize)[1].endswith(f"got 5 at position {position}")


# ---------------------------------------------------------------------- what is kept of a check
def test_descriptions_do_not_pile_up(cuda: tg.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    B: Any = cuda.backend
    monkeypatch.setattr(cuda_errors, "_KEPT", 8)
    described = B.errors._shared.described
    described._numbers.clear()
    indices = [B.asarray(np.zeros(n, np.int64)) for n in range(1, 40)]
    wrong = B.asarray(np.array([[0, 5]]))
    B.check_bounds(wrong, 0, 3, what="kept: index")
    for n, index in enumerate(indices, 1):
        B.check_bounds(index, 0, 3, what=f"index into {n}")
        B.check_bounds(B.asarray(np.zeros((1, 2), np.int64)), 0, 3, what="kept: index")  # in use, so not the oldest
        assert len(described._numbers) <= 8
    assert complaint(tg.cuda.synchronize)[1] == "kept: index must be in [0, 3), got 5 at position (0, 1)"
    B.check_bounds(wrong, 0, 3, what="forgotten: index")
    for n, index in enumerate(indices, 1):
        B.check_bounds(index, 0, 3, what=f"index into {n}")
    kind, text = complaint(tg.cuda.synchronize)
    assert kind is tg.BoundsError
    assert "must be in [0, 3), got 5 at position 1, counted in C order; call tg.cuda.synchronize() sooner" in text


class Word:
    """An error word that a fake launch writes."""

    def __init__(self) -> None:
        self.values = np.zeros(ERROR_WORDS, np.int64)

    def get(self) -> Array:
        return self.values.copy()

    def __getitem__(self, key: slice) -> Array:
        return self.values[key]


class Interrupted:
    """Launches before which, and after which, another thread waits for the device."""

    def __init__(self, word: Word) -> None:
        self.word = word
        self.wait: Callable[[], None] = lambda: None

    def check_bounds(self, indices: Array, low: int, high: int, code: int, where: int, error: Word) -> None:
        self.wait()
        error.values[:6] = code, where, indices[0], 0, low, high


def test_a_wait_in_another_thread_during_the_launch_loses_nothing() -> None:
    word = Word()
    kernels = Interrupted(word)
    errors = DeferredErrors(kernels, word)  # type: ignore[arg-type]
    kernels.wait = errors.raise_pending
    for value in (7, 8):
        errors.check_bounds(np.array([value]), 0, 3, "op")
        assert complaint(errors.raise_pending)[1] == f"op must be in [0, 3), got {value} at position 0"
        errors.raise_pending()
