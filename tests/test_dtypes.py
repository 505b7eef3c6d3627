"""Dtypes and promotion. The tables are what PyTorch 2 answers (they were printed by it), dtype by dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

UNSIGNED = ["uint16", "uint32", "uint64"]  # in arithmetic with floats and with themselves only
NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
SHORT = {"b": "bool", "u1": "uint8", "f2": "float16", "f4": "float32", "f8": "float64"} | {
    f"i{n}": f"int{8 * n}" for n in (1, 2, 4, 8)
}

# Rows and columns in the order of NAMES.
DIMENSIONED_WITH_DIMENSIONED = """
    b  u1 i1 i2 i4 i8 f2 f4 f8
    u1 u1 i2 i2 i4 i8 f2 f4 f8
    i1 i2 i1 i2 i4 i8 f2 f4 f8
    i2 i2 i2 i2 i4 i8 f2 f4 f8
    i4 i4 i4 i4 i4 i8 f2 f4 f8
    i8 i8 i8 i8 i8 i8 f2 f4 f8
    f2 f2 f2 f2 f2 f2 f2 f4 f8
    f4 f4 f4 f4 f4 f4 f4 f4 f8
    f8 f8 f8 f8 f8 f8 f8 f8 f8
"""
DIMENSIONED_WITH_0D = """
    b  u1 i1 i2 i4 i8 f2 f4 f8
    u1 u1 u1 u1 u1 u1 f2 f4 f8
    i1 i1 i1 i1 i1 i1 f2 f4 f8
    i2 i2 i2 i2 i2 i2 f2 f4 f8
    i4 i4 i4 i4 i4 i4 f2 f4 f8
    i8 i8 i8 i8 i8 i8 f2 f4 f8
    f2 f2 f2 f2 f2 f2 f2 f2 f2
    f4 f4 f4 f4 f4 f4 f4 f4 f4
    f8 f8 f8 f8 f8 f8 f8 f8 f8
"""
WITH_NUMBERS = """
    b  i8 f4
    u1 u1 f4
    i1 i1 f4
    i2 i2 f4
    i4 i4 f4
    i8 i8 f4
    f2 f2 f2
    f4 f4 f4
    f8 f8 f8
"""
NUMBERS = [True, 2, 2.5]


def _table(text: str) -> list[list[str]]:
    return [[SHORT[cell] for cell in line.split()] for line in text.strip().splitlines()]


def _cells(text: str, columns: list[Any]) -> list[Any]:
    return [
        pytest.param(row, column, expected, id=f"{row}-{column}")
        for row, line in zip(NAMES, _table(text), strict=True)
        for column, expected in zip(columns, line, strict=True)
    ]


@pytest.fixture
def _float64_by_default() -> Iterator[None]:
    tg.set_default_dtype(tg.float64)
    yield
    tg.set_default_dtype(tg.float32)


# ---------------------------------------------------------------------- promotion
@pytest.mark.parametrize(("a", "b", "expected"), _cells(DIMENSIONED_WITH_DIMENSIONED, NAMES))
def test_two_tensors(a: str, b: str, expected: str) -> None:
    x, y = tg.ones(2, dtype=a), tg.ones(2, dtype=b)
    for result in (x + y, x * y, tg.maximum(x, y), tg.where(x == y, x, y)):
        assert result.dtype == expected
    assert tg.promote_types(x.dtype, y.dtype) == expected
    assert (x == y).dtype == tg.bool


@pytest.mark.parametrize(("a", "b", "expected"), _cells(DIMENSIONED_WITH_0D, NAMES))
def test_a_tensor_and_a_0d_tensor(a: str, b: str, expected: str) -> None:
    x, y = tg.ones(2, dtype=a), tg.ones((), dtype=b)
    assert (x + y).dtype == expected
    assert (y + x).dtype == expected
    assert tg.result_type(x, y) == expected


@pytest.mark.parametrize(("a", "number", "expected"), _cells(WITH_NUMBERS, NUMBERS))
def test_a_tensor_and_a_number(a: str, number: float, expected: str) -> None:
    for shape in ((2,), ()):
        x = tg.ones(shape, dtype=a)
        assert (x * number).dtype == expected
        assert (number * x).dtype == expected
        assert (x + number).dtype == expected


@pytest.mark.parametrize("name", NAMES)
def test_quotients_and_functions_of_integers_are_floats(name: str) -> None:
    x = tg.ones(2, dtype=name)
    expected = name if name.startswith("float") else "float32"
    for result in (x / x, x / 2, 2 / x, x.exp(), x.sqrt(), x.sigmoid(), x.sin(), tg.erf(x)):
        assert result.dtype == expected


@pytest.mark.parametrize("name", NAMES)
def test_sums_of_integers_are_int64(name: str) -> None:
    x = tg.ones(2, 2, dtype=name)
    expected = name if name.startswith("float") else "int64"
    assert x.sum().dtype == expected
    assert x.prod(0).dtype == expected
    assert x.cumsum(1).dtype == expected


@pytest.mark.parametrize("name", UNSIGNED)
def test_wide_unsigned_integers_meet_floats_bools_and_weaker_operands(name: str) -> None:
    x: Any = tg.ones(2, dtype=name)
    for other in ("float16", "float32", "float64"):
        assert (x + tg.ones(2, dtype=other)).dtype == tg.promote_types(tg.ones(1, dtype=other).dtype, x.dtype) == other
    for weak in (1, True, -1, x, x > 0, *(tg.ones((), dtype=kind) for kind in (*UNSIGNED, *NAMES[:6]))):
        assert (x + weak).dtype == name
        assert (weak * x).dtype == name
    assert (x + 0.5).dtype == tg.float32
    assert x.sum().dtype == tg.int64


@pytest.mark.parametrize("name", UNSIGNED)
@pytest.mark.parametrize("other", [*UNSIGNED, *NAMES[1:6]])
def test_wide_unsigned_integers_meet_no_other_integers(name: str, other: str) -> None:
    if name == other:
        return
    x, y = tg.ones(2, dtype=name), tg.ones(2, dtype=other)
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: x + y,
        "less": lambda: x < y,
        "where": lambda: tg.where(x > 0, x, y),
        "clamp": lambda: x.clamp(max=y),
        "cat": lambda: tg.cat([x, y]),
        "result_type": lambda: tg.result_type(x, y),
        "promote_types": lambda: tg.promote_types(x.dtype, y.dtype),
    }
    for op, call in calls.items():
        with pytest.raises(tg.DTypeError, match=f"^{op}: {name} and {other} have no integer dtype in common; "):
            call()


@pytest.mark.parametrize("name", UNSIGNED)
def test_wide_unsigned_integers_compute_as_numpys(name: str) -> None:
    most = 2 ** (8 * np.dtype(name).itemsize) - 1
    a, b = np.array([most, 5, 0, 7], name), np.array([3, 5, 2, 4], name)
    x, y = tg.as_tensor(a), tg.as_tensor(b)
    calls: list[Callable[[Any, Any], Any]] = [
        lambda x, y: x + y,
        lambda x, y: x - y,
        lambda x, y: x * y,
        lambda x, y: x // y,
        lambda x, y: x % y,
        lambda x, y: x & y,
        lambda x, y: x ^ y,
        lambda x, y: ~x,
        lambda x, y: x >> 1,
        lambda x, y: x.reshape(2, 2) @ y.reshape(2, 2),
    ]
    for call in calls:
        found = call(x, y)
        assert found.dtype == name
        np.testing.assert_array_equal(found.numpy(), call(a, b))
    assert (x > y).tolist() == (a > b).tolist()
    assert x.max().item() == most
    assert tg.sort(x)[0].tolist() == [0, 5, 7, most]
    assert (x - most).tolist()[0] == 0
    assert (x == -1).tolist() == [True, False, False, False]
    assert tg.full((1,), most, dtype=name).tolist() == tg.zeros(1).to(name).fill_(most).tolist() == [most]


def test_uint64_holds_what_no_float_does() -> None:
    numbers = [[2**64 - 1, 0], [2**63 + 1, 2**53 + 1]]
    assert tg.tensor(numbers, dtype=tg.uint64).tolist() == numbers
    with pytest.raises(tg.ArgumentError, match=f"tensor: {2**63} does not fit into int64"):
        tg.tensor([2**63, -1], dtype=tg.int64)
    with pytest.raises(tg.ArgumentError, match="does not fit into uint64"):
        tg.tensor([2**64, 0], dtype=tg.uint64)
    assert tg.tensor([2**64 - 1, 0], dtype=tg.float64).tolist() == [2.0**64, 0]


def test_the_values_are_right_after_promotion() -> None:
    assert (tg.tensor([True, False]) + 1).tolist() == [2, 1]
    assert (tg.tensor([250], dtype=tg.uint8) + tg.tensor([10], dtype=tg.int16)).tolist() == [260]
    assert (tg.tensor([7]) / tg.tensor([2])).tolist() == [3.5]
    assert (tg.tensor([7]) // 2).tolist() == [3]
    assert (tg.tensor([3]) * 0.5).tolist() == [1.5]


@pytest.mark.usefixtures("_float64_by_default")
def test_the_default_dtype() -> None:
    assert tg.get_default_dtype() == tg.float64
    assert tg.tensor([1.0]).dtype == tg.float64
    assert tg.zeros(2).dtype == tg.float64
    assert (tg.ones(2, dtype=tg.int64) / 2).dtype == tg.float64
    assert (tg.ones(2, dtype=tg.float32) * 2.5).dtype == tg.float32
    with pytest.raises(tg.DTypeError, match="floating"):
        tg.set_default_dtype(tg.int64)


# ---------------------------------------------------------------------- names and conversions
def test_dtypes_are_numpys() -> None:
    assert tg.float32 == np.float32
    assert tg.ones(2).dtype == np.dtype("float32")
    assert tg.bool == np.bool_
    for name in (*NAMES, *UNSIGNED):
        assert getattr(tg, name) == name


def test_what_data_become() -> None:
    assert tg.tensor(1.5).dtype == tg.float32
    assert tg.tensor([1, 2]).dtype == tg.int64
    assert tg.tensor([1, 2.0]).dtype == tg.float32
    assert tg.tensor(True).dtype == tg.bool
    assert tg.tensor([]).dtype == tg.float32
    assert tg.tensor(np.ones(2)).dtype == tg.float64
    assert tg.tensor(np.float16(1)).dtype == tg.float16
    assert tg.tensor([np.float64(1), np.float64(2)]).dtype == tg.float64
    assert tg.tensor([1.5, 2.5], dtype=tg.int32).tolist() == [1, 2]


@pytest.mark.parametrize("bad", ["complex64", "object", "U5", "datetime64[s]", "nonsense", 3])
def test_other_dtypes_are_refused_by_name(bad: object) -> None:
    with pytest.raises(tg.DTypeError, match=r"expected one of float16, float32.* int64, uint16, uint32, uint64.*got"):
        tg.zeros(2, dtype=bad)


@pytest.mark.parametrize("array", [np.ones(2, ">f4"), np.ones(2, ">u2"), np.ones(2, "longdouble")], ids=str)
def test_arrays_of_other_dtypes_are_refused_until_one_is_chosen(array: Any) -> None:
    if array.dtype == tg.float64:
        return  # where a long double is no longer than a double
    for make in (tg.tensor, tg.as_tensor):
        with pytest.raises(tg.DTypeError, match=rf"{make.__name__}: .* got .*; convert with dtype="):
            make(array)
        assert make(array, dtype=tg.float32).tolist() == [1, 1]


def test_complex_numbers_are_refused_until_they_are_real() -> None:
    for data in (np.array([3 + 4j]), [3 + 4j]):
        with pytest.raises(tg.DTypeError, match="complex128; take their real parts or absolute values first"):
            tg.tensor(data, dtype=tg.float32)
    assert tg.tensor(np.array([3 + 4j]).real).tolist() == [3]
    assert tg.tensor(abs(np.array([3 + 4j]))).tolist() == [5]


@pytest.mark.parametrize("data", ["text", [1j], [None], np.array([1j]), {"a": 1}])
def test_data_that_are_no_numbers_are_refused(data: object) -> None:
    with pytest.raises(tg.DTypeError, match=r"tensor: expected numbers"):
        tg.tensor(data)


def test_conversions() -> None:
    x = tg.tensor([1.7, -1.7, 0.0], dtype=tg.float64)
    assert x.to(tg.float32).dtype == tg.float32
    assert x.to("float16").dtype == tg.float16
    assert x.float().dtype == tg.float32
    assert x.double() is x
    assert x.half().dtype == tg.float16
    assert x.long().tolist() == [1, -1, 0]
    assert x.int().dtype == tg.int32
    assert x.bool().tolist() == [True, True, False]
    assert x.type_as(tg.ones(1, dtype=tg.int64)).tolist() == [1, -1, 0]
    assert x.to(tg.ones(1)).dtype == tg.float32
    assert x.to(tg.float64, copy=True) is not x


def test_gradients_pass_conversions_between_floats_in_the_inputs_dtype() -> None:
    x = tg.tensor([1.0, 2.0], dtype=tg.float16, requires_grad=True)
    y = (x.double() * 3).float()
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == tg.float16
    assert x.grad.tolist() == [3, 3]


def test_a_float32_graph_stays_float32_everywhere() -> None:
    """needs: float64 must not creep in through a mean, a 0-d tensor, a NumPy scalar or a constant."""
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((4, 5)), dtype=tg.float32, requires_grad=True)
    w = tg.tensor(rng.standard_normal((5, 3)), dtype=tg.float32, requires_grad=True)
    h = tg.tanh(x @ w) * np.float64(0.5) + np.float32(1) - tg.tensor(2.0, dtype=tg.float64)
    h = (h - h.mean(0)) / (h.std(0) + 1e-5)
    parts = [h.softmax(1), h.logsumexp(1, keepdim=True), h.var(1, keepdim=True), h.norm() * h.max(), h.cumsum(0)]
    for part in parts:
        assert part.dtype == tg.float32
    loss = sum(p.mean() for p in parts)
    assert isinstance(loss, tg.Tensor)
    assert loss.dtype == tg.float32
    loss.backward()
    for leaf in (x, w):
        assert leaf.grad is not None
        assert leaf.grad.dtype == tg.float32


F = tg.nn.functional
HALF = np.float64(0.5)  # a float for Python, a dtype of its own for NumPy


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * HALF,
        lambda x: HALF - x,
        lambda x: x**HALF,
        lambda x: tg.add(x, x, alpha=HALF),
        lambda x: x.clamp(HALF, np.float64(2)),
        lambda x: x.masked_fill(x > 0, HALF),
        lambda x: tg.where(x > 0, x, HALF),
        lambda x: x.var(correction=HALF),
        lambda x: x.norm(np.float64(3)),
        lambda x: x.clone().mul_(HALF),
        lambda x: F.leaky_relu(x, HALF),
        lambda x: F.elu(x, HALF),
        lambda x: F.softplus(x, HALF),
        lambda x: F.dropout(x, HALF),
        lambda x: F.huber_loss(x, 2 * x, delta=HALF),
        lambda x: F.cross_entropy(x, tg.tensor([0, 1]), label_smoothing=HALF),
        lambda x: F.pad(x, (1, 1), value=HALF),
    ],
)
def test_numpy_scalars_as_arguments_do_not_widen(function: Any) -> None:
    x = tg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    result = function(x)
    assert result.dtype == tg.float32
    result.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == tg.float32


# ---------------------------------------------------------------------- the public functions
def test_result_type_of_two_operands() -> None:
    whole, half = tg.tensor([1, 2]), tg.tensor([1.5])
    assert tg.result_type(whole, half) == tg.result_type(tensor1=half, tensor2=whole) == tg.float32
    assert tg.result_type(whole, 1.5) == tg.result_type(1, 1.5) == tg.float32
    assert tg.result_type(whole, np.float64(1.5)) == tg.float32  # a number, as in whole + np.float64(1.5)
    assert tg.result_type(whole, np.ones(2)) == tg.float64
    assert tg.result_type(True, whole) == tg.result_type(1, 2) == tg.int64
    wrong: Any
    for wrong in ([whole, half], "add", None):
        with pytest.raises(tg.DTypeError, match=r"^result_type: expected a Tensor or a number, got "):
            tg.result_type(whole, wrong)
    with pytest.raises(tg.DTypeError, match="complex128"):
        tg.result_type(whole, np.array([1j]))


def test_the_name_in_errors_is_not_positional() -> None:
    promote: Any = tg.promote_types
    with pytest.raises(TypeError, match="positional"):
        promote(tg.int64, tg.uint64, "name")
    assert promote(type1=tg.int64, type2=tg.float16) == tg.float16
