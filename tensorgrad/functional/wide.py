"""Functions that are several ops, computed in float32 for float16 inputs and rounded once: see
`backends/primitives/half.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import HALF, float16, float32
from tensorgrad.functional.promotion import cast

__all__ = ["in_float32"]


def in_float32(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A decorator: where the first argument is a float16 Tensor, it and all others by position that are such are
    widened, and the result is narrowed."""

    @wraps(function)
    def compute(x: Tensor, *rest: Any, **static: Any) -> Tensor:
        if x.dtype.char != HALF:
            return function(x, *rest, **static)
        wide = [cast(a, float32) if isinstance(a, Variable) and a.dtype == float16 else a for a in (x, *rest)]
        return cast(function(*wide, **static), float16)

    return compute
