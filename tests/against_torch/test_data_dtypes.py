"""The sizes of random_split, the wide unsigned integers and NumPy's functions, against PyTorch."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import random_split

torch = pytest.importorskip("torch")

UNSIGNED = ["uint16", "uint32", "uint64"]
OTHERS = ["bool", "uint8", *UNSIGNED, "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def test_sizes_of_random_splits() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        count = int(rng.integers(1, 200))
        weights = rng.integers(0, 9, int(rng.integers(1, 7))) + 0.01
        lengths: Any = (weights / weights.sum()).round(3).tolist()
        lengths[-1] = max(0.0, 1 - sum(lengths[:-1]))
        if rng.integers(2) or not 1 - 1e-9 <= sum(lengths) <= 1:  # PyTorch takes no sum above 1, not even by a rounding
            cuts = np.sort(rng.integers(0, count + 1, len(lengths) - 1))
            lengths = np.diff([0, *cuts, count]).tolist()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that are empty
            theirs = torch.utils.data.random_split(range(count), lengths)
        assert [len(part) for part in random_split(range(count), lengths)] == [len(part) for part in theirs]


@pytest.mark.parametrize("name", UNSIGNED)
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("shape", [(2,), ()], ids=str)
def test_promotion_of_wide_unsigned_integers(name: str, other: str, shape: tuple[int, ...]) -> None:
    if other == "bool" and shape:
        return  # refused there, and unambiguous
    ours = tg.ones(2, dtype=name), tg.ones(shape, dtype=other)
    theirs = torch.ones(2, dtype=getattr(torch, name)), torch.ones(shape, dtype=getattr(torch, other))
    for swap in (1, -1):
        try:
            expected = torch.result_type(*theirs[::swap])
        except RuntimeError:
            with pytest.raises(tg.DTypeError, match="no integer dtype in common"):
                tg.result_type(*ours[::swap])
        else:
            assert f"torch.{tg.result_type(*ours[::swap])}" == str(expected)


@pytest.mark.parametrize("name", UNSIGNED)
def test_wide_unsigned_integers_from_and_to_pytorch(name: str) -> None:
    numbers = [0, 1, 2 ** (8 * np.dtype(name).itemsize) - 1]
    x = torch.tensor(numbers, dtype=getattr(torch, name))
    for found in (tg.from_dlpack(x), tg.as_tensor(x), tg.tensor(x), tg.tensor(numbers, dtype=name)):
        assert (str(found.dtype), found.tolist()) == (name, numbers)
        back = torch.from_dlpack(found)
        assert (back.dtype, back.tolist()) == (x.dtype, numbers)


def test_functions_of_numpy_give_tensors_where_pytorchs_do() -> None:
    values = np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)
    calls: list[Any] = [
        np.exp,
        np.cumsum,
        np.transpose,
        lambda t: np.concatenate([t, t]),
        np.sort,
        np.linalg.inv,
        np.linalg.norm,
        np.median,
        np.argmax,
        lambda t: np.add(t, np.ones(2)),
        lambda t: np.add.reduce(t, axis=None),
        lambda t: np.where(np.ones((2, 2)) > 0, t, 1),
        lambda t: np.outer(t, t),
    ]
    for call in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch's protocol is that of NumPy 1
            theirs = call(torch.from_numpy(values))
        ours = call(tg.from_numpy(values))
        assert isinstance(ours, tg.Tensor) == isinstance(theirs, torch.Tensor)
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("name", ["uint8", "int8", "int32", "int64", "bool"])
@pytest.mark.parametrize("number", [300, -1, 2**40, 2**63, 2**64 - 1, 2**64, 2**70, -(2**63), -(2**63) - 1])
def test_integers_beyond_the_dtype(name: str, number: int) -> None:
    ours, theirs = tg.tensor([1, 0]).to(getattr(tg, name)), torch.tensor([1, 0]).to(getattr(torch, name))
    for call in (operator.ge, operator.lt, operator.eq, operator.add, operator.mul):
        try:
            expected = call(theirs, number).tolist()
        except (OverflowError, RuntimeError):  # the latter of bools beside what only uint64 holds
            with pytest.raises(tg.ArgumentError, match="does not fit"):
                call(ours, number)
        else:
            assert call(ours, number).tolist() == expected


def test_tensors_that_cannot_be_taken_in() -> None:
    for dtype in (torch.bfloat16, torch.float8_e4m3fn):
        for make in (tg.from_dlpack, tg.as_tensor, tg.tensor):
            with pytest.raises(
                tg.DTypeError, match=rf"^{make.__name__}: expected numbers .*{dtype}.*; convert it first"
            ):
                make(torch.ones(2).to(dtype))
    for given in (torch.ones([1] * 65), torch.ones(2, device="meta"), torch.ones(2, requires_grad=True)):
        for make in (tg.from_dlpack, tg.as_tensor):
            with pytest.raises(
                tg.ArgumentError, match=rf"^{make.__name__}: torch.Tensor of torch.float32 cannot be read"
            ):
                make(given)


def test_operators_with_pytorchs_tensors() -> None:
    ours: Any = tg.ones(2)
    theirs: Any = torch.ones(2)
    for call in (operator.add, operator.mul, operator.eq, operator.matmul):
        for pair in ((ours, theirs), (theirs, ours)):
            with pytest.raises(tg.DTypeError, match=r"got torch.Tensor; make one with tg\.as_tensor"):
                call(*pair)
