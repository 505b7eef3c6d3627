"""How CuPy lays out what a reduction or a running sum gives, and what it does to `out`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

SUMS = ["sum", "prod", "max", "min"]
POSITIONS = ["argmax", "argmin"]


def fortran(cupy: Any, dtype: str, rows: int) -> Any:
    """An array of shape (rows, 3, 2), column after column."""
    x = cupy.asarray(np.asfortranarray(np.ones((rows, 3, 2), dtype)))
    assert x.flags.f_contiguous
    assert not x.flags.c_contiguous
    return x


@pytest.mark.parametrize("name", SUMS)
def test_cub_leaves_the_order_as_it_is(cupy: Any, name: str) -> None:
    reduce = getattr(cupy, name)
    x = fortran(cupy, "float32", 2)
    for result in (reduce(x, 0), reduce(x, 0, keepdims=True)):
        assert not result.flags.c_contiguous
        assert result.flags.f_contiguous
        assert result.base is None
    assert reduce(x, (0, 1)).flags.c_contiguous
    assert reduce(x, 1).flags.c_contiguous  # not the nearest dimension
    assert reduce(x.copy(), 0).flags.c_contiguous
    assert reduce(x[::2], 0).flags.c_contiguous  # with gaps


@pytest.mark.parametrize(("name", "dtype"), [("any", "float32"), ("all", "bool"), ("argmax", "int64"), ("max", "bool")])
def test_the_kernel_for_blocks_does_so_with_many_elements(cupy: Any, name: str, dtype: str) -> None:
    reduce = getattr(cupy, name)
    assert reduce(fortran(cupy, dtype, 127), 0).flags.c_contiguous
    assert not reduce(fortran(cupy, dtype, 128), 0).flags.c_contiguous


@pytest.mark.parametrize(("name", "dtype"), [("any", "float32"), ("all", "bool"), ("argmax", "int64"), ("max", "bool")])
def test_it_would_give_out_other_strides(cupy: Any, name: str, dtype: str) -> None:
    reduce, x = getattr(cupy, name), fortran(cupy, dtype, 128)
    right = reduce(x, 0)
    with pytest.raises(RuntimeError, match="CuPy would write into `out` as if it were in Fortran's order"):
        reduce(x, 0, out=cupy.empty(right.shape, right.dtype))
    assert reduce(x, 0, out=right) is right
    few = cupy.empty(right.shape, right.dtype)
    assert reduce(fortran(cupy, dtype, 127), 0, out=few) is few


def test_sums_are_copied_into_out(cupy: Any) -> None:
    out = cupy.empty((3, 2), "float32")
    assert cupy.sum(fortran(cupy, "float32", 200), 0, out=out) is out
    assert out.flags.c_contiguous
    assert out.get().tolist() == [[200, 200]] * 3


@pytest.mark.parametrize("name", [*SUMS, *POSITIONS])
def test_what_is_one_number_may_be_a_view(cupy: Any, name: str) -> None:
    reduce, x = getattr(cupy, name), cupy.ones((2, 3), "float32")
    assert (reduce(x).base is None) == (name in SUMS)
    kept = reduce(x, keepdims=True)
    assert kept.shape == (1, 1)
    assert kept.base is not None
    assert reduce(x[:, ::2], keepdims=True).base is None  # not by CUB
    assert reduce(x > 0, keepdims=True).base is None


@pytest.mark.parametrize(("shape", "axis"), [((4,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), 2), ((2, 3, 4), 0)])
def test_a_running_sum_is_a_view_of_out(cupy: Any, shape: tuple[int, ...], axis: int) -> None:
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    x, out = cupy.asarray(values), cupy.empty(shape)
    result = cupy.cumsum(x, axis, out=out)
    assert result is not out
    assert result.base is out
    free = cupy.cumsum(x, axis)
    assert free.base is not None
    assert free.flags.c_contiguous
    for found in (result, out, free):
        np.testing.assert_array_equal(found.get(), np.cumsum(values, axis))


def test_a_running_sum_in_the_middle_is_done_in_a_copy(cupy: Any) -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    x, out = cupy.asarray(values), cupy.empty((2, 3, 4))
    assert cupy.cumsum(x, 1, out=out) is out
    free = cupy.cumsum(x, 1)
    assert free.base is not None
    assert not free.flags.c_contiguous
    gaps = cupy.empty((2, 3, 8))[:, :, ::2]
    assert cupy.cumsum(x, 2, out=gaps) is gaps
    for found in (out, free):
        np.testing.assert_array_equal(found.get(), np.cumsum(values, 1))
    np.testing.assert_array_equal(gaps.get(), np.cumsum(values, 2))
