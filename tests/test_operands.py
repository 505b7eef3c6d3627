"""What stands where a Tensor is expected: refused by the name of the function; operators leave it to the other side."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F

# The functions whose first argument is a Tensor, by its name; those of two operands take numbers for one of them.
_OTHERS: dict[str, tuple[Any, ...]] = {
    "permute": (0,), "transpose": (0, 0), "movedim": (0, 0), "expand": (1,), "index_select": (0, tg.tensor([0])),
    "gather": (0, tg.tensor([0])), "scatter": (0, tg.tensor([0]), 1.0), "scatter_add": (0, tg.tensor([0]), tg.ones(1)),
    "index_add": (0, tg.tensor([0]), tg.ones(1)), "index_put": ((tg.tensor([0]),), tg.ones(1)), "topk": (1,),
    "take_along_dim": (tg.tensor([0]),), "masked_fill": (tg.tensor([True]), 1.0), "masked_select": (tg.tensor([True]),),
    "where": (1.0, 2.0), "narrow": (0, 0, 1), "split": (1,), "chunk": (1,), "roll": (1,), "unsqueeze": (0,),
    "repeat_interleave": (2,), "flip": (0,), "tile": (2,), "reshape": (-1,), "broadcast_to": ((1,),), "cumsum": (0,),
    "unflatten": (0, (1,)), "clamp": (0,), "clip": (0,), "clamp_min": (0,), "clamp_max": (0,), "softmax": (0,),
    "log_softmax": (0,), "addmm": (tg.ones(1, 1), tg.ones(1, 1)), "pad": ((1, 1),), "full_like": (1,),
}  # fmt: skip
_TWO = (
    "add sub mul div pow floor_divide remainder maximum minimum eq ne lt le gt ge logical_and logical_or logical_xor "
    "bitwise_and bitwise_or bitwise_xor"
).split()
_PAIRS = "matmul mm bmm mv dot outer isclose allclose equal mse_loss l1_loss huber_loss smooth_l1_loss kl_div".split()
_CLASSES = "cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits linear linear_act".split()
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


def _arguments(name: str) -> tuple[Any, ...]:
    if name in _TWO:
        return (1.0,)
    if name in _PAIRS or name in _CLASSES:
        return (tg.ones(1), tg.ones(1)) if name.startswith("linear") else (tg.ones(1),)
    return _OTHERS.get(name, ())


def test_the_walk_finds_the_functions() -> None:
    assert len(_functions()) > 120


@pytest.mark.parametrize(("name", "function"), _functions())
@pytest.mark.parametrize("wrong", [[1.0], None], ids=["list", "None"])
def test_what_is_no_tensor_is_refused_by_name(name: str, function: Any, wrong: Any) -> None:
    with pytest.raises(tg.DTypeError, match=r"^\w+: .*(expected|must be)"):
        function(wrong, *_arguments(name))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: F.relu([1.0]), "relu"),  # type: ignore[arg-type]
        (lambda: tg.abs(-1.0), "absolute"),  # type: ignore[arg-type]
        (lambda: tg.exp(2.0), "exp"),  # type: ignore[arg-type]
        (lambda: tg.sum([1.0, 2.0]), "sum"),  # type: ignore[arg-type]
        (lambda: tg.where([True], 1.0, 2.0), "where"),  # type: ignore[arg-type]
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


def test_matrix_products_with_arrays_are_refused_on_either_side() -> None:
    x: Any = tg.ones(2, 2)
    calls: list[Any] = [lambda: x @ np.ones((2, 2)), lambda: np.ones((2, 2)) @ x]
    for call in calls:
        with pytest.raises(tg.DTypeError, match="matmul: expected two Tensors"):
            call()


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
    assert tg.arange(tg.tensor(3)).tolist() == [0, 1, 2]  # type: ignore[arg-type]
    assert tg.arange(np.float32(3)).dtype == tg.float32  # type: ignore[arg-type]
    assert tg.full((2,), three).dtype == tg.int64
    assert tg.full((2,), tg.tensor(3)).dtype == tg.int64  # type: ignore[arg-type]
    assert tg.full((2,), three > 2).dtype == tg.bool
    assert tg.full((2,), np.float64(3)).dtype == tg.float32
    with pytest.raises(tg.DTypeError, match="full: expected a number, got str"):
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
