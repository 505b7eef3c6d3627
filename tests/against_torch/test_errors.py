"""Misuses that PyTorch refuses: here too, by errors that are caught under PyTorch's type, and that are ours."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")

# `m` is tensorgrad or torch.
MISUSES: dict[str, Callable[[Any], Any]] = {
    "shapes of a sum": lambda m: m.ones(2) + m.ones(3),
    "shapes of a write": lambda m: m.ones(2).add_(m.ones(3)),
    "shapes of a product": lambda m: m.ones(2, 3) @ m.ones(2, 3),
    "shapes of mm": lambda m: m.mm(m.ones(2), m.ones(2, 2)),
    "shapes of cat": lambda m: m.cat([m.ones(2, 3), m.ones(3, 2)]),
    "shapes of stack": lambda m: m.stack([m.ones(2), m.ones(3)]),
    "nothing to stack": lambda m: m.stack([]),
    "reshape": lambda m: m.ones(6).reshape(4, 2),
    "view": lambda m: m.ones(2, 3).t().view(6),
    "expand": lambda m: m.ones(2).expand(3),
    "a second -1": lambda m: m.ones(6).reshape(-1, -1),
    "a dim out of range": lambda m: m.ones(2).sum(3),
    "a dim twice": lambda m: m.ones(2, 2).sum((0, 0)),
    "permute": lambda m: m.ones(2, 3).permute(0, 0),
    "transpose": lambda m: m.ones(2, 3).transpose(0, 2),
    "t": lambda m: m.ones(1, 1, 1).t(),
    "squeeze": lambda m: m.ones(1).squeeze(2),
    "an index out of range": lambda m: m.ones(2)[2],
    "too many indices": lambda m: m.ones(2)[0, 0],
    "an index tensor out of range": lambda m: m.ones(2)[m.tensor([5])],
    "a mask of another shape": lambda m: m.ones(2)[m.tensor([True, False, True])],
    "gather": lambda m: m.gather(m.ones(2, 2), 0, m.tensor([[2, 0]])),
    "gather of floats": lambda m: m.gather(m.ones(2), 0, m.ones(2)),
    "index_select": lambda m: m.ones(2).index_select(0, m.tensor([3])),
    "a write out of shape": lambda m: m.ones(2).__setitem__(slice(None), m.ones(3)),
    "split": lambda m: m.ones(5).split([2, 2]),
    "chunk": lambda m: m.ones(5).chunk(0),
    "item": lambda m: m.ones(2).item(),
    "the truth of two": lambda m: bool(m.ones(2)),
    "float of two": lambda m: float(m.ones(2)),
    "len": lambda m: len(m.tensor(1.0)),
    "iter": lambda m: iter(m.tensor(1.0)),
    "sizes": lambda m: m.zeros(-1),
    "sizes that are none": lambda m: m.zeros(2.0),
    "eye": lambda m: m.eye(-3, 3),
    "arange": lambda m: m.arange(3, 2),
    "arange without a step": lambda m: m.arange(0, 1, 0),
    "arange to infinity": lambda m: m.arange(0, float("inf")),
    "linspace": lambda m: m.linspace(0, 1, -1),
    "linspace of bools": lambda m: m.linspace(0, 1, 5, dtype=m.bool),
    "full": lambda m: m.full((2,), 256, dtype=m.uint8),
    "full of two": lambda m: m.full((2,), m.tensor([3, 4])),
    "fill_": lambda m: m.ones(2, dtype=m.uint8).fill_(300),
    "ragged": lambda m: m.tensor([[1, 2], [3]]),
    "an index of floats": lambda m: m.ones(2)[m.tensor([0.5])],
    "a fraction as an index": lambda m: m.ones(2)[0.5],
    "a mask of another shape, written": lambda m: m.ones(2).__setitem__(m.tensor([True, False, True]), 1),
    "unbind": lambda m: m.tensor(1.0).unbind(),
    "a number that does not fit": lambda m: m.tensor([300], dtype=m.uint8),
    "Tensor of a number": lambda m: m.Tensor(2.5),
    "Tensor of a negative size": lambda m: m.Tensor(-1),
    "dtypes of a product": lambda m: m.ones(2, 2) @ m.ones(2, 2, dtype=m.float64),
    "dtypes of closeness": lambda m: m.allclose(m.ones(2), m.ones(2, dtype=m.float64)),
    "tolerance": lambda m: m.isclose(m.ones(2), m.ones(2), rtol=-1),
    "bools": lambda m: m.tensor([True]) - m.tensor([True]),
    "-mask": lambda m: -m.tensor([True]),
    "+mask": lambda m: +m.tensor([True]),
    "the remainder of bools": lambda m: m.tensor([True]) % m.tensor([True]),
    "bits of floats": lambda m: m.ones(2) & 1,
    "shifts of floats": lambda m: m.bitwise_left_shift(m.ones(2), 1),
    "~": lambda m: ~m.ones(2),
    "floor by 0": lambda m: m.tensor([4]) // m.tensor([0]),
    "remainder by 0": lambda m: m.tensor([4]) % 0,
    "trunc by 0": lambda m: m.div(m.tensor([4]), 0, rounding_mode="trunc"),
    "a negative power": lambda m: m.tensor([2]) ** -1,
    "alpha": lambda m: m.add(m.tensor([1]), m.tensor([1]), alpha=2.5),
    "a rounding mode": lambda m: m.div(m.ones(1), 2, rounding_mode="up"),
    "an integer written over by floats": lambda m: m.tensor([1]).add_(0.5),
    "an integer divided in place": lambda m: m.tensor([1]).div_(2),
    "where": lambda m: m.where(m.ones(2), m.ones(2), m.ones(2)),
    "masked_fill by integers": lambda m: m.ones(2).masked_fill(m.tensor([1, 0]), 0),
    "masked_fill by a row": lambda m: m.ones(2).masked_fill(m.tensor([True, False]), m.ones(2)),
    "clamp": lambda m: m.ones(2).clamp(),
    "the mean of integers": lambda m: m.ones(2, dtype=m.int64).mean(),
    "the greatest of none": lambda m: m.ones(0).max(),
    "where the greatest of none is": lambda m: m.ones(0).argmax(),
    "the greatest of no rows": lambda m: m.ones(0, 3).max(0),
    "the least of no rows": lambda m: m.ones(0, 3).amin(0),
    "requires_grad of integers": lambda m: m.ones(2, dtype=m.int64, requires_grad=True),
    "backward of two": lambda m: m.ones(2, requires_grad=True).mul(2).backward(),
    "backward of none": lambda m: m.ones(()).backward(),
    "numpy under grad": lambda m: m.ones(2, requires_grad=True).numpy(),
    "a leaf written": lambda m: m.ones(2, requires_grad=True).add_(1),
    "bernoulli": lambda m: m.bernoulli(m.tensor([float("nan"), 7.0])),
    "bernoulli_": lambda m: m.ones(2).bernoulli_(2),
    "normal": lambda m: m.normal(m.ones(2), m.tensor([1.0, -1.0])),
    "normal_": lambda m: m.ones(2).normal_(0, float("nan")),
    "uniform_": lambda m: m.ones(2).uniform_(2, 1),
    "uniform_ to infinity": lambda m: m.ones(2).uniform_(0, float("inf")),
    "randint": lambda m: m.randint(3, 3, (2,)),
    "randint beyond uint8": lambda m: m.randint(0, 300, (2,), dtype=m.uint8),
    "randperm": lambda m: m.randperm(300, dtype=m.uint8),
    "rand of integers": lambda m: m.rand(2, dtype=m.int64),
    "dropout": lambda m: m.nn.functional.dropout(m.ones(2), 1.5),
    "linear": lambda m: m.nn.Linear(3, 2)(m.ones(1, 4)),
    "cross_entropy": lambda m: m.nn.functional.cross_entropy(m.ones(2, 3), m.tensor([0, 7])),
    "a state of another model": lambda m: m.nn.Linear(3, 2).load_state_dict(m.nn.Linear(4, 2).state_dict()),
    "a state that lacks something": lambda m: m.nn.Linear(3, 2).load_state_dict({}),
}


def _refused(call: Callable[[Any], Any], m: Any) -> Exception:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(m)
        except Exception as error:
            return error
    raise AssertionError(f"{m.__name__} answers")


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_is_caught_as_pytorchs(name: str) -> None:
    theirs, ours = (_refused(MISUSES[name], m) for m in (torch, tg))
    # "Not implemented for 'Bool'" is a matter of dtypes: programs catch its base, a RuntimeError.
    kind = RuntimeError if isinstance(theirs, NotImplementedError) else type(theirs)
    assert isinstance(ours, kind), f"{theirs!r} there, {ours!r} here"
    assert isinstance(ours, tg.TensorgradError)
