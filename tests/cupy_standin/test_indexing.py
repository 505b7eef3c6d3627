"""Indexing where CuPy differs: wrapping, duplicates, scatters; and NumPy's shapes everywhere."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

KEYS = [
    (0,),
    (-1,),
    (slice(1, None), None, ...),
    (..., -1),
    (slice(None, None, -1),),
    (np.array([0, 2, 1]),),
    (slice(None), np.array([[0], [-1]])),
    (np.array([0, 1]), np.array([2, 0])),
    (np.array([0, 1]), slice(None), np.array([1, 2])),
    (0, np.array([1, 2])),
    (np.array([[True, False, True, True], [False, True, False, False], [True] * 4]),),
    (np.array(1),),
]


def device_key(cupy: Any, key: Any) -> Any:
    return tuple(cupy.asarray(k) if isinstance(k, np.ndarray) else k for k in key)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_shapes_and_values_are_numpys(cupy: Any, key: Any) -> None:
    x = np.arange(60.0).reshape(3, 4, 5)
    found = cupy.asarray(x)[device_key(cupy, key)]
    assert found.shape == x[key].shape
    np.testing.assert_array_equal(found.get(), x[key])
    y, device_y = x.copy(), cupy.asarray(x)
    y[key] = -y[key]
    device_y[device_key(cupy, key)] = -found
    np.testing.assert_array_equal(device_y.get(), y)


def test_indices_out_of_range_wrap(cupy: Any) -> None:
    x = cupy.arange(3)
    assert x[[1, 3, -4, 100]].get().tolist() == [1, 0, 2, 1]
    assert cupy.take(x, cupy.asarray([3, -4])).get().tolist() == [0, 2]
    assert cupy.take_along_axis(x, cupy.asarray([4]), 0).get().tolist() == [1]
    x[[1, 3]] = 10
    assert x.get().tolist() == [10, 10, 2]
    with pytest.raises(IndexError, match="out of bounds"):
        x[3]
    with pytest.raises(IndexError, match="empty axes"):
        cupy.take(cupy.zeros(0), cupy.asarray([0]))


def test_anyone_may_win_among_duplicates(cupy: Any) -> None:
    winners = set()
    for _ in range(40):
        x = cupy.zeros(2)
        x[cupy.asarray([0] * 4)] = cupy.arange(4.0)
        winners.add(float(x[0]))
        assert float(x[1]) == 0
    assert len(winners) > 1
    y = cupy.zeros((1, 1))
    cupy.put_along_axis(y, cupy.zeros((1, 9), "int64"), cupy.arange(9.0).reshape(1, 9), 1)
    assert 0 <= float(y[0, 0]) < 9


@pytest.mark.parametrize("contiguous", [True, False])
def test_scatters_count_every_duplicate(cupy: Any, contiguous: bool) -> None:
    cupyx = importlib.import_module("cupyx")
    indices = np.array([0, 2, 2, 5, -1])
    expected = np.zeros((3, 4), np.float32)
    np.add.at(expected, indices % 3, np.arange(1, 6, dtype=np.float32)[:, None])
    for add in (cupy.add.at, cupyx.scatter_add):
        x = cupy.zeros((3, 4), "float32") if contiguous else cupy.zeros((4, 3), "float32").T
        add(x, cupy.asarray(indices), cupy.arange(1, 6, dtype="float32")[:, None])
        np.testing.assert_array_equal(x.get(), expected)


@pytest.mark.parametrize(
    ("ufunc", "good", "bad"),
    [
        ("add", "float16", "int8"),
        ("add", "int64", "bool"),
        ("subtract", "int32", "float32"),
        ("maximum", "float64", "float16"),
        ("bitwise_or", "uint32", "int16"),
    ],
)
def test_scatters_have_few_dtypes(cupy: Any, ufunc: str, good: str, bad: str) -> None:
    at = getattr(cupy, ufunc).at
    x = cupy.ones(3, good)
    at(x, cupy.asarray([1, 1]), 1)
    expected = np.ones(3, good)
    getattr(np, ufunc).at(expected, [1, 1], np.ones(2, good))
    np.testing.assert_array_equal(x.get(), expected)
    with pytest.raises(TypeError, match="only supports"):
        at(cupy.ones(3, bad), cupy.asarray([1]), 1)


def test_other_ufuncs_do_not_scatter(cupy: Any) -> None:
    with pytest.raises(NotImplementedError, match="multiply"):
        cupy.multiply.at(cupy.ones(2), cupy.asarray([0]), 2)


def test_take_checks_its_out(cupy: Any) -> None:
    x = cupy.ones(3)
    with pytest.raises(TypeError, match="dtype mismatch"):
        cupy.take(x, cupy.asarray([0]), out=cupy.zeros(1, "float32"))
    with pytest.raises(ValueError, match="shape mismatch"):
        cupy.take(x, cupy.asarray([0]), out=cupy.zeros(2))


@pytest.mark.parametrize("key", [[0.5], "a", 1.5, np.zeros(2), (Ellipsis, Ellipsis)], ids=str)
def test_other_keys_are_refused(cupy: Any, key: Any) -> None:
    with pytest.raises(IndexError):
        cupy.arange(3)[key]


def test_masks_must_fit(cupy: Any) -> None:
    with pytest.raises(IndexError):
        cupy.arange(3)[cupy.asarray([True, False])]
    with pytest.raises(IndexError, match="too many indices"):
        cupy.arange(3)[0, 0]
