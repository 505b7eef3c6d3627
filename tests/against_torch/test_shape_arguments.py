"""Arguments of shapes, indices, joins and products, right ones and wrong ones: PyTorch's results, and errors where
PyTorch has errors.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

torch = pytest.importorskip("torch")

# Expressions, one a line, under headings. L is the library and T makes a tensor of it, m is a matrix of ones, x has
# three dims, v is [[[1, 2, 3, 4]]], b is [True, False].
LINES = (Path(__file__).parent / "shape_arguments.txt").read_text(encoding="utf8").splitlines()
HEADINGS = [line[2:] for line in LINES if line.startswith("# ")]


def _under(heading: str) -> list[str]:
    rest = LINES[LINES.index(f"# {heading}") + 1 :]
    return list(itertools.takewhile(lambda line: line and not line.startswith("# "), rest))


def _names(L: Any) -> dict[str, Any]:
    found = {"L": L, "T": L.tensor, "m": L.ones(2, 2), "b": L.tensor([True, False]), "np": np}
    found["x"], found["v"] = L.arange(24.0).reshape(2, 3, 4), L.arange(1.0, 5.0).reshape(1, 1, 4)
    return found | ({"F": F, "nn": nn} if L is tg else {"F": torch.nn.functional, "nn": torch.nn})


def _flat(found: Any) -> Iterator[Any]:
    if isinstance(found, (tuple, list)):
        for x in found:
            yield from _flat(x)
    else:
        yield found


def _compare(what: str, function: Callable[[Any], Any]) -> None:
    """`function` of each library: alike, or an error of both."""
    outcomes: list[Any] = []
    for library in (tg, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch, and ours of uint8 masks
            try:
                outcomes.append(list(_flat(function(library))))
            except Exception as error:
                outcomes.append(error)
    ours, theirs = outcomes
    if isinstance(theirs, Exception):
        missing = isinstance(ours, TypeError) and "argument" in str(ours)  # Python's own, of a call that cannot be
        assert isinstance(ours, tg.TensorgradError) or missing, f"{what}: {ours!r}; PyTorch: {theirs}"
        return
    assert isinstance(ours, list), f"{what}: {ours!r}; PyTorch: {theirs}"
    assert len(ours) == len(theirs), what
    for a, b in zip(ours, theirs, strict=True):
        if not isinstance(b, torch.Tensor):
            assert str(a) == str(b).replace("torch.", "") or a == b, what
            continue
        assert (a.shape, f"torch.{a.dtype}") == (tuple(b.shape), str(b.dtype)), what
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, err_msg=what)


@pytest.mark.parametrize("heading", HEADINGS)
def test_expressions(heading: str) -> None:
    expressions = _under(heading)
    assert expressions
    for text in expressions:
        _compare(text, partial(_evaluated, text))


def _evaluated(text: str, library: Any) -> Any:
    return eval(text, _names(library))


# ---------------------------------------------------------------------- any argument for any method
def _values(L: Any) -> list[Any]:
    numbers = [0, 1, 2, -1, -3, -4, 5, 1.0, 1.5, "a", None, (0,), (), [1, 0], (0, 0), (0, 1, 2), np.int64(1)]
    return [*numbers, float("nan"), (0, 1.5), (None,), L.tensor(1), L.tensor(1.0), L.tensor([0, 1])]


METHODS = (
    "flatten squeeze unsqueeze permute flip tile repeat reshape view expand broadcast_to roll unbind chunk "
    "tensor_split tril triu diagonal diag sort argsort topk repeat_interleave cumsum select t numel"
).split()
OF_TWO = (
    "flatten transpose swapaxes roll chunk tensor_split select diagonal argsort topk repeat_interleave unflatten "
    "permute reshape flip squeeze narrow"
).split()
# Where we differ on purpose: None are all dims; two dims may be moved as one and as a tuple; sizes below zero and dims
# that are out of range are refused where the tensor is empty as well.
TAKEN_AS_ALL = {"squeeze"}


def _given(name: str, shape: tuple[int, ...], places: tuple[int, ...]) -> Callable[[Any], Any]:
    def call(L: Any) -> Any:
        x = L.tensor(np.arange(np.prod(shape, dtype=int), dtype="float32").reshape(shape))
        return getattr(x, name)(*[_values(L)[i] for i in places])

    return call


@pytest.mark.parametrize("shape", [(2, 3), (3,), (), (0, 2), (1, 2, 1)])
@pytest.mark.parametrize("name", METHODS)
def test_one_argument(name: str, shape: tuple[int, ...]) -> None:
    for i, value in enumerate(_values(torch)):
        if not (value is None and name in TAKEN_AS_ALL):
            _compare(f"{name}({value!r})", _given(name, shape, (i,)))
    _compare(f"{name}()", _given(name, shape, ()))


@pytest.mark.parametrize("shape", [(2, 3), ()])
@pytest.mark.parametrize("name", OF_TWO)
def test_two_arguments(name: str, shape: tuple[int, ...]) -> None:
    values = _values(torch)
    for i, j in itertools.product(range(len(values)), repeat=2):
        _compare(f"{name}({values[i]!r}, {values[j]!r})", _given(name, shape, (i, j)))
