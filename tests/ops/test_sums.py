"""Reductions and scans of many floats, over any dims and in any layout, as accurate as pairwise sums: on the CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.ops.sum_cases import LONG_SHAPES, REDUCTIONS, check_reduction, check_scan

DTYPES = [np.float16, np.float32, np.float64]
CPU = tg.device("cpu")


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("kind", ["counting", "positive", "mixed"])
@pytest.mark.parametrize("shape", LONG_SHAPES, ids=str)
def test_a_sum_over_any_dims(shape: tuple[int, ...], kind: str, dtype: Any) -> None:
    check_reduction(CPU, "sum", dtype, kind, shape)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("kind", ["counting", "positive", "mixed"])
@pytest.mark.parametrize("name", [n for n in REDUCTIONS if n != "sum"])
def test_what_is_made_of_sums(name: str, kind: str, dtype: Any) -> None:
    for shape in ((2000, 3), (3, 701, 2)):
        check_reduction(CPU, name, dtype, kind, shape)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("kind", ["counting", "positive", "mixed"])
@pytest.mark.parametrize("shape", LONG_SHAPES[:4], ids=str)
def test_running_sums_along_any_dim(shape: tuple[int, ...], kind: str, dtype: Any) -> None:
    check_scan(CPU, dtype, kind, shape)


# ---------------------------------------------------------------------- the numbers that were wrong
def test_a_variance_of_many_rows() -> None:
    values = np.random.default_rng(0).normal(1000, 1, (300_000, 2)).astype(np.float32)
    assert tg.from_numpy(values).var(0).tolist() == pytest.approx(values.astype(np.float64).var(0, ddof=1), rel=1e-6)


def test_more_than_float32_counts_to() -> None:
    assert tg.ones(17_000_000, 2).sum(0).tolist() == [17_000_000, 17_000_000]
    assert tg.ones(1, 2).expand(17_000_000, 2).sum(0).tolist() == [17_000_000, 17_000_000]
    assert tg.ones(2, 17_000_000).t()[:, 1].sum().item() == 17_000_000
    assert tg.ones(1).expand(17_000_000).cumsum(0)[-1].item() == 17_000_000


def test_the_last_of_running_sums() -> None:
    assert tg.full((100_000,), 0.1).cumsum(0)[-1].item() == pytest.approx(10_000, rel=1e-7)
    assert tg.full((100_000, 2), 0.1).cumsum(0)[-1].tolist() == pytest.approx([10_000] * 2, rel=1e-7)
    x = tg.full((100_000,), 0.1, requires_grad=True)
    (x.cumsum(0) * 0.1).sum().backward()  # element i went into 100000 - i of the sums
    assert x.grad is not None
    assert x.grad[0].item() == pytest.approx(10_000, rel=1e-6)


ROWS = 1_000_000


def _gradients() -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).uniform(0, 1, (ROWS, 3)).astype(np.float32)


def _by_linear(g: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
    return F.linear(tg.zeros(ROWS, 2), tg.zeros(3, 2), b) * g


def _by_linear_act(g: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
    return F.linear_act(tg.zeros(ROWS, 2), tg.zeros(3, 2), b, "relu") * g


@pytest.mark.parametrize(
    "layer",
    [_by_linear, _by_linear_act, lambda g, b: b * g, lambda g, b: (b + g) * g, lambda g, b: b.expand(ROWS, 3) * g],
    ids=["linear", "linear_act", "mul", "add", "expand"],
)
def test_the_gradient_of_what_was_broadcast_over_many_rows(layer: Any) -> None:
    g, bias = _gradients(), tg.ones(3, requires_grad=True)
    layer(tg.from_numpy(g), bias).sum().backward()
    expected = g.astype(np.float64).sum(0)
    assert bias.grad is not None
    assert bias.grad.tolist() == pytest.approx(expected, rel=3e-7)


def test_softmax_over_many() -> None:
    x = np.random.default_rng(2).standard_normal((100_000, 3)).astype(np.float32)
    wide = x.astype(np.float64)
    expected = np.exp(wide - wide.max(0)) / np.exp(wide - wide.max(0)).sum(0)
    for found in (F.softmax(tg.from_numpy(x), 0), F.softmax(tg.from_numpy(x.T.copy()), 1).t()):
        np.testing.assert_allclose(found.numpy(), expected, rtol=2e-6)
    for found in (F.log_softmax(tg.from_numpy(x), 0), F.log_softmax(tg.from_numpy(x.T.copy()), 1).t()):
        np.testing.assert_allclose(found.numpy(), np.log(expected), rtol=1e-6)


@pytest.mark.parametrize("classes", [1000, 1024, 1025, 5000, 70_001])
@pytest.mark.parametrize("rows", [1, 2, 3, 8])
def test_cross_entropy_of_many_classes(rows: int, classes: int) -> None:
    """Equal logits, of which the first is greater by so much that the others are half an ulp of it each."""
    x = np.zeros((rows, classes), np.float32)
    x[:, 0] = -math.log(float(np.finfo(np.float32).eps) / 2)
    found = F.cross_entropy(tg.from_numpy(x), tg.zeros(rows, dtype=tg.int64), reduction="none")
    wide = x.astype(np.float64)
    expected = np.log(np.exp(wide).sum(1)) - wide[:, 0]
    np.testing.assert_allclose(found.numpy(), expected, atol=150 * float(np.finfo(np.float32).eps))


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss])
def test_the_mean_of_many_losses(loss: Any) -> None:
    x = np.random.default_rng(3).exponential(size=(2, 400_000)).astype(np.float32)
    inputs = tg.from_numpy(x).t()  # a sum over memory in another order
    zeros = tg.zeros(400_000, 2)
    wide = loss(inputs.double(), zeros.double(), reduction="none").numpy()
    assert loss(inputs, zeros).item() == pytest.approx(wide.mean(), rel=3e-7)


def test_infinities_and_nan_pass_through_long_sums() -> None:
    x = tg.ones(1000, 4)
    x[500, 0], x[700, 1], x[10, 2], x[990, 2] = math.inf, math.nan, math.inf, -math.inf
    for found in (x.sum(0), x.double().sum(0), x.t().contiguous().sum(1), x[:, :].half().sum(0), x.cumsum(0)[-1]):
        values = found.tolist()
        assert values[0] == math.inf
        assert math.isnan(values[1])
        assert math.isnan(values[2])
        assert values[3] == 1000


def test_a_sum_over_a_stretched_dim_is_a_product() -> None:
    x = tg.tensor([[0.1], [0.3]], dtype=tg.float64).expand(2, 100_001)
    assert x.sum(1).tolist() == [0.1 * 100_001, 0.3 * 100_001]
    assert x.t().sum(0).tolist() == [0.1 * 100_001, 0.3 * 100_001]
    assert x.sum().item() == pytest.approx(0.4 * 100_001, rel=1e-15)


def test_the_order_of_dims_in_memory_changes_no_bit_between_new_memory_and_out() -> None:
    """NumPy adds in an order that depends on how `out` lies; a replay is given one in C order."""
    backend: Any = CPU.backend
    x = np.random.default_rng(4).standard_normal((20, 30, 40)).astype(np.float32).transpose(2, 0, 1)
    for axis in (0, 1, 2, (0, 1), (0, 2), (1, 2), None):
        for name in ("sum", "mean", "prod"):
            found = getattr(backend, name)(x, axis=axis)
            for out in (np.empty(found.shape, np.float32), np.empty(found.shape, np.float32, "F")):
                assert getattr(backend, name)(x, axis=axis, out=out).tobytes() == found.tobytes()


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32], ids=str)
def test_many_that_are_added_to_a_few_places(dtype: Any) -> None:
    """A histogram: the first number is so large that an addend by itself would be lost beside it."""
    places, times = 3, 3000
    start = 2.0 / float(np.finfo(dtype).eps)
    where = tg.arange(places).repeat(times)
    ones = tg.ones(places * times, dtype=dtype)
    expected = tg.full((places,), start, dtype=tg.float64).add(times).to(dtype).tolist()
    found = [tg.full((places,), start, dtype=dtype) for _ in range(4)]
    found[0].index_add_(0, where, ones)
    found[1].scatter_add_(0, where, ones)
    found[2].index_put_((where,), ones, accumulate=True)
    found[3].requires_grad_()
    found[3].grad = tg.full((places,), start, dtype=dtype)
    (found[3][where] * ones).sum().backward()
    assert [x.tolist() for x in found[:3]] == [expected] * 3
    assert found[3].grad.tolist() == expected


def test_what_float16_adds_to_one_place_is_rounded_once() -> None:
    """In every way to scatter, also into memory with gaps."""
    values = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float16)
    rows = tg.tensor([0, 1] * 20)
    expected = np.stack([values[0::2].astype(np.float64).sum(0), values[1::2].astype(np.float64).sum(0)])
    x = tg.zeros(2, 3, dtype=tg.float16)
    found = [
        x.index_add(0, rows, tg.tensor(values)),
        x.scatter_add(0, rows[:, None].expand(40, 3), tg.tensor(values)),
        x.index_put((rows,), tg.tensor(values), accumulate=True),
        tg.zeros(3, 2, dtype=tg.float16).t().index_add_(0, rows, tg.tensor(values)),
    ]
    leaf = tg.zeros(2, 3, dtype=tg.float16, requires_grad=True)
    leaf[rows].backward(tg.tensor(values))
    assert leaf.grad is not None
    for result in (*found, leaf.grad):
        np.testing.assert_array_equal(result.numpy(), expected.astype(np.float16))
