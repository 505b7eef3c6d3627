"""Float16 computed in float32 by ops whose texts are composed of several primitives: see `Op`, and
`backends/primitives/half.py` for what it is good for.

Whether arrays are of float16 is told by one of them, the first or the gradient, since those of an op have one dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.backends.primitives import Spec
from tensorgrad.backends.primitives.half import narrowed, widened
from tensorgrad.dtypes import HALF, float16, float32

__all__ = ["is_half", "wide_arguments", "wide_forward"]

Function = Callable[..., Any]


def wide_forward(forward: Function, B: Any, arrays: list[Any], static: dict[str, Any]) -> Any:
    """What a forward makes of float16 arrays widened, narrowed again (residuals too)."""
    return _each(narrowed, B, forward(B, *(widened(B, a) for a in arrays), **static))


def is_half(g: Any) -> bool:
    """Whether a gradient, or what there is of those of several outputs, is of float16."""
    first = next(d for d in g if d is not None) if isinstance(g, (tuple, list)) else g
    return bool(first.dtype.char == HALF)


def wide_arguments(B: Any, g: Any, out: Any, arguments: Any) -> tuple[Any, Any, list[Any]]:
    """What a vjp is given, in float32."""
    return _each(widened, B, g), _read(B, out), [_read(B, x) for x in arguments]


def _each(convert: Function, B: Any, x: Any) -> Any:
    return tuple([convert(B, a) for a in x]) if isinstance(x, (tuple, list)) else convert(B, x)


def _read(B: Any, x: Any) -> Any:
    """What a vjp reads: an array, several, or what stands for one that was not kept, of which it sees the dtype."""
    if isinstance(x, B.array_type):
        return widened(B, x)
    if isinstance(x, (tuple, list)) and not isinstance(x, Spec):
        return tuple([_read(B, a) for a in x])
    return Spec(x.shape, float32) if getattr(x, "dtype", None) == float16 else x
