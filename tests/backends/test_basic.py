"""Every basic primitive of the CPU backend: the values of NumPy's function, and the same into `out=`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad.backends import Backend, device
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.primitives import INDEX, TABLE, names
from tensorgrad.backends.primitives.basic import OwnPrimitives, UniformPrimitives
from tensorgrad.dtypes import float32, int64
from tensorgrad.errors import BoundsError

B = device("cpu").backend

RNG = np.random.default_rng(7)
X = RNG.uniform(0.2, 0.9, (3, 4)).astype(np.float32)
Y = RNG.uniform(0.2, 0.9, (3, 4)).astype(np.float32)
SIGNED = X - Y
N = RNG.integers(0, 5, (3, 4))
M = RNG.integers(1, 5, (3, 4))
TRUE = X > Y
I = np.array([2, 0])  # noqa: E741 - the index of the formulas
ALONG = np.array([[0, 1], [2, 0]])
KEY = (INDEX, slice(1, None))

# primitive: (arguments, keywords, what NumPy or SciPy says). None: no `out=`, tested apart below.
Call = tuple[tuple[Any, ...], dict[str, Any], Any]
CALLS: dict[str, Call] = {
    **{
        n: ((SIGNED,), {}, getattr(np, n)(SIGNED))
        for n in "negative absolute sign exp expm1 square sin cos tan tanh floor ceil trunc rint".split()
    },
    **{n: ((X,), {}, getattr(np, n)(X)) for n in "log log1p log2 log10 sqrt reciprocal isfinite isnan isinf".split()},
    "erf": ((SIGNED,), {}, special.erf(SIGNED)),
    "logical_not": ((TRUE,), {}, ~TRUE),
    "invert": ((N,), {}, ~N),
    **{
        n: ((X, Y), {}, getattr(np, n)(X, Y))
        for n in (
            "add subtract multiply divide power maximum minimum equal not_equal less less_equal greater greater_equal"
        ).split()
    },
    **{n: ((N, M), {}, getattr(np, n)(N, M)) for n in "floor_divide remainder left_shift right_shift".split()},
    **{n: ((N, M), {}, getattr(np, n)(N, M)) for n in "bitwise_and bitwise_or bitwise_xor".split()},
    **{n: ((TRUE, X > 0.5), {}, getattr(np, n)(TRUE, X > 0.5)) for n in "logical_and logical_or logical_xor".split()},
    **{n: ((X,), {"axis": 1}, getattr(np, n)(X, axis=1)) for n in "sum prod max min argmax argmin".split()},
    **{n: ((TRUE,), {"axis": 0}, getattr(np, n)(TRUE, axis=0)) for n in ("any", "all")},
    "matmul": ((X, Y.T), {}, X @ Y.T),
    "full": (((2, 3), 1.5, float32), {}, np.full((2, 3), 1.5, np.float32)),
    "arange": ((1, 7, 2, int64), {}, np.array([1, 3, 5])),
    "copy": ((X.T,), {}, X.T),
    "astype": ((X, np.dtype(np.float64)), {}, X.astype(np.float64)),
    "where": ((TRUE, X, Y), {}, np.where(TRUE, X, Y)),
    "concatenate": (([X, Y], 1), {}, np.hstack([X, Y])),
    "cumsum": ((X, 1), {}, np.cumsum(X, 1)),
    "argsort": ((X, 1), {}, np.argsort(X, 1)),
    "take": ((X, I, 0), {}, X[I]),
    "take_index": ((X, I), {"key": KEY}, X[I, 1:]),
    "take_along_axis": ((X, ALONG, 0), {}, np.take_along_axis(X[:, :2], ALONG, 0)),
}


def test_the_calls_are_complete() -> None:
    assert set(CALLS) == {name for name in names(basic=True) if TABLE[name].takes_out}


def test_the_stubs_are_the_table() -> None:
    stubs = {n for n, v in vars(OwnPrimitives).items() if callable(v) and not n.startswith("_")}
    assert stubs | set(UniformPrimitives.__annotations__) == set(names(basic=True))


@pytest.mark.parametrize("name", CALLS)
def test_value_and_out(name: str) -> None:
    arguments, keywords, expected = CALLS[name]
    result = getattr(B, name)(*arguments, **keywords)
    np.testing.assert_allclose(result, expected, rtol=2e-7)
    assert result.dtype == expected.dtype
    out = np.empty_like(result, order="C")
    out.fill(113)
    returned = getattr(B, name)(*arguments, **keywords, out=out)
    assert returned is out
    np.testing.assert_array_equal(out, result)


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum"])
def test_float16_is_accumulated_in_float32(name: str) -> None:
    many = np.full(5000, 1.0 if name != "prod" else 1.0009765625, np.float16)
    keywords = {} if name != "cumsum" else {"axis": 0}
    primitive = getattr(B, name)
    result = primitive(many, 0) if name == "cumsum" else primitive(many, **keywords)
    exact = getattr(np, name)(many.astype(np.float64))
    assert result.dtype == np.float16
    np.testing.assert_allclose(np.float64(result), np.float16(exact), rtol=1e-3)


@pytest.mark.parametrize("name", "exp expm1 log log1p sqrt reciprocal div pow floor_divide remainder add mul".split())
def test_no_warning_where_the_result_is_not_finite(name: str) -> None:
    """Warnings are errors here; NumPy's are silenced for calls from inside the package."""
    x = tg.tensor([0.0, -1.0, 3e38, -3e38])
    other = [] if name in "exp expm1 log log1p sqrt reciprocal" else [x if name in ("add", "mul") else x * 0]
    result = getattr(tg, name)(x, *other)
    assert result.dtype == tg.float32
    assert name == "pow" or not tg.isfinite(result).all()


def test_views_share_memory_and_say_so() -> None:
    x = X.copy()
    for view in (B.reshape(x, (4, 3)), B.transpose(x), B.getitem(x, (1,)), B.getitem(x, (1, 2)), B.getitem(x, ())):
        assert B.is_view(view, x)
        assert np.shares_memory(view, x)
        assert not B.owns(view)
    copied = B.reshaped(B.transpose(x), (12,))
    assert not B.is_view(copied, x)
    np.testing.assert_array_equal(copied, x.T.reshape(-1))
    assert B.is_view(B.reshaped(B.transpose(x), (4, 1, 3)), x)
    with pytest.raises(ValueError, match="without a copy"):
        B.reshape(B.transpose(x), (12,))
    assert B.getitem(x, (1, 2)).shape == ()


def test_put_index_sets_and_accumulates() -> None:
    x = np.zeros((3, 2), np.float32)
    B.put_index(x, np.float32(1), np.array([1, 1]), key=(INDEX,), accumulate=True)
    np.testing.assert_array_equal(x, [[0, 0], [2, 2], [0, 0]])
    B.put_index(x, np.float32(5), np.array([1, 1]), key=(INDEX, 0))
    np.testing.assert_array_equal(x, [[0, 0], [5, 2], [0, 0]])


def test_put_along_axis_sets_and_accumulates() -> None:
    x = np.zeros((2, 3))
    columns = np.array([[0, 0], [2, 1]])
    B.put_along_axis(x, columns, np.ones((2, 2)), 1, accumulate=True)
    np.testing.assert_array_equal(x, [[2, 0, 0], [0, 1, 1]])
    B.put_along_axis(x, columns, np.full((2, 2), 7.0), 1)
    np.testing.assert_array_equal(x, [[7, 0, 0], [0, 7, 7]])


def test_argsort_is_stable_in_both_directions_and_puts_nan_first_among_the_greatest() -> None:
    x = np.array([1.0, math.nan, 1.0, 0.0, 2.0])
    np.testing.assert_array_equal(B.argsort(x, 0), [3, 0, 2, 4, 1])
    np.testing.assert_array_equal(B.argsort(x, 0, descending=True), [1, 4, 0, 2, 3])


def test_check_bounds_names_the_first_offender() -> None:
    B.check_bounds(np.array([0, 2]), 0, 3, what="gather: index")
    B.check_bounds(np.zeros(0, np.int64), 0, 0, what="gather: index")
    with pytest.raises(BoundsError, match=r"gather: index must be in \[0, 3\), got 7 at position 2"):
        B.check_bounds(np.array([0, 2, 7, 9]), 0, 3, what="gather: index")
    with pytest.raises(BoundsError, match=r"got -1 at position \(0, 1\)"):
        B.check_bounds(np.array([[0, -1]]), 0, 3, what="gather: index")


def test_a_backend_that_lacks_a_primitive_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Forgetful lacks the basic primitives .*\bexp\b"):
        type("Forgetful", (Backend,), {})
    assert issubclass(CpuBackend, Backend)
