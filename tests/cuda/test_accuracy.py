"""Activations and losses keep their bits on CUDA: the curves of `tests/ops/accuracy.py`, and float16 in float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.backends.test_half import CALLS
from tests.cuda.test_basic import there
from tests.ops.accuracy import CURVES, LIMITS, assert_close

INF = math.inf
GRID = np.concatenate([np.linspace(-80, 80, 161), np.linspace(-9, 9, 73), [0.0]])


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64], ids=str)
@pytest.mark.parametrize("name", CURVES)
def test_values_and_slopes(name: str, dtype: Any, cuda: tg.Device) -> None:
    curve = CURVES[name]
    points = GRID.astype(dtype).astype(np.float64)
    x = tg.tensor(points, dtype=dtype).requires_grad_()
    y = curve.function(x)
    # gelu's kernel exponentiates what has rounded; with normcdf a GPU does better.
    exponent = points**2 / 2 if name == "gelu" else curve.exponent(points)
    with np.errstate(all="ignore"):
        assert_close(y, curve.value(points), exponent)
        (slope,) = tg.autograd.grad(y.sum(), [x])
        found, exact = slope.cpu().numpy().astype(np.float64), curve.slope(points)
    eps = float(np.finfo(dtype).eps)
    assert (np.abs(found - exact) <= 4 * eps * (1 + 20 * np.abs(exact)) + 1e-7 * (dtype == tg.float16)).all()


@pytest.mark.parametrize("name", LIMITS)
def test_far_out_nothing_is_made_of_zero_times_much(name: str, cuda: tg.Device) -> None:
    (left, right), slopes = LIMITS[name]
    size = float(np.finfo(np.float32).max)
    x = tg.tensor([-size, size]).requires_grad_()
    y = CURVES[name].function(x)
    assert y.tolist() == [-size if left == -INF else left, size if right == INF else right]
    assert tg.autograd.grad(y.sum(), [x])[0].tolist() == list(slopes)


@pytest.mark.parametrize("name", CALLS)
def test_float16_is_float32_rounded_once(name: str, cuda_device: tg.Device) -> None:
    backend, (args, kwargs) = cuda_device.backend, CALLS[name]
    wide = [a.astype(np.float32) if getattr(a, "dtype", None) == np.float16 else a for a in args]
    found, right = (getattr(backend, name)(*(there(backend, a) for a in given), **kwargs) for given in (args, wide))
    pairs = zip(found, right, strict=True) if isinstance(found, tuple) else [(found, right)]
    for a, b in pairs:
        assert a.dtype == np.float16
        rounded = backend.to_numpy(b).astype(np.float16)
        # A layer's product is one of float16 before its bias is added: the tensor cores' result.
        units = 2 if name == "linear_act" else 1
        np.testing.assert_allclose(
            backend.to_numpy(a).astype(np.float64), rounded.astype(np.float64), rtol=units * 2.0**-10, atol=2.0**-24
        )


def test_rows_that_were_wrong(cuda: tg.Device) -> None:
    h = tg.float16
    loss = F.binary_cross_entropy_with_logits(tg.tensor([15.0]), tg.tensor([1.0]))
    assert loss.item() == pytest.approx(np.log1p(np.exp(-15.0)), rel=1e-6)
    assert F.gelu(tg.tensor([-4.0], dtype=h)).item() == np.float16(-4 * special.ndtr(-4.0))
    assert F.softmax(tg.zeros(70_000, dtype=h), 0)[0].item() == np.float16(1 / 70_000)
    assert F.smooth_l1_loss(tg.tensor([3.0], dtype=h), tg.tensor([0.0], dtype=h), beta=1e-5).item() == 3.0
    assert F.silu(tg.tensor(-1e38)).item() == 0
    assert F.kl_div(tg.tensor([-INF, 0.0]), tg.tensor([0.0, 1.0]), reduction="sum").item() == 0
    masked = F.cross_entropy(tg.tensor([[-INF, 0.0, 1.0]]), tg.tensor([[0.0, 0.5, 0.5]]))
    assert masked.item() == pytest.approx(-0.5 * special.log_softmax([0.0, 1.0]).sum(), rel=1e-6)
    weighted = F.nll_loss(tg.tensor([[-INF, 0.0]]), tg.tensor([0]), tg.tensor([0.0, 1.0]), reduction="sum")
    assert weighted.item() == 0
