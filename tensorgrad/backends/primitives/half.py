"""Float16 computed in float32: whatever is composed of several steps is rounded once, at the end.

A composition in float16 rounds to eleven bits at every step, and its steps leave the range (up to 65504, down to 6e-8)
where its result does not. So each level that composes widens at its entry and narrows its result:

- composite primitives: `in_float32`, around every composition whose row in the table does not say `half="as given"`;
- ops that compose basic primitives, and their vjps: `Op` with `wide=True` (`autograd/op.py`);
- public functions that are several ops: `functional/wide.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from tensorgrad.dtypes import HALF, float16, float32

__all__ = ["in_float32", "narrowed", "widened"]


def widened(B: Any, x: Any) -> Any:
    """The array `x` in float32 where it is a float16 one; anything else as it is."""
    return B.astype(x, float32) if getattr(x, "dtype", None) == float16 else x


def narrowed(B: Any, x: Any, out: Any = None) -> Any:
    """The float32 array `x` in float16, in `out` if there is one; anything else as it is."""
    return B.astype(x, float16, out=out) if getattr(x, "dtype", None) == float32 else x


def in_float32(composition: Callable[..., Any]) -> Callable[..., Any]:
    """The composition, which of float16 arrays makes float32 ones for the primitive of its name, and rounds what that
    answers. A device's own version of the primitive does the work where it has one for float32."""
    name = composition.__name__

    @wraps(composition)
    def primitive(self: Any, x: Any, *rest: Any, **static: Any) -> Any:
        if x.dtype.char != HALF:
            return composition(self, x, *rest, **static)
        out = static.pop("out", None)
        wide = getattr(self, name)(widened(self, x), *(widened(self, a) for a in rest), **static)
        if not isinstance(wide, tuple):
            return narrowed(self, wide, out)
        return tuple([narrowed(self, w, o) for w, o in zip(wide, out or (None,) * len(wide), strict=True)])

    return primitive
