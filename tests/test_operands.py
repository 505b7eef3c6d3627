"""What stands where a Tensor is expected: refused by the name of the function; operators leave it to the other side."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F

# What the functions take after a Tensor, where it is neither another operand nor another Tensor.
_OTHERS: dict[str, tuple[Any, ...]] = {
    "permute": (0,), "transpose": (0, 0), "movedim": (0, 0), "expand": (1,), "index_select": (0, tg.tensor([0])),
    "gather": (0, tg.tensor([0])), "scatter": (0, tg.tensor([0]), 1.0), "scatter_add": (0, tg.tensor([0]), tg.ones(1)),
    "index_add": (0, tg.tensor([0]), tg.ones(1)), "index_put": ((tg.tensor([0]),), tg.ones(1)), "topk": (1,),
    "take_along_dim": (tg.tensor([0]),), "masked_fill": (tg.tensor([True]), 1.0), "masked_select": (tg.tensor([True]),),
    "where": (1.0, 2.0), "narrow": (0, 0, 1), "split": (1,), "chunk": (1,),
    "tensor_split": (1,), "select": (0, 0), "roll": (1,), "unsqueeze": (0,),
    "repeat_interleave": (2,), "flip": (0,), "tile": (2,), "reshape": (-1,), "broadcast_to": ((1,),), "cumsum": (0,),
    "unflatten": (0, (1,)), "clamp": (0,), "clip": (0,), "clamp_min": (0,), "clamp_max": (0,), "softmax": (0,),
    "log_softmax": (0,), "addmm": (tg.ones(1, 1), tg.ones(1, 1)), "pad": ((1, 1),), "full_like": (1,),
}  # fmt: skip
_RANDOM = {"bernoulli", "rand_like", "randint_like", "randn_like"}


def _functions() -> list[Any]:
    found = {}
    for module in (tg, F):
        for name in module.__all__:
            function = getattr(module, name)
            if not inspect.isfunction(function) or name in _RANDOM:
                continue
            first = next(iter(inspect.signature(function).parameters), "")
            if first in ("input", "self", "condition"):
                found[name] = function
    return [pytest.param(n, f, id=n) for n, f in found.items()]


def _arguments(name: str, function: Any) -> tuple[Any, ...]:
    """For what must be given besides: of two operands a number, and where nothing else is known a Tensor."""
    if name in _OTHERS:
        return _OTHERS[name]
    _, *others = inspect.signature(function).parameters.values()
    return tuple([1.0 if p.name == "other" else tg.ones(1) for p in others if p.default is p.empty])


def test_the_walk_finds_the_functions() -> None:
    assert len(_functions()) > 120


@pytest.mark.parametrize(("name", "function"), _functions())
@pytest.mark.parametrize("wrong", [[1.0], None], ids=["list", "None"])
def test_what_is_no_tensor_is_refused_by_name(name: str, function: Any, wrong: Any) -> None:
    with pytest.raises(tg.DTypeError, match=r"^\w+: .*(expected|must be)"):
        function(wrong, *_arguments(name, function))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: F.relu([1.0]), "relu"),  # type: ignore[arg-type]
        (lambda: tg.abs(-1.0), "absolute"),  # type: ignore[arg-type]
        (lambda: tg.exp(2.0), "exp"),  # type: ignore[arg-type]
        (lambda: tg.sum([1.0, 2.0]), "sum"),  # type: ignore[arg-type]
        (lambda: tg.where([True], 1.0, 2.0), "where"),  # type: ignore[call-overload]
        (lambda: tg.cat([[1.0]]), "cat"),  # type: ignore[list-item]
        (lambda: tg.stack([1.0]), "stack"),  # type: ignore[list-item]
        (lambda: tg.ones(2) + np.array(["a", "b"]), "add"),
    ],
)
def test_the_message_names_the_function(call: Any, name: str) -> None:
    with pytest.raises(tg.DTypeError, match=f"^{name}: expected"):
        call()


# ---------------------------------------------------------------------- operators and foreign types
class _Foreign:
    def __radd__(self, other: object) -> str:
        return "added"

    def __rmatmul__(self, other: object) -> str:
        return "multiplied"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_nothing_equals_none() -> None:
    x: Any = tg.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "a") is False
    assert x not in [None, "a"]


def test_the_other_side_is_asked() -> None:
    x: Any = tg.ones(2)
    assert x + _Foreign() == "added"
    assert x @ _Foreign() == "multiplied"
    assert x == _Foreign()
    calls: list[Any] = [lambda: x - "a", lambda: None * x, lambda: x < [1, 2], lambda: x & 1j, lambda: x @ "a"]
    for call in calls:
        with pytest.raises(TypeError, match=r"not supported|unsupported operand"):
            call()


def test_the_named_functions_raise() -> None:
    x: Any = tg.ones(2)
    calls: list[Any] = [lambda: x.add("a"), lambda: tg.eq(x, None), lambda: x.matmul(3), lambda: x.pow([2])]
    for call in calls:
        with pytest.raises(tg.DTypeError, match="expected"):
            call()


def test_matrix_products_with_arrays() -> None:
    """As sums with them: the array is an operand, of the dtype that it has."""
    x: Any = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for dtype in (np.float64, np.float32, np.int64):
        array: Any = np.array([[0, 1], [2, 3]], dtype)
        for product, expected in ((x @ array, x.detach().numpy() @ array), (array @ x, array @ x.detach().numpy())):
            assert isinstance(product, tg.Tensor)
            assert product.dtype == (array + x).dtype
            np.testing.assert_array_equal(product.detach().numpy(), expected)
    (array @ x).sum().backward()
    assert x.grad.tolist() == [[2, 2], [4, 4]]
    assert (np.array([1.0, 1.0]) @ x).tolist() == [4, 6]
    with pytest.raises(tg.ShapeError, match="matmul"):
        np.ones((2, 3)) @ x
    with pytest.raises(tg.DTypeError, match="matmul"):
        x @ np.array([["a", "b"], ["c", "d"]])


def test_powers_of_numbers_and_arrays_of_numpy() -> None:
    x: Any = tg.tensor([2, 1, -1])
    assert (x ** np.array([-1, -2, 3])).tolist() == [0, 1, -1]
    assert (np.array([2, 1, -1]) ** x).tolist() == [4, 1, -1]
    assert (x ** np.int8(2)).tolist() == [4, 1, 1]
    assert (np.bool_(True) ** x).tolist() == [1, 1, 1]
    with pytest.raises(tg.ArgumentError, match="pow: integers cannot be raised to the negative power -1"):
        x ** np.int64(-1)
    with pytest.raises(tg.DivisionByZeroError, match="floor_divide"):
        x // np.array([1, 0, 1])
    with pytest.raises(tg.DivisionByZeroError, match="remainder"):
        x % np.uint8(0)


def test_an_array_that_is_written_in_place_stays_an_array() -> None:
    array: Any = np.ones(2)
    result = np.add(array, tg.tensor([1.0, 2.0]), out=array)
    assert result is array
    assert array.tolist() == [2, 3]


# ---------------------------------------------------------------------- numbers of NumPy
def test_sizes_may_be_numpy_integers() -> None:
    two: Any = np.int64(2)
    x = tg.arange(6)
    assert [p.tolist() for p in x.split(two)] == [[0, 1], [2, 3], [4, 5]]
    assert [p.shape for p in x.split([two, np.int32(4)])] == [(2,), (4,)]  # type: ignore[list-item]
    assert len(x.chunk(two)) == 2
    assert x.roll(two).tolist() == [4, 5, 0, 1, 2, 3]
    assert x.reshape(2, 3).roll((two, 1), (two - 2, 1)).shape == (2, 3)
    assert tg.tensor([1, 2]).repeat_interleave(two).tolist() == [1, 1, 2, 2]
    assert x.topk(two).values.tolist() == [5, 4]
    assert x.narrow(0, two, two).tolist() == [2, 3]
    for wrong in (lambda: x.split(1.5), lambda: x.roll("a"), lambda: x.chunk(None)):  # type: ignore[arg-type]
        with pytest.raises(tg.DTypeError, match=r"^\w+: expected"):
            wrong()


def test_numbers_of_numpy_have_the_dtype_of_their_kind() -> None:
    three: Any = np.int64(3)
    assert tg.arange(three).dtype == tg.int64
    assert tg.arange(tg.tensor(3)).tolist() == [0, 1, 2]
    assert tg.arange(np.float32(3)).dtype == tg.float32  # type: ignore[arg-type]
    assert tg.full((2,), three).dtype == tg.int64
    assert tg.full((2,), tg.tensor(3)).dtype == tg.int64
    assert tg.full((2,), three > 2).dtype == tg.bool
    assert tg.full((2,), np.float64(3)).dtype == tg.float32
    with pytest.raises(tg.DTypeError, match="full: expected a number or a 0-d tensor, got str"):
        tg.full((2,), "3")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (2**63, None),
        ([1, 2**64 - 1], None),
        ([300], tg.uint8),
        ([-256], tg.uint8),
        ([1, -129], tg.int8),
        ([300.5], tg.uint8),
        (float("nan"), tg.int64),
        (2**70, tg.int64),
    ],
)
def test_python_data_must_fit_into_an_integer_dtype(data: Any, dtype: Any) -> None:
    with pytest.raises(tg.ArgumentError, match=r"tensor: .* does not fit into u?int\d+, which holds"):
        tg.tensor(data, dtype=dtype)


def test_data_that_fit() -> None:
    assert tg.tensor([-1, 255], dtype=tg.uint8).tolist() == [255, 255]  # as PyTorch
    assert tg.tensor(2**63, dtype=tg.float64).item() == 2.0**63
    assert tg.tensor(2**70, dtype=tg.float64).item() == 2.0**70
    assert tg.tensor(np.array([300]), dtype=tg.uint8).tolist() == [44]
    assert tg.tensor(2**63 - 1).item() == 2**63 - 1


def test_integers_that_no_dtype_holds_are_shown_exactly() -> None:
    for number, dtype in ((2**64, tg.uint64), (2**70 + 1, tg.int64), (2**70 + 1, None), (10**30, tg.uint8)):
        kind = np.dtype(dtype or np.int64)
        held = rf"\[{np.iinfo(kind).min}, {np.iinfo(kind).max}\]"
        for data in (number, [number], [1, number]):
            with pytest.raises(
                tg.ArgumentError, match=rf"^tensor: {number} does not fit into {kind}, which holds {held};"
            ):
                tg.tensor(data, dtype=dtype)
    with pytest.raises(tg.ArgumentError, match=r"^tensor: an integer of 16610 bits does not fit into uint8, which"):
        tg.tensor(10**5000, dtype=tg.uint8)


# ---------------------------------------------------------------------- operators and tensors of other libraries
class _Exchanging:
    """Another library's tensor, whose own operators know no Tensor."""

    __hash__ = None  # type: ignore[assignment]

    def __dlpack__(self) -> None: ...

    def __add__(self, other: object) -> Any:
        return NotImplemented

    __radd__ = __eq__ = __lt__ = __gt__ = __add__


@pytest.mark.parametrize(
    ("op", "call"),
    [
        ("add", lambda x, y: x + y),
        ("add", lambda x, y: y + x),
        ("multiply", lambda x, y: x * y),
        ("less", lambda x, y: x < y),
        ("equal", lambda x, y: x == y),
        ("equal", lambda x, y: y == x),
        ("pow", lambda x, y: x**y),
        ("matmul", lambda x, y: x @ y),
        ("bitwise_and", lambda x, y: x & y),
    ],
)
def test_operators_say_how_to_take_in_a_foreign_tensor(op: str, call: Any) -> None:
    with pytest.raises(
        tg.DTypeError, match=rf"^{op}: expected a Tensor.*, got .*_Exchanging; make one with tg\.from_dlpack"
    ):
        call(tg.ones(2), _Exchanging())


# ---------------------------------------------------------------------- integers beyond the dtype
INTEGERS = "uint8 int8 int16 int32 int64 uint16 uint32 uint64".split()
BEYOND = [2**64, 2**70, -(2**63) - 1, 10**5000]


@pytest.mark.parametrize("name", ["bool", *INTEGERS])
@pytest.mark.parametrize("number", BEYOND, ids=["2**64", "2**70", "-2**63-1", "10**5000"])
def test_integers_beyond_64_bits_meet_no_integers(name: str, number: int) -> None:
    x = tg.ones(2, dtype=name)
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: x + number,
        "multiply": lambda: number * x,
        "greater_equal": lambda: x >= number,
        "less": lambda: x < number,
        "equal": lambda: number == x,
        "maximum": lambda: tg.maximum(x, number),
    }
    said = str(number) if number < 10**100 else "an integer of 16610 bits"
    kind = "int64, which" if name == "bool" else f"{name}, nor into 64 bits"
    for op, call in calls.items():
        with pytest.raises(tg.ArgumentError, match=rf"^{op}: {said} does not fit into {kind}"):
            call()


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("number", [300, -1, 2**40 + 3, 2**63, 2**64 - 1, -(2**63)])
def test_integers_of_64_bits_wrap_around(name: str, number: int) -> None:
    x, bits = tg.tensor([1, 3], dtype=name), 8 * np.dtype(name).itemsize
    same = np.array([number % 2**64], np.uint64).astype(name)[0].item()
    assert [n % 2**bits for n in (x + number).tolist()] == [(1 + number) % 2**bits, (3 + number) % 2**bits]
    assert (x >= number).tolist() == [same <= 1, same <= 3]
    assert (x == number).tolist() == [same == 1, same == 3]


def test_bools_meet_what_int64_holds() -> None:
    assert (tg.tensor([True]) + (2**63 - 1)).dtype == tg.int64
    for number in (2**63, 2**64 - 1):
        with pytest.raises(tg.ArgumentError, match=f"^less: {number} does not fit into int64"):
            tg.tensor([True]) < number  # noqa: B015


def test_floats_meet_integers_beyond_64_bits() -> None:
    assert (tg.ones(2) * 2**70).tolist() == [2.0**70] * 2
    assert (tg.ones(2) < 2**70).tolist() == [True, True]
