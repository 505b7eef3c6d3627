"""Deviations and variances at the ends of the range, and around large means; the reference is float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

Array = Any
SIZES = {"few": (3, 8), "many": (7, 900), "many rows": (900, 7)}
SCALES = [1e38, 3e25, 1.0, 1e-18, 1e-30, 1e-36]


def _numbers(shape: tuple[int, ...], scale: float) -> Array:
    return (np.random.default_rng(3).uniform(-1, 1, shape) * scale).astype(np.float32)


def _relative(found: tg.Tensor, wanted: Array) -> float:
    return float(np.max(np.abs(found.numpy() - wanted) / np.abs(wanted)))


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", SIZES.values(), ids=SIZES)
def test_deviations_that_fit_are_right(shape: tuple[int, ...], scale: float, axis: int | None) -> None:
    x = _numbers(shape, scale)
    wanted = x.astype(np.float64).std(axis, ddof=1)
    found, mean = tg.std_mean(tg.tensor(x), axis)
    for deviation in (tg.tensor(x).std(axis), found):
        assert deviation.dtype == tg.float32
        assert _relative(deviation, wanted) < 3e-7
    assert np.max(np.abs(mean.numpy() - x.astype(np.float64).mean(axis))) <= 2e-7 * scale


@pytest.mark.parametrize("shape", SIZES.values(), ids=SIZES)
def test_a_variance_that_does_not_fit_is_infinite(shape: tuple[int, ...]) -> None:
    x = tg.tensor(_numbers(shape, 1e33))
    assert x.var().item() == tg.var_mean(x)[0].item() == np.inf


@pytest.mark.parametrize("scale", [3e35, 1.0, 1e-30])
@pytest.mark.parametrize("shape", [(2, 3), (2, 700)])
def test_their_gradients(shape: tuple[int, ...], scale: float) -> None:
    x = _numbers(shape, scale)
    wide = x.astype(np.float64)
    off = wide - wide.mean(1, keepdims=True)
    wanted = off / (wide.std(1, ddof=1, keepdims=True) * (shape[1] - 1))
    for function in (lambda t: t.std(1), lambda t: tg.std_mean(t, 1)[0]):
        leaf = tg.tensor(x, requires_grad=True)
        slopes = tg.autograd.grad(function(leaf).sum(), leaf)[0].numpy()
        # At 3e35 the gradient over the deviation and the count is a subnormal number, of fewer bits.
        assert np.max(np.abs(slopes - wanted)) < (1e-4 if scale > 1 else 1e-6) * np.abs(wanted).max()


def test_rows_that_are_constant_infinite_or_nan() -> None:
    x = np.ones((4, 300), np.float32)
    x[1], x[2, 0], x[3, 0] = np.arange(300), np.inf, np.nan
    found = tg.tensor(x).std(1, correction=0).numpy()
    assert found[0] == 0
    assert found[1] == pytest.approx(np.arange(300).std(), rel=1e-6)
    assert np.isnan(found[2:]).all()


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_few_numbers_around_a_large_mean(name: str) -> None:
    x = (np.random.default_rng(0).standard_normal((5, 9)) + 1e5).astype(np.float32)
    function: Callable[..., Any] = getattr(tg, name)
    found = function(tg.tensor(x), 1)
    spread = found[0] if isinstance(found, tuple) else found
    wide = x.astype(np.float64)
    wanted = wide.var(1, ddof=1) if name.startswith("var") else wide.std(1, ddof=1)
    assert _relative(spread, wanted) < 1.3e-7


@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_layouts_and_what_is_left(dtype: Any, correction: int) -> None:
    x = np.random.default_rng(1).standard_normal((4, 5, 60)).astype(dtype)
    for t in (tg.tensor(x).permute(2, 0, 1), tg.tensor(x)[:, ::2], tg.tensor(x)[:1, :1, :2]):
        wide = t.numpy().astype(np.float64)
        for axis in (None, (0, 2), 1):
            for keep in (False, True):
                with np.errstate(all="ignore"):
                    count = wide.size if axis is None else np.prod(np.take(wide.shape, axis))
                    total = ((wide - wide.mean(axis, keepdims=True)) ** 2).sum(axis, keepdims=keep)
                    wanted = total / max(count - correction, 0)
                found = t.var(axis, correction=correction, keepdim=keep)
                assert (found.shape, found.dtype) == (wanted.shape, dtype)
                np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)
                np.testing.assert_allclose(
                    t.std(axis, correction=correction, keepdim=keep).numpy(), np.sqrt(wanted), rtol=1e-6
                )


@pytest.mark.parametrize("x", [tg.tensor(3.0), tg.tensor(3.0, dtype=tg.float64), tg.tensor([3.0])])
def test_one_number(x: tg.Tensor) -> None:
    assert x.var(correction=0).item() == x.std(correction=0).item() == 0
    assert np.isnan(x.var().item())
    assert [t.item() for t in tg.std_mean(x, correction=0)] == [0, 3]
