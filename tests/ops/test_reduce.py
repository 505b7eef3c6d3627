"""Reductions beyond the table: ties, infinities, nan, nothing to reduce, dtypes, and the errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad.errors import ArgumentError, BoundsError, DTypeError

INF, NAN = math.inf, math.nan


def leaf(values: Any, dtype: Any = tg.float64) -> tg.Tensor:
    return tg.tensor(values, dtype=dtype, requires_grad=True)


def gradient(function: Callable[[tg.Tensor], tg.Tensor], x: tg.Tensor) -> list[Any]:
    (found,) = tg.autograd.grad(function(x).sum(), x)
    values: list[Any] = found.tolist()
    return values


# ---------------------------------------------------------------------- extremes
@pytest.mark.parametrize("function", [tg.amax, lambda x: tg.max(x), lambda x: tg.amax(x, (0, 1))])
def test_equals_share_the_gradient_evenly(function: Callable[[tg.Tensor], tg.Tensor]) -> None:
    assert gradient(function, leaf([[1, 4, 4], [4, 0, 4]])) == [[0, 0.25, 0.25], [0.25, 0, 0.25]]


def test_equals_share_within_their_row() -> None:
    assert gradient(lambda x: tg.amin(x, 1), leaf([[1, 1, 4], [2, 3, 2]])) == [[0.5, 0.5, 0], [0.5, 0, 0.5]]


def test_along_a_dimension_the_first_of_equals_gets_all() -> None:
    x = leaf([[1, 4, 4], [4, 0, 4]])
    assert tg.max(x, 1).indices.tolist() == [1, 0]
    assert gradient(lambda x: tg.max(x, 1).values, x) == [[0, 1, 0], [1, 0, 0]]
    assert gradient(lambda x: tg.min(x, 0)[0], leaf([[1, 2], [1, 0]])) == [[1, 0], [0, 1]]


def test_nan_is_the_greatest_and_the_least() -> None:
    x = tg.tensor([1.0, NAN, INF])
    assert math.isnan(tg.amax(x).item())
    assert math.isnan(tg.min(x).item())
    assert tg.argmax(x).item() == tg.argmin(x).item() == 1


@pytest.mark.parametrize("name", ["amax", "amin", "max", "min", "argmax", "argmin"])
def test_nothing_has_no_extreme(name: str) -> None:
    function = getattr(tg, name)
    with pytest.raises(ArgumentError, match=rf"^{name}: .* dim 1 of shape \(3, 0\) is empty"):
        function(tg.zeros(3, 0))
    with pytest.raises(ArgumentError, match=f"^{name}: "):
        function(tg.zeros(3, 0), 1)
    kept = function(tg.zeros(3, 0), 0)
    assert (kept if isinstance(kept, tg.Tensor) else kept.values).shape == (0,)


# ---------------------------------------------------------------------- logsumexp, norms, spread
def test_logsumexp_of_infinities() -> None:
    x = leaf([[-INF, -INF], [-INF, 2], [INF, 1]])
    assert tg.logsumexp(x, 1).tolist() == [-INF, 2, INF]
    assert gradient(lambda x: tg.logsumexp(x[:2], 1), x)[:2] == [[0, 0], [0, 1]]
    assert math.isnan(tg.logsumexp(tg.tensor([NAN, 1.0])).item())


def test_logsumexp_of_nothing_is_minus_infinity() -> None:
    assert tg.logsumexp(tg.zeros(2, 0), 1).tolist() == [-INF, -INF]
    assert tg.logsumexp(tg.zeros(0, 2), 1).shape == (0,)


def test_logsumexp_takes_integers() -> None:
    result = tg.logsumexp(tg.tensor([1, 2, 3]))
    assert result.dtype == tg.float32
    assert result.item() == pytest.approx(special.logsumexp([1, 2, 3]))


@pytest.mark.parametrize("p", [2, 1, 3, 1.5, 0.5, INF, -INF, 0, "fro"])
def test_the_gradient_of_a_norm_at_zero_is_zero(p: float | str) -> None:
    assert gradient(lambda x: tg.norm(x, p, dim=1), leaf([[0, 0], [0, 0]])) == [[0, 0], [0, 0]]


def test_zeros_beside_others_take_no_gradient_of_a_norm() -> None:
    for p in (2, 3, 1.5, 0.5):
        found = gradient(lambda x, p=p: tg.norm(x, p), leaf([0, 3]))  # type: ignore[misc]
        assert found == pytest.approx([0, 1])


def test_the_norm_of_float16_does_not_overflow_on_the_way() -> None:
    x = leaf([300, 400], tg.float16)
    assert tg.norm(x).item() == 500
    assert tg.norm(x).dtype == tg.float16


def test_a_spread_of_nothing_has_no_gradient_and_one_element_no_variance() -> None:
    assert gradient(lambda x: tg.std(x), leaf([2, 2, 2])) == [0, 0, 0]
    assert math.isnan(tg.var(tg.tensor([1.0])).item())
    assert tg.var(tg.tensor([1.0]), correction=0).item() == 0


def test_a_large_mean_does_not_drown_the_variance() -> None:
    values = np.random.default_rng(0).standard_normal(1000)
    x = tg.tensor((values + 4096).astype(np.float32))
    assert tg.var(x).item() == pytest.approx(np.var(x.numpy().astype(np.float64), ddof=1), rel=1e-5)


def test_unbiased_is_another_way_to_say_correction() -> None:
    x = tg.tensor([[1.0, 2.0, 4.0], [1.0, 3.0, 9.0]])
    for function in (tg.var, tg.std):
        plain = function(x, 1, correction=0).tolist()
        assert function(x, 1, unbiased=False).tolist() == function(x, 1, False).tolist() == plain
        assert function(x, False).item() == function(x, correction=0).item()
        with pytest.raises(ArgumentError, match=r"expected unbiased or correction, got both"):
            function(x, 1, unbiased=True, correction=1)


def test_a_spread_comes_with_the_mean() -> None:
    x = tg.tensor([[1.0, 2.0, 4.0], [1.0, 3.0, 9.0]], dtype=tg.float64)
    for both, alone in ((tg.var_mean, tg.var), (tg.std_mean, tg.std)):
        ways: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
            ((), {}),
            ((1,), {}),
            ((False,), {}),
            ((1, False), {}),
            ((1, False, True), {}),
            (((0, 1),), {"correction": 0, "keepdim": True}),
            ((), {"dim": 0, "unbiased": True}),
            ((), {"axis": 0, "keepdims": True}),
        ]
        for arguments, options in ways:
            result = both(x, *arguments, **options)
            assert type(result) is tuple
            spread = alone(x, *arguments, **options)
            assert result[0].tolist() == spread.tolist()
            dim = None if arguments[:1] == (False,) else arguments[0] if arguments else options.get("dim", None)
            mean = tg.mean(x, options.get("axis", dim), keepdim=spread.ndim == 2)
            assert result[1].tolist() == mean.tolist()
        with pytest.raises(ArgumentError, match=rf"^{both.__name__}: expected unbiased or correction, got both"):
            both(x, 1, unbiased=True, correction=1)
        with pytest.raises(DTypeError, match=rf"^{both.__name__}: expected a floating tensor, got int64"):
            both(tg.tensor([1, 2]))
        with pytest.raises(BoundsError, match=rf"^{both.__name__}: dim must be in"):
            both(x, 2)


def test_a_spread_with_its_mean_where_there_is_little_to_spread() -> None:
    std, mean = tg.std_mean(leaf([2, 2, 2]))
    assert (std.item(), mean.item()) == (0, 2)
    assert gradient(lambda x: tg.std_mean(x)[0], leaf([2, 2, 2])) == [0, 0, 0]
    assert gradient(lambda x: tg.add(*tg.std_mean(x)), leaf([2, 2, 2, 2])) == [0.25] * 4
    var, mean = tg.var_mean(tg.tensor([3.0]))
    assert math.isnan(var.item())
    assert mean.item() == 3
    assert all(math.isnan(t.item()) for t in (*tg.var_mean(tg.zeros(0)), *tg.std_mean(tg.zeros(0))))
    assert tg.var_mean(tg.tensor(3.0), correction=0)[0].item() == 0


def test_float16_is_spread_in_float32() -> None:
    x = tg.tensor([300.0, -300.0] * 4, dtype=tg.float16)  # squares of 90000 are no float16
    std, mean = tg.std_mean(x * 0.5, correction=0)
    assert (std.dtype, mean.dtype) == (tg.float16, tg.float16)
    assert (std.item(), mean.item()) == (150, 0)


def test_variances_and_means_may_be_written_and_deviations_may_not() -> None:
    x = leaf([1, 2, 4])
    var, mean = tg.var_mean(x)
    var += 1
    mean *= 2
    (var + mean).backward()
    assert x.grad is not None
    assert x.grad.tolist() == pytest.approx([(v - 7 / 3) + 2 / 3 for v in (1, 2, 4)])
    std, mean = tg.std_mean(x)
    mean *= 2
    (std + mean).backward()
    std, mean = tg.std_mean(x)
    std += 1
    with pytest.raises(tg.GraphError, match="std_mean needs a value that was changed in place by"):
        std.backward()


# ---------------------------------------------------------------------- products
def test_products_with_zeros_have_right_derivatives_of_every_order() -> None:
    """d3/dx dy dz of x*y*z*w is w, also where all of x, y, z are 0."""
    x = leaf([0, 0, 0, 5])
    (first,) = tg.autograd.grad(tg.prod(x), x, create_graph=True)
    (second,) = tg.autograd.grad(first[0], x, create_graph=True)
    (third,) = tg.autograd.grad(second[1], x)
    assert first.tolist() == [0, 0, 0, 0]
    assert second.tolist() == [0, 0, 0, 0]
    assert third.tolist() == [0, 0, 5, 0]


# ---------------------------------------------------------------------- nothing to reduce, dtypes
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32])
def test_reductions_of_nothing_do_not_warn(dtype: Any) -> None:
    x = tg.zeros(0, dtype=dtype, requires_grad=True)
    assert tg.sum(x).item() == 0
    assert tg.prod(x).item() == 1
    assert all(math.isnan(f(x).item()) for f in (tg.mean, tg.var, tg.std))
    for function in (tg.sum, tg.prod, tg.mean, tg.var, tg.std, tg.norm, tg.logsumexp):
        function(x).backward()
    assert x.grad is not None
    assert x.grad.shape == (0,)


@pytest.mark.parametrize("dtype", [tg.bool, tg.uint8, tg.int8, tg.int32, tg.int64])
def test_integers_sum_to_int64(dtype: Any) -> None:
    x = tg.tensor([[1, 0], [1, 1]], dtype=dtype)
    for function in (tg.sum, tg.prod, lambda x: tg.cumsum(x, 0), lambda x: tg.sum(x, 1), tg.count_nonzero):
        assert function(x).dtype == tg.int64
    assert tg.sum(x).item() == tg.count_nonzero(x).item() == 3
    assert tg.sum(tg.tensor([200, 100], dtype=tg.uint8)).item() == 300


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32])
def test_a_float_stays_what_it_is_in_value_and_gradient(dtype: Any) -> None:
    for name in ("sum", "prod", "mean", "var", "std", "amax", "amin", "max", "logsumexp", "norm"):
        x = leaf([[0.5, 1.5], [2.5, 3.5]], dtype)
        for result in (getattr(tg, name)(x), getattr(tg, name)(x, dim=1)):
            value = result if isinstance(result, tg.Tensor) else result.values
            (found,) = tg.autograd.grad(value.sum(), x)
            assert value.dtype == found.dtype == dtype, name


def test_float16_is_accumulated_in_float32() -> None:
    ones = tg.ones(5000, dtype=tg.float16)
    assert tg.sum(ones).item() == 5000  # in float16 the sum stops growing at 2048
    assert tg.cumsum(ones, 0)[-1].item() == 5000
    assert tg.mean(tg.full((100_000,), 2.0, dtype=tg.float16)).item() == 2  # the sum, 200000, is not a float16


def test_dtype_converts_first() -> None:
    x = tg.tensor([1, 2])
    assert tg.sum(x, dtype=tg.float32).dtype == tg.float32
    assert tg.mean(x, dtype=tg.float64).item() == 1.5
    assert tg.norm(tg.tensor([3, 4]), dtype=tg.float32).item() == 5


@pytest.mark.parametrize("name", ["mean", "var", "std", "norm"])
def test_a_mean_of_integers_must_be_asked_for(name: str) -> None:
    with pytest.raises(DTypeError, match=rf"^{name}: expected a floating tensor, got int64; convert it"):
        getattr(tg, name)(tg.tensor([1, 2]))


# ---------------------------------------------------------------------- dims
@pytest.mark.parametrize("name", ["sum", "mean", "var", "amax", "any", "logsumexp", "argmax", "max", "cumsum"])
def test_a_dim_out_of_range_is_named(name: str) -> None:
    function = getattr(tg, name)
    for dim in (2, -3):
        with pytest.raises(BoundsError, match=rf"^{name}: dim must be in \[-2, 1\] .* 2 dimensions, got {dim}"):
            function(tg.zeros(2, 3), dim)
    with pytest.raises(BoundsError, match=rf"^{name}: dim must be in \[-1, 0\]"):
        function(tg.tensor(1.0), 1)


def test_dims_are_integers_and_named_once() -> None:
    with pytest.raises(ArgumentError, match=r"^sum: each dimension may be named once, got dim=\(0, -2\)"):
        tg.sum(tg.zeros(2, 3), (0, -2))
    with pytest.raises(DTypeError, match=r"^sum: dim must be an integer or a tuple of integers, got 1\.5"):
        tg.sum(tg.zeros(2, 3), 1.5)  # type: ignore[arg-type]


def test_no_dims_are_all_dims() -> None:
    assert tg.sum(tg.ones(2, 3), ()).item() == 6
    assert tg.sum(tg.ones(2, 3), [0, 1], keepdim=True).shape == (1, 1)
    assert tg.sum(tg.ones(2, 3), np.int64(1)).shape == (2,)  # type: ignore[arg-type]


def test_norm_names_the_orders_it_knows() -> None:
    with pytest.raises(ArgumentError, match=r"^norm: p must be a number, inf, -inf, \"fro\" or \"nuc\", got 'max'"):
        tg.norm(tg.zeros(2), "max")


def test_numpys_names_are_taken_too() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.sum(axis=1, keepdims=True).tolist() == [[3.0], [7.0]]  # type: ignore[call-arg]
    assert x.max(axis=0).values.tolist() == [3.0, 4.0]  # type: ignore[call-arg]
    assert tg.cat([x, x], axis=1).shape == (2, 4)  # type: ignore[call-arg]
    assert np.sum(x).item() == 10.0
    assert np.mean(x, axis=0).tolist() == [2.0, 3.0]
    with pytest.raises(tg.ArgumentError, match="sum: out= is not taken"):
        np.sum(x, out=np.zeros(()))
