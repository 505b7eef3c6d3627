"""Whose memory a result is: new for whatever computes, also where there is nothing to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

ANY = [tg.bool, tg.uint8, tg.int8, tg.int16, tg.int32, tg.int64, tg.uint64, tg.float16, tg.float32, tg.float64]
NUMBERS = ANY[1:]

# Functions that leave some dtypes, or some values, as they are.
IDENTITIES: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "sign": (lambda x: x.sign(), ANY),
    "abs": (lambda x: x.abs(), ANY),
    "floor": (lambda x: x.floor(), ANY),
    "ceil": (lambda x: x.ceil(), ANY),
    "trunc": (lambda x: x.trunc(), ANY),
    "round": (lambda x: x.round(), ANY),
    "round-decimals": (lambda x: x.round(decimals=400), ANY),
    "clamp": (lambda x: x.clamp(0, 1), ANY),
    "clamp-tensor": (lambda x: x.clamp(min=x), ANY),
    "add-nothing": (lambda x: x + 0, ANY),
    "add-alpha": (lambda x: x.add(x, alpha=0), ANY),
    "mul-one": (lambda x: x * True, ANY),
    "pow-one": (lambda x: x**1, NUMBERS),
    "pow-true": (lambda x: x**True, ANY),
    "floor_divide": (lambda x: x // 1, ANY),
    "div": (lambda x: x.div(1), ANY),
    "maximum": (lambda x: tg.maximum(x, x), ANY),
    "where": (lambda x: tg.where(tg.tensor([True] * 4), x, x), ANY),
    "masked_fill": (lambda x: x.masked_fill(tg.tensor([False] * 4), 0), ANY),
    "relu": (lambda x: tg.relu(x), NUMBERS),
    "logical_and": (lambda x: tg.logical_and(x, True), ANY),
    "clone": (lambda x: x.clone(), ANY),
    "to-copy": (lambda x: x.to(x.dtype, copy=True), ANY),
}


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, (_, dtypes) in IDENTITIES.items() for dtype in dtypes], ids=str
)
def test_a_result_has_memory_of_its_own(name: str, dtype: Any) -> None:
    x = tg.ones(4, dtype=dtype)
    result = IDENTITIES[name][0](x)
    assert not np.shares_memory(result.numpy(), x.numpy())
    result.zero_()
    assert x.tolist() == [1] * 4


@pytest.mark.parametrize("dtype", ANY, ids=str)
def test_what_gives_the_tensor_back(dtype: Any) -> None:
    """As in PyTorch: these do not compute."""
    x = tg.ones(4, dtype=dtype)
    same = [x.to(dtype), x.to("cpu"), x.contiguous(), x.cpu(), x.type_as(x), tg.t(x)]
    same += [] if dtype == tg.bool else [+x]
    assert all(t is x for t in same)
