"""Activations and losses keep their bits in the tails, and no zero times infinity is nan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad.functional import activation, loss
from tensorgrad.nn import functional as F
from tests.ops.accuracy import CURVES, LIMITS, assert_close

Array = Any
INF = math.inf
FLOATS = [tg.float16, tg.float32, tg.float64]
# Around what they are: tails, zeros, the joins of approximations.
GRID = np.concatenate(
    [np.linspace(-104, 104, 4001), np.linspace(-9, 9, 2003), np.linspace(-1, 1, 501), np.geomspace(1e-5, 1, 50), [0.0]]
)


def _tensor(values: Any, dtype: Any = tg.float32) -> tg.Tensor:
    return tg.tensor(values, dtype=dtype).requires_grad_()


def _slopes(x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    (slope,) = tg.autograd.grad(y.sum(), [x])
    return slope


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", CURVES)
def test_values_and_slopes(name: str, dtype: Any) -> None:
    curve = CURVES[name]
    points = GRID.astype(dtype).astype(np.float64)
    x = _tensor(points, dtype)
    y = curve.function(x)
    with np.errstate(all="ignore"):
        assert_close(y, curve.value(points), curve.exponent(points))
        if name == "erf":  # its slope is exp(-x^2), whose exponent rounds
            near = np.abs(points) < 4
        else:
            near = np.abs(points) < 90 if dtype == tg.float32 else np.full(points.shape, True)
        eps = float(np.finfo(dtype).eps)
        slopes = _slopes(x, y)
        absolute = 2 * eps if curve.slope_of_result else 8 * eps * (dtype != tg.float16) * np.exp(-np.abs(points) / 9)
        got = slopes.detach().numpy().astype(np.float64)
        exact = curve.slope(points)
        slack = absolute + 2 * eps * np.abs(exact) * (1 if dtype == tg.float16 else 40)
        tiny = 200 * float(np.finfo(dtype).smallest_normal) if dtype != tg.float16 else 1e-7
    assert (np.abs(got - exact) <= slack + tiny)[near].all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", LIMITS)
def test_far_out_nothing_is_made_of_zero_times_much(name: str, dtype: Any) -> None:
    (left, right), slopes = LIMITS[name]
    greatest = float(np.finfo(dtype).max)
    for size in (greatest, greatest / 3.5):
        x = _tensor([-size, size], dtype)
        y = CURVES[name].function(x)
        wanted = [-size if left == -INF else left, size if right == INF else right]
        np.testing.assert_array_equal(y.detach().numpy(), np.array(wanted, dtype))
        np.testing.assert_array_equal(_slopes(x, y).numpy(), np.array(slopes, dtype))
    assert np.isnan(CURVES[name].function(_tensor([math.nan], dtype)).item())


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64], ids=str)
def test_erf_and_gelu_within_two_units_everywhere(dtype: Any) -> None:
    x = np.concatenate([np.linspace(-13, 13, 200_001), np.geomspace(1e-30, 1, 5_000), [3.868, -3.868]]).astype(dtype)
    x = x[x != 0]
    exact = np.array([math.erf(v) for v in x])
    rounded = exact.astype(dtype)
    steps = np.abs(tg.erf(tg.from_numpy(x)).numpy().astype(np.float64) - rounded) / np.spacing(np.abs(rounded))
    assert steps.max() <= 2
    found = F.gelu(tg.from_numpy(x)).numpy()
    error = np.abs(found / _gelu(x) - 1)
    assert error.max() <= (2.2 if dtype == tg.float32 else 6) * np.finfo(dtype).eps


def _gelu(x: Array) -> Array:
    """In twice float64's bits, as erfc of a rounded argument and its slope there."""
    wide = -x.astype(np.longdouble) / np.sqrt(np.longdouble(2))
    y = wide.astype(np.float64)
    erfc = np.array([math.erfc(v) for v in y]).astype(np.longdouble)
    return x * (erfc - (wide - y) * 2 / np.sqrt(np.pi) * np.exp(-y * y)) / 2


# ---------------------------------------------------------------------- the rows that were wrong
def test_bce_with_logits_of_what_is_all_but_certain() -> None:
    x = _tensor([15.0, 10.0, -15.0, 80.0])
    t = tg.tensor([1.0, 1.0, 0.0, 1.0])
    y = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    exact = np.log1p(np.exp([-15.0, -10.0, -15.0, -80.0]))
    assert_close(y, exact)
    assert_close(_slopes(x, y), -special.expit([-15.0, -10.0, -15.0, -80.0]) * [1, 1, -1, 1])
    soft = F.binary_cross_entropy_with_logits(x, tg.full((4,), 0.999), reduction="none")
    p = float(np.float32(0.999))
    points = x.detach().numpy().astype(float)
    assert_close(soft, p * np.logaddexp(-points, 0) + (1 - p) * np.logaddexp(points, 0))


def test_softmax_of_more_classes_than_float16_counts() -> None:
    x = _tensor(np.zeros(70_000), tg.float16)
    y = F.softmax(x, 0)
    assert y[0].item() == np.float16(1 / 70_000)
    assert F.log_softmax(x, 0)[0].item() == np.float16(-np.log(70_000))
    x.mean().backward()
    assert x.grad is not None
    assert x.grad[0].item() == np.float16(1 / 70_000)
    assert tg.logsumexp(x, 0).item() == np.float16(np.log(70_000))


def test_smooth_l1_of_a_beta_below_float16() -> None:
    x = _tensor([3.0, -2.0, 0.0], tg.float16)
    y = F.smooth_l1_loss(x, tg.zeros(3, dtype=tg.float16), beta=1e-5, reduction="none")
    assert y.tolist() == [3.0, 2.0, 0.0]
    assert _slopes(x, y).tolist() == [1.0, -1.0, 0.0]
    assert F.smooth_l1_loss(x, tg.zeros(3, dtype=tg.float16), beta=1e-5, reduction="sum").item() == 5.0


def test_float16_whose_steps_leave_its_range() -> None:
    h = tg.float16
    assert F.gelu(tg.tensor([-4.0], dtype=h)).item() == np.float16(-4 * special.ndtr(-4.0))
    assert F.mse_loss(tg.full((10,), 300.0, dtype=h), tg.zeros(10, dtype=h) + 100).item() == 40000.0
    assert F.huber_loss(tg.tensor([300.0], dtype=h), tg.tensor([0.0], dtype=h), delta=200.0).item() == 40000.0
    assert tg.tensor([60000.0, -60000.0], dtype=h).std().item() == INF
    assert tg.tensor([300.0, 0.0, 300.0], dtype=h).std().item() == np.float16(np.std([300, 0, 300], ddof=1))
    a = tg.full((2, 2), 300.0, dtype=h)
    assert tg.addmm(a, a, a, beta=1.0, alpha=0.1).tolist() == [[18304.0, 18304.0]] * 2
    assert tg.einsum("i,i,i->", a[0], a[0], tg.full((2,), 0.1, dtype=h)).item() == np.float16(
        18000 * np.float16(0.1) * 10
    )


# ---------------------------------------------------------------------- zero times infinity
def test_kl_div_of_what_never_happens() -> None:
    x, t = _tensor([-INF, 0.0, -INF, -2.0]), _tensor([0.0, 1.0, 0.0, 0.0])
    y = F.kl_div(x, t, reduction="sum")
    dx, dt = tg.autograd.grad(y, [x, t])
    assert y.item() == 0
    assert dx.tolist() == [0.0, -1.0, 0.0, 0.0]
    assert np.isfinite(dt.numpy()).all()
    log_t = _tensor([-INF, 0.0, -INF, -INF])
    y = F.kl_div(x, log_t, reduction="sum", log_target=True)
    dx, dt = tg.autograd.grad(y, [x, log_t])
    assert y.item() == 0
    assert dx.tolist() == [0.0, -1.0, 0.0, 0.0]
    assert dt.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert F.kl_div(_tensor([-INF]), tg.tensor([0.5]), reduction="sum").item() == INF


def test_cross_entropy_of_classes_that_are_masked() -> None:
    x, t = _tensor([[-INF, 0.0, 1.0]]), _tensor([[0.0, 0.5, 0.5]])
    y = F.cross_entropy(x, t)
    dx, dt = tg.autograd.grad(y, [x, t])
    exact = -0.5 * special.log_softmax([0.0, 1.0]).sum()
    assert y.item() == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(dx.numpy()[0], [0, *(special.softmax([0.0, 1.0]) - 0.5)], rtol=1e-5)
    assert np.isfinite(dt.numpy()).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_class_weights_of_zero(smoothing: float) -> None:
    x = _tensor([[-INF, 0.0, 1.0], [-INF, 2.0, 1.0]])
    weight = tg.tensor([0.0, 1.0, 2.0])
    y = F.cross_entropy(x, tg.tensor([0, 1]), weight, reduction="sum", label_smoothing=smoothing)
    (dx,) = tg.autograd.grad(y, [x])
    rows = special.log_softmax(x.detach().numpy()[:, 1:].astype(float), axis=1)
    each = rows @ [1.0, 2.0]
    assert y.item() == pytest.approx(-(1 - smoothing) * rows[1, 0] - smoothing / 3 * each.sum(), rel=1e-5)
    assert np.isfinite(dx.numpy()).all()
    assert not dx.numpy()[:, 0].any()


def test_nll_of_a_class_of_weight_zero() -> None:
    x = _tensor([[-INF, 0.0]])
    y = F.nll_loss(x, tg.tensor([0]), tg.tensor([0.0, 1.0]), reduction="sum")
    assert y.item() == 0
    assert _slopes(x, y).tolist() == [[0.0, 0.0]]


def test_infinite_logits_that_are_right_or_wrong() -> None:
    x, t = _tensor([INF, -INF, INF, -INF]), tg.tensor([1.0, 0.0, 0.0, 1.0])
    for arguments in ({}, {"weight": tg.ones(4)}, {"pos_weight": tg.ones(4)}):
        y = F.binary_cross_entropy_with_logits(x, t, reduction="none", **arguments)  # type: ignore[arg-type]
        assert y.tolist() == [0.0, 0.0, INF, INF]
    assert _slopes(x, F.binary_cross_entropy_with_logits(x, t, reduction="none")).tolist() == [0.0, 0.0, 1.0, -1.0]
    assert math.isnan(F.binary_cross_entropy_with_logits(tg.tensor([math.nan]), tg.tensor([0.0])).item())


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_bce_at_certainty(dtype: Any) -> None:
    p, t = _tensor([0.0, 1.0, 0.0, 1.0], dtype), tg.tensor([0.0, 1.0, 1.0, 0.0], dtype=dtype)
    y = F.binary_cross_entropy(p, t, reduction="none")
    assert y.tolist() == [0.0, 0.0, 100.0, 100.0]
    wanted = np.array([0.0, 0.0, -1e12, 1e12])
    np.testing.assert_array_equal(np.isnan(_slopes(p, y).numpy()), np.isnan(wanted))
    assert _slopes(p, F.binary_cross_entropy(p, t, reduction="none"))[:2].tolist() == [0.0, 0.0]


def test_the_bend_of_bce_with_logits_at_zero() -> None:
    x = _tensor([0.0, -0.0, 3.0, -3.0], tg.float64)
    y = F.binary_cross_entropy_with_logits(x, tg.tensor([1.0, 0.0, 0.3, 0.3], dtype=tg.float64), reduction="sum")
    (slope,) = tg.autograd.grad(y, [x], create_graph=True)
    (bend,) = tg.autograd.grad(slope.sum(), [x])
    points = x.detach().numpy()
    np.testing.assert_allclose(bend.numpy(), special.expit(points) * special.expit(-points), rtol=1e-12)


def test_no_activation_and_no_loss_is_left_out() -> None:
    """Every public function of the two families is in a table of this folder, which float16 goes through as well."""
    from tests.ops.table import families

    names = {case.name.partition("-")[0] for cases in families().cases.values() for case in cases}
    assert {*activation.__all__, *loss.__all__} - names <= {"dropout"}
