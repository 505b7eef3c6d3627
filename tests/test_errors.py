"""The classes of errors: each is caught under PyTorch's type and under Python's own."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad import errors

NATURAL: dict[str, tuple[type[Exception], ...]] = {
    "ShapeError": (ValueError,),
    "ScalarError": (ValueError, TypeError),
    "DTypeError": (TypeError,),
    "DeviceError": (RuntimeError,),
    "GraphError": (RuntimeError,),
    "BoundsError": (IndexError,),
    "ArgumentError": (ValueError,),
    "DivisionByZeroError": (ValueError, ZeroDivisionError, ArithmeticError),
    "EmptyError": (ValueError, IndexError),
    "IndexShapeError": (ValueError, IndexError),
    "IndexTypeError": (TypeError, IndexError),
    "NonFiniteError": (ValueError,),
    "ExchangeError": (ValueError, BufferError),
    "FormatError": (ValueError,),
}


def test_every_class_is_here() -> None:
    classes = {n for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, Exception)}
    assert classes == set(NATURAL) | {"TensorgradError"}
    assert classes == set(errors.__all__)
    assert classes <= set(tg.__all__)


@pytest.mark.parametrize("name", NATURAL)
def test_a_class_is_caught_under_both_types(name: str) -> None:
    for kind in (RuntimeError, tg.TensorgradError, *NATURAL[name]):
        with pytest.raises(kind, match="what happened"):
            raise getattr(errors, name)("what happened")


def test_python_asks_a_0d_tensor_for_a_type_error() -> None:
    x: Any = tg.tensor(2.0)
    for ask in (len, iter, list, tuple, set, dict.fromkeys):
        with pytest.raises(TypeError):
            ask(x)
    with pytest.raises(TypeError):
        _first, *_rest = x


def test_numbers_of_a_row_are_no_rows() -> None:
    """What plots do to find out whether data come in several series."""
    row = tg.tensor([1.0, 2.0])
    found = []
    for x in row:
        try:
            iter(x)
        except TypeError:
            found.append(x.item())
    assert found == [1.0, 2.0]


def test_a_list_is_indexed_by_one_integer() -> None:
    letters = ["a", "b", "c"]
    assert letters[tg.tensor(1)] == letters[tg.tensor([1])] == letters[tg.tensor([[1]], dtype=tg.uint8)] == "b"
    for wrong in (tg.tensor(1.0), tg.tensor([0, 1]), tg.tensor([])):
        with pytest.raises(TypeError):
            letters[wrong]
