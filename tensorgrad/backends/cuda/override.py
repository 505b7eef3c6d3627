"""How a device with kernels overrides a composite primitive: by a kernel where one suits, else by the composition.

Kernels write without gaps. Into any other `out` the result is copied, so that it has the same bits there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from tensorgrad.backends.primitives import Array, Primitives

__all__ = ["KernelOverrides", "or_composition", "without_gaps"]

Method = Callable[..., Any]


class KernelOverrides(Primitives):
    """What the overrides of every family share."""

    def _contiguous(self, x: Array) -> Array:
        return x if self.is_contiguous(x) else self.copy(x)

    def _like(self, x: Array, out: Array | None) -> Array:
        return self.empty(x.shape, x.dtype) if out is None else out


def or_composition(composition: Method) -> Callable[[Method], Method]:
    """The decorated method tries a kernel, and answers None where none can take its arguments; then `composition`,
    called with the same ones, does it."""

    def override(attempt: Method) -> Method:
        @without_gaps
        @wraps(composition)
        def primitive(self: Any, *args: Any, **kwargs: Any) -> Any:
            done = attempt(self, *args, **kwargs)
            return composition(self, *args, **kwargs) if done is None else done

        return primitive

    return override


def without_gaps(method: Method) -> Method:
    """The decorated method is given no `out` but contiguous ones."""

    @wraps(method)
    def primitive(self: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return method(self, *args, **kwargs)
        targets = out if isinstance(out, tuple) else (out,)
        if all(self.is_contiguous(x) for x in targets):
            return method(self, *args, out=out, **kwargs)
        made = method(self, *args, **kwargs)
        for target, result in zip(targets, made if isinstance(made, tuple) else (made,), strict=True):
            self.copyto(target, result)
        return out

    return primitive
