"""Ranges, integer arithmetic, closeness, `alpha` and data of several kinds, over random arguments, against PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]


def _pair(values: Any, dtype: str) -> tuple[Any, Any]:
    """The same values here and in PyTorch."""
    array = np.asarray(values, dtype)
    return tg.tensor(array), torch.from_numpy(np.array(array))


def _assert_same(ours: Any, theirs: Any) -> None:
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert str(ours.tolist()) == str(theirs.tolist())  # the text shows the sign of a zero


# ---------------------------------------------------------------------- ranges
def _ranges(count: int) -> Iterator[tuple[str, Any, Any, Any]]:
    rng = np.random.default_rng(0)
    while count:
        dtype = str(rng.choice(INTEGERS))
        start, end = (float(rng.uniform(-25, 25)) if rng.integers(2) else int(rng.integers(-25, 25)) for _ in range(2))
        if dtype == "uint8":
            start, end = abs(start), abs(end)
        step = int(rng.integers(1, 5)) * (1 if end >= start else -1)
        count -= 1
        yield dtype, start, end, float(step) if rng.integers(2) else step


def test_ranges_of_integers_have_pytorchs_counts_and_casts() -> None:
    for dtype, start, end, step in _ranges(3000):
        ours = tg.arange(start, end, step, dtype=dtype)
        theirs = torch.arange(start, end, step, dtype=getattr(torch, dtype))
        assert ours.tolist() == theirs.tolist(), (dtype, start, end, step)


@pytest.mark.parametrize("dtype", FLOATS)
def test_ranges_of_floats(dtype: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        start, step = rng.uniform(-100, 100), rng.uniform(0.01, 3)
        end = start + rng.uniform(0, 300) * step
        ours = tg.arange(start, end, step, dtype=dtype).numpy()
        theirs = torch.arange(start, end, step, dtype=getattr(torch, dtype)).numpy()
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=4 * float(np.finfo(dtype).eps) * max(abs(start), abs(end))
        )


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
def test_spaces(dtype: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        start, end = (float(rng.integers(0, 100)) for _ in range(2))
        steps = int(rng.integers(1, 20))
        given = torch.tensor(start), torch.tensor(end, dtype=torch.float64)
        theirs = torch.linspace(*given, steps, dtype=getattr(torch, dtype)).double().numpy()
        ours = tg.linspace(tg.tensor(start), tg.tensor(end, dtype=tg.float64), steps, dtype=dtype).double().numpy()
        # A number on the edge of an integer may fall to either side.
        slack = 1.0 if dtype in INTEGERS else 400 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=slack)
        assert (ours[0], ours[-1]) == (theirs[0], theirs[-1])


# ---------------------------------------------------------------------- integers
@pytest.mark.parametrize("dtype", INTEGERS)
def test_divisions_of_integers(dtype: str) -> None:
    info = np.iinfo(dtype)
    special = [info.min, info.max, 0, 1, info.max // 2]
    rng = np.random.default_rng(3)
    x = np.array([*special * 3, *rng.integers(info.min, info.max, 200)], dtype)
    y = np.array([*np.repeat([1, 3, info.max], 5), *(rng.integers(info.min, info.max, 200) | 1)], dtype)
    (a, b), (c, d) = _pair(x, dtype), _pair(y, dtype)
    for mode in ("floor", "trunc"):
        _assert_same(tg.div(a, c, rounding_mode=mode), torch.div(b, d, rounding_mode=mode))
    _assert_same(a % c, b % d)
    _assert_same(a // 7, b // 7)
    _assert_same(a % -7, b % -7)
    _assert_same(100 // c, 100 // d)


@pytest.mark.parametrize("dtype", FLOATS)
def test_signs_of_zero(dtype: str) -> None:
    values = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 5.0, -5.0, np.inf, -np.inf, np.nan]
    x, y = (np.array(v, dtype) for v in zip(*product(values, values), strict=True))
    (a, b), (c, d) = _pair(x, dtype), _pair(y, dtype)
    _assert_same(a % c, b % d)
    _assert_same(a // c, b // d)
    _assert_same(tg.div(a, c, rounding_mode="trunc"), torch.div(b, d, rounding_mode="trunc"))
    for name in ("trunc", "round", "floor", "ceil", "abs", "neg", "sqrt", "square", "reciprocal"):
        _assert_same(getattr(a, name)(), getattr(b, name)())
    _assert_same(a % 2.5, b % 2.5)
    _assert_same(-5 % c, -5 % d)


# ---------------------------------------------------------------------- closeness
@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
def test_closeness(dtype: str) -> None:
    rng = np.random.default_rng(4)
    if dtype == "bool":
        x, y = rng.integers(0, 2, (2, 50)).astype(bool)
    elif dtype in INTEGERS:
        info = np.iinfo(dtype)
        low, high = (max(info.min, -(2**23)), min(info.max, 2**23))  # PyTorch compares in float32
        x, y = rng.integers(low, high, (2, 300)).astype(dtype)
        x[:4], y[:4] = [low, high, low, high], [high, low, low, high]
        y[50:150] = np.clip(x[50:150].astype(np.int64) + rng.integers(-3, 4, 100), low, high).astype(dtype)
    else:
        x = rng.choice([0.0, 1.5, -1.5, np.inf, -np.inf, np.nan, 6e4, -6e4], 400).astype(dtype)
        y = rng.permutation(x)
    (a, b), (c, d) = _pair(x, dtype), _pair(y, dtype)
    for rtol, atol, nan in product([0.0, 1e-5, 0.5, 1.0], [0.0, 1.0, 2.0, 300.0], [False, True]):
        if dtype == "bool" and atol == rtol == 0.5:
            continue
        _assert_same(tg.isclose(a, c, rtol, atol, nan), torch.isclose(b, d, rtol, atol, nan))


# ---------------------------------------------------------------------- alpha
@pytest.mark.parametrize(("left", "right"), [*product(DTYPES[1:], DTYPES)])
def test_alpha_is_applied_in_the_dtype_of_the_result(left: str, right: str) -> None:
    (a, b), (c, d) = _pair([1, 100], left), _pair([1, 0] if right == "bool" else [3, 100], right)
    for alpha in (3, -1, 0.5, 100):
        for name in ("add", "sub"):
            if name == "sub" and right == "bool":
                continue  # refused there
            try:
                theirs = getattr(b, name)(d, alpha=alpha)
            except RuntimeError:
                with pytest.raises(tg.ArgumentError, match=r"alpha|does not fit"):
                    getattr(a, name)(c, alpha=alpha)
                continue
            _assert_same(getattr(a, name)(c, alpha=alpha), theirs)
            if theirs.dtype == b.dtype:
                _assert_same(getattr(a.clone(), f"{name}_")(c, alpha=alpha), theirs)


# ---------------------------------------------------------------------- data
DATA: dict[str, Callable[[Any], Any]] = {
    "a float and an int": lambda m: [m.tensor(1.0), 2],
    "an int and a float": lambda m: [2, m.tensor(1.0)],
    "doubles": lambda m: [m.tensor(1.0, dtype=m.float64), 2],
    "halves": lambda m: [m.tensor(1.0, dtype=m.float16), 2, True],
    "integers and a float": lambda m: [m.tensor(1), 2.5],
    "two tensors": lambda m: [m.tensor(1), m.tensor(2.0)],
    "narrow integers": lambda m: [m.tensor(1, dtype=m.int8), m.tensor(2, dtype=m.int16)],
    "bools": lambda m: [m.tensor(True), False],
    "a bool and a tensor": lambda m: [True, m.tensor(2)],
    "nested": lambda m: [[m.tensor(1), 2.5], [True, m.tensor(3, dtype=m.int32)]],
    "numbers of NumPy": lambda m: [np.float64(1.5), m.tensor(2)],
}


@pytest.mark.parametrize("name", DATA)
def test_the_dtype_of_tensors_and_numbers_together(name: str) -> None:
    _assert_same(tg.tensor(DATA[name](tg)), torch.tensor(DATA[name](torch)))


@pytest.mark.parametrize("kind", [float, int, bool])
def test_pythons_types_are_dtypes(kind: type) -> None:
    _assert_same(tg.zeros(2, dtype=kind), torch.zeros(2, dtype=kind))
    _assert_same(tg.tensor([1, 0], dtype=kind), torch.tensor([1, 0], dtype=kind))


def test_sizes_and_data_of_the_class() -> None:
    for args in ((), (3,), (2, 3), (0,), (np.int64(2), 1)):
        assert tg.Tensor(*args).shape == tuple(torch.Tensor(*args).shape)
        assert str(tg.Tensor(*args).dtype) == str(torch.Tensor(*args).dtype).removeprefix("torch.")
    for data in ([1, 2], (2, 3), [], [[1], [2]], [True]):
        _assert_same(tg.Tensor(data), torch.Tensor(data))


# ---------------------------------------------------------------------- memory
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_result_shares_memory_where_pytorchs_does(dtype: str) -> None:
    names = ["abs", "neg", "sign", "floor", "ceil", "trunc", "round", "positive", "relu", "square", "t", "contiguous"]
    names += ["clone", "detach", "cpu", "float", "double", "long", "bool", "flatten", "squeeze", "sqrt", "reciprocal"]
    ours, theirs = _pair([1, 1, 0], dtype)
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = getattr(theirs, name)()
            except RuntimeError:
                continue  # not implemented for the dtype
        found = getattr(ours, name)()
        assert np.shares_memory(found.numpy(), ours.numpy()) == (expected.data_ptr() == theirs.data_ptr()), name
