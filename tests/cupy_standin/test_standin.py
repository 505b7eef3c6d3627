"""What CuPy refuses, and what it does otherwise than NumPy: the stand-in does the same."""

from __future__ import annotations

import copy
import importlib
import operator
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from tests.cupy_standin.array import Gap

FLOATS = ["float16", "float32", "float64"]


def same(x: Any, expected: Any) -> None:
    """Equal in value, shape and dtype to a NumPy array."""
    expected = np.asarray(expected)
    assert (x.dtype, x.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(x.get(), expected)


def add_in_place(x: Any, y: Any) -> None:
    x += y


# ---------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "use",
    [
        np.asarray,
        np.array,
        np.exp,
        np.sum,
        np.concatenate,
        lambda x: np.add(x, 1),
        lambda x: np.zeros(3, np.float32) + x,
        lambda x: x + np.zeros(3, np.float32),
        lambda x: x + np.array(1.0),
        lambda x: x @ np.zeros(3, np.float32),
        lambda x: x < np.zeros(3, np.float32),
        lambda x: x.__iadd__(np.zeros(3, np.float32)),
        lambda x: add_in_place(np.zeros(3, np.float32), x),
        lambda x: x * [1, 2, 3],
        lambda x: x + "1",
        hash,
        operator.index,
        memoryview,
        lambda x: [0, 1, 2][x[0]],
    ],
)
def test_numpy_and_foreign_objects_are_refused(cupy: Any, use: Any) -> None:
    with pytest.raises(TypeError):
        use(cupy.ones(3, "float32"))


def test_the_message_of_a_mixed_operation_is_cupys(cupy: Any) -> None:
    with pytest.raises(TypeError, match=r"Unsupported type <class 'numpy.ndarray'>"):
        cupy.add(cupy.ones(2), np.ones(2))
    with pytest.raises(TypeError, match=r"Please use `.get\(\)`"):
        np.asarray(cupy.ones(2))


def test_numpy_scalars_are_accepted_and_are_not_weak(cupy: Any) -> None:
    x = cupy.ones(2, "float32")
    same(x + np.float64(2), np.full(2, 3.0))
    same(np.float64(2) + x, np.full(2, 3.0))
    same(np.float32(2) - x, np.ones(2, np.float32))
    same(np.float32(2) > x, [True, True])
    same(x > np.array(0.5), [True, True])  # of 0-d arrays CuPy's comparisons take the item


def test_assigning_host_arrays(cupy: Any) -> None:
    x = cupy.zeros(3, "float32")
    for key in (..., slice(None), slice(0, 2)):
        with pytest.raises(ValueError, match="non-scalar"):
            x[key] = np.ones(3, np.float32)
    x[...] = np.float32(2)
    same(x, np.full(3, 2, np.float32))
    x[np.array([0, 2])] = np.array([5.0, 6.0])  # copied to the device, as in CuPy
    same(x, np.array([5, 2, 6], np.float32))
    with pytest.raises(OverflowError):
        cupy.zeros(2, "uint8").fill(-1)


@pytest.mark.parametrize("name", ["vecdot", "unstack", "errstate", "erf", "nosuchthing"])
def test_what_cupy_lacks_is_missing(cupy: Any, name: str) -> None:
    assert not hasattr(cupy, name)
    with pytest.raises(AttributeError) as found:
        getattr(cupy, name)
    assert not isinstance(found.value, Gap)


@pytest.mark.parametrize("name", ["ElementwiseKernel", "ReductionKernel", "einsum", "fuse"])
def test_what_only_the_standin_lacks_says_so(cupy: Any, name: str) -> None:
    assert not hasattr(cupy, name)
    with pytest.raises(Gap, match=f"stand-in lacks cupy.{name}"):
        getattr(cupy, name)


def test_what_an_array_lacks(cupy: Any) -> None:
    x = cupy.eye(2)
    assert not any(hasattr(x, name) for name in "__index__ __imatmul__ __array_interface__ ctypes setflags".split())
    assert not hasattr(x.flags, "writeable")
    before = x
    x @= cupy.eye(2)
    assert x is not before  # rebound, as there is no __imatmul__
    with pytest.raises(Gap, match="stand-in lacks ndarray"):
        x.byteswap()


@pytest.mark.parametrize(
    "call",
    [
        lambda cp, x: cp.sum(x, where=x > 0),
        lambda cp, x: cp.sum(x, initial=0),
        lambda cp, x: x.max(initial=0),
        lambda cp, x: cp.take(x, 0, mode="clip"),
        lambda cp, x: cp.add(x, x, where=x > 0),
        lambda cp, x: cp.add(x, x, order="C"),
        lambda cp, x: cp.reshape(x, shape=(3, 1)),
        lambda cp, x: cp.array(x, like=x),
        lambda cp, x: cp.where(x > 0, x, x, out=x),
        lambda cp, x: cp.argsort(x, stable=True),
        lambda cp, x: x.astype("int32", casting="unsafe"),
        lambda cp, x: cp.broadcast_to(x, (2, 3), subok=True),
    ],
)
def test_parameters_that_cupy_lacks(cupy: Any, call: Any) -> None:
    with pytest.raises(TypeError):
        call(cupy, cupy.ones(3))


def test_random_numbers_are_refused(cupy: Any) -> None:
    with pytest.raises(RuntimeError, match="Philox"):
        cupy.random.default_rng(0)


@pytest.mark.parametrize("dtype", [object, "U3", "datetime64[s]", "longdouble"])
def test_dtypes_that_the_device_lacks(cupy: Any, dtype: Any) -> None:
    with pytest.raises(ValueError, match="Unsupported dtype"):
        cupy.zeros(2, dtype)


# ---------------------------------------------------------------------- results
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "all", "argmax", "argmin", "mean"])
def test_reductions_give_0d_arrays(cupy: Any, name: str) -> None:
    x = np.array([[1.0, 3.0], [2.0, 0.5]], np.float32)
    for result in (getattr(cupy, name)(cupy.asarray(x)), getattr(cupy.asarray(x), name)()):
        assert type(result) is cupy.ndarray
        same(result, getattr(np, name)(x))
    assert type(cupy.asarray(x)[0, 0]) is cupy.ndarray


def test_other_results_that_are_scalars_in_numpy(cupy: Any) -> None:
    x = cupy.ones(3)
    assert all(type(r) is cupy.ndarray for r in (cupy.count_nonzero(x), x @ x, cupy.dot(x, x), x[0], cupy.exp(x[0])))
    assert cupy.argmax(x).dtype == np.int64


def test_float16_sums_are_accumulated_in_float32(cupy: Any) -> None:
    x = np.full(4096, 1.0, np.float16)
    x[0] = 2048
    assert float(cupy.sum(cupy.asarray(x))) == 2048 + 4095 + 1  # to the nearest float16
    assert float(cupy.cumsum(cupy.asarray(x))[-1]) == 2048  # a running sum is rounded at every step


def test_sums_of_small_integers_are_int64(cupy: Any) -> None:
    same(cupy.ones(3, "int8").sum(), np.int64(3))
    same(cupy.ones(3, "uint8").sum(), np.uint64(3))
    same(cupy.ones(3, "bool").sum(), np.int64(3))
    same(cupy.ones(3, "float32").sum(dtype="float64"), np.float64(3))


def test_reductions_of_nothing(cupy: Any) -> None:
    same(cupy.zeros((0, 2)).sum(0), np.zeros(2))
    same(cupy.zeros((0, 2)).max(1), np.zeros(0))
    with pytest.raises(ValueError, match="no identity"):
        cupy.zeros((0, 2)).max(0)


def test_nan_is_the_greatest_and_the_least(cupy: Any) -> None:
    x = cupy.asarray([1.0, np.nan, 3.0])
    assert np.isnan(float(x.max()))
    assert np.isnan(float(x.min()))
    assert int(x.argmax()) == int(x.argmin()) == 1
    several = cupy.asarray([[np.nan, 5.0, np.nan], [np.nan, np.nan, 1.0]])
    for place in (cupy.argmax, cupy.argmin):  # any of them, and here the last
        same(place(several, 0), np.array([1, 1, 0]))
        same(place(several, 1), np.array([2, 1]))
        same(place(several), np.int64(4))


def test_argsort_is_stable_with_nan_last(cupy: Any) -> None:
    x = np.array([[2, np.nan, 1, 1], [0, 0, np.inf, -1]], np.float32)
    same(cupy.argsort(cupy.asarray(x)), np.argsort(x, kind="stable"))
    along = cupy.argsort(cupy.asarray(x), axis=0)
    same(along, np.argsort(x, 0, kind="stable"))
    assert not along.flags.c_contiguous
    same(cupy.argsort(cupy.asarray(3.0)), np.zeros(1, np.int64))  # 1-d of a 0-d array
    with pytest.raises(ValueError, match="kind"):
        cupy.argsort(cupy.asarray(x), kind="quicksort")


def test_nonzero_of_0d_is_refused(cupy: Any) -> None:
    with pytest.raises(ValueError, match="0d"):
        cupy.nonzero(cupy.asarray(1.0))
    rows, columns = cupy.nonzero(cupy.eye(3))
    same(rows, np.arange(3))
    same(columns, np.arange(3))


# ---------------------------------------------------------------------- promotion and arithmetic
@pytest.mark.parametrize("name", ["argsort", "sort"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_long_floats_in_one_dimension_are_sorted_by_their_bits(cupy: Any, name: str, dtype: str) -> None:
    x = np.array([1, np.nan, 0.0, -np.nan, -0.0, -1, -np.inf], dtype)
    assert np.signbit(x[3])
    by_bits, by_value = [3, 6, 5, 2, 4, 0, 1], [6, 5, 2, 4, 0, 1, 3]
    order = by_value if dtype == "float16" else by_bits
    same(getattr(cupy, name)(cupy.asarray(x)), np.array(order) if name == "argsort" else x[order])
    rows = getattr(cupy, name)(cupy.asarray(x[None]))
    same(rows, np.array([by_value]) if name == "argsort" else x[None][:, by_value])


def test_min_cannot_write_into_out(cupy: Any) -> None:
    x = cupy.arange(6.0).reshape(2, 3)
    for values in (x, x.T):
        for minimum in (cupy.min, cupy.amin, cupy.ndarray.min):
            with pytest.raises(TypeError, match="returned NotImplemented"):
                minimum(values, 0, out=cupy.empty(values.shape[1]))
    target = cupy.empty(2)
    assert cupy.min(x[:, ::2], 1, out=target) is target  # CUB takes no such array
    same(target, np.array([0.0, 3.0]))
    same(cupy.max(x, 1, out=target), np.array([2.0, 5.0]))


@pytest.mark.parametrize("a", ["bool", "int8", "uint8", "int32", "int64", *FLOATS])
@pytest.mark.parametrize("b", ["int16", "float32", 2, 2.5, True])
def test_promotion_is_nep_50(cupy: Any, a: str, b: Any) -> None:
    x = np.ones(3, a)
    y = np.ones(3, b) if isinstance(b, str) else b
    result = cupy.asarray(x) + (cupy.asarray(y) if isinstance(y, np.ndarray) else y)
    same(result, x + y)


def test_python_integers_must_fit(cupy: Any) -> None:
    with pytest.raises(OverflowError):
        cupy.ones(2, "uint8") + (-1)
    with pytest.raises(TypeError, match="same_kind"):
        cupy.add(cupy.ones(2), 1.5, out=cupy.ones(2, "int32"))
    with pytest.raises(ValueError, match="Out shape is mismatched"):
        cupy.add(cupy.ones(2), 1.5, out=cupy.ones(1))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8"])
def test_integer_division_by_zero_is_zero(cupy: Any, dtype: str) -> None:
    x = cupy.asarray(np.array([7, 3, 0], dtype))
    same(x // 0, np.zeros(3, dtype))
    same(x % 0, np.zeros(3, dtype))
    same(cupy.reciprocal(x * 0), np.zeros(3, dtype))


def test_negative_integer_powers(cupy: Any) -> None:
    same(cupy.asarray([1, -1, 2, -1]) ** cupy.asarray([-3, -3, -3, -2]), [1, -1, 0, 1])


def test_remainders_of_floats_are_differences(cupy: Any) -> None:
    same(cupy.asarray([7.0, -7.0]) % 3.0, [1.0, 2.0])
    assert np.isnan(float(cupy.asarray(5.0) % np.inf))  # NumPy: 5


def test_nothing_warns(cupy: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = cupy.asarray(np.array([0.0, -1.0, 1e38], np.float32))
        for result in (x / 0, cupy.log(x), cupy.sqrt(x), x * x, x.sum(), (x * 1e30).astype("float16"), cupy.exp(x)):
            assert result.get().dtype == result.dtype


def test_float32_subnormals_are_zero(cupy: Any) -> None:
    x = cupy.asarray(np.array([1e-40, 1.0], np.float32))
    assert float(x[0]) > 0  # moved, not computed with
    same(x * 1, np.array([0, 1], np.float32))
    same(x * np.float64(1), x.get().astype(np.float64))


@pytest.mark.parametrize("to", ["int8", "uint8", "int32", "int64"])
def test_floats_that_do_not_fit_become_any_integer(cupy: Any, to: str) -> None:
    values = np.array([np.nan, np.inf, -1e30, 1e30] * 8, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = {cupy.asarray(values).astype(to).get().tobytes() for _ in range(3)}
    assert len(results) == 3
    same(
        cupy.asarray(np.array([-1.9, 2.9, 100.5])[to == "uint8" :]).astype(to),
        np.array([-1, 2, 100])[to == "uint8" :].astype(to),
    )


def test_results_are_in_c_order(cupy: Any) -> None:
    x = cupy.asarray(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    assert x.flags.f_contiguous
    assert not x.flags.c_contiguous
    assert all(r.flags.c_contiguous for r in (x + x, cupy.exp(x), x.copy()))
    assert not x.astype("float32").flags.c_contiguous  # keeps the order


def test_filling_with_zero_is_filling_with_bytes(cupy: Any) -> None:
    x = cupy.ones((2, 3))
    for zero in (-0.0, np.float32(-0.0), cupy.full((), -0.0)):
        x.fill(zero)
        assert not np.signbit(x.get()).any()
        x.T.fill(zero)  # not in C order
        assert np.signbit(x.get()).all()
    assert not np.signbit(cupy.asarray(-0.0).get())
    assert np.signbit(cupy.asarray([-0.0]).get())
    assert np.signbit(cupy.full((), -0.0).get())
    with pytest.raises(ValueError, match="non-scalar cupy"):
        x.fill(cupy.ones(2))
    with pytest.raises(ValueError, match="non-scalar numpy"):
        x.fill(np.ones(2))


def test_copies_within_an_array_may_read_what_they_wrote(cupy: Any) -> None:
    x = cupy.arange(1000.0)
    cupy.copyto(x[1:], x[:-1])
    assert x.get().tolist() != [0.0, *range(999)]
    cupy.copyto(x, x[0])  # one element of it, which is right wherever it is read
    cupy.copyto(x, x)
    same(x, np.zeros(1000))


def test_erf_of_float16_is_float64(cupy: Any) -> None:
    erf = importlib.import_module("cupyx.scipy.special").erf
    assert erf(cupy.ones(2, "float16")).dtype == np.float64
    assert float(erf(cupy.asarray(0.5, "float32"))) == pytest.approx(0.5204998778)


@pytest.mark.parametrize("dtype", [*FLOATS, "int32"])
@pytest.mark.parametrize("shapes", [((2, 3), (3, 4)), ((3,), (3, 4)), ((5, 2, 3), (3, 2)), ((3,), (3,))])
def test_matmul(cupy: Any, dtype: str, shapes: Any) -> None:
    x, y = (np.random.default_rng(0).integers(-4, 5, s).astype(dtype) for s in shapes)
    same(cupy.asarray(x) @ cupy.asarray(y), np.matmul(x, y))
    with pytest.raises(ValueError, match="Scalar operands"):
        cupy.asarray(x) @ cupy.asarray(1.0)


# ---------------------------------------------------------------------- joining and views
def test_concatenate_takes_device_arrays_only(cupy: Any) -> None:
    x = cupy.ones(2)
    with pytest.raises(TypeError):
        cupy.concatenate([x, np.ones(2)])
    with pytest.raises(TypeError, match="zero-dimensional"):
        cupy.concatenate([x[0], x[1]])
    same(cupy.stack([x[0], x[1]]), np.ones(2))


def test_views_share_memory_and_look_writable(cupy: Any) -> None:
    x = cupy.arange(6.0)
    view = x.reshape(2, 3).T[1:]
    assert view.base is x
    assert view.data.ptr == x.data.ptr + 8
    assert (view.flags.owndata, x.flags.owndata) == (False, True)
    view[...] = 0
    same(x, np.array([0, 0, 0, 3, 0, 0], float))
    cupy.broadcast_to(x[:1], (4,))[...] = 7
    assert float(x[0]) == 7
    assert x.T is x


def test_copies_and_pickles(cupy: Any) -> None:
    x = cupy.arange(3)
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.copy()):
        assert other is not x
        same(other, np.arange(3))


def test_truth_and_numbers(cupy: Any) -> None:
    x = cupy.asarray([3])
    assert (int(x), float(x), bool(x), x.item(), complex(x)) == (3, 3.0, True, 3, 3 + 0j)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(cupy.ones(2))
