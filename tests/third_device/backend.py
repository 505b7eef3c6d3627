"""A device type from outside the package: the CPU's primitives by another name, on arrays of a class of their own.

Unlike the opaque device (tests/opaque.py) it has the CPU's overrides of composite primitives, so its numbers are the
CPU's to the last bit, and there are two of it. Each refuses the arrays of the other, and those of the host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tensorgrad.backends import Backend, register_backend
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.dtypes import DType
from tensorgrad.errors import DeviceError

__all__ = ["COUNT", "ThirdBackend", "make", "register"]

COUNT = 2


class ThirdBackend(CpuBackend):
    """Every primitive runs on the CPU's arrays inside of its own."""

    name: ClassVar[str] = "third"
    array_type: type[Any]

    def __init__(self, index: int) -> None:
        self.array_type = type(f"Third{index}Array", (np.ndarray,), {})
        inner = CpuBackend()
        for name in _primitives():
            setattr(self, name, self._translated(name, getattr(inner, name)))

    def _translated(self, name: str, primitive: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            given: dict[int, Any] = {}
            arguments = [self._opened(name, a, given) for a in args]
            keywords = {k: self._opened(name, a, given) for k, a in kwargs.items()}
            with np.errstate(all="ignore"):
                return self._closed(primitive(*arguments, **keywords), given)

        return run

    def _opened(self, name: str, x: Any, given: dict[int, Any]) -> Any:
        if isinstance(x, (list, tuple)):
            return type(x)(self._opened(name, e, given) for e in x)
        if not isinstance(x, np.ndarray):
            return x
        assert type(x) is self.array_type, f"{name} was given a {type(x).__name__}, not a {self.array_type.__name__}"
        inside = x.view(np.ndarray)
        given[id(inside)] = x, inside
        return inside

    def _closed(self, x: Any, given: dict[int, Any]) -> Any:
        if isinstance(x, tuple):
            return tuple(self._closed(e, given) for e in x)
        if not isinstance(x, (np.ndarray, np.generic)):
            return x
        return given[id(x)][0] if id(x) in given else np.asarray(x).view(self.array_type)

    # ------------------------------------------------------------------ in and out
    def asarray(self, data: Any, *, dtype: DType | None = None) -> Any:  # type: ignore[override]
        if type(data) is self.array_type:
            return data if dtype is None else data.astype(dtype)
        assert type(data) is np.ndarray or not isinstance(data, np.ndarray), "an array of another device"
        return np.array(data, dtype).view(self.array_type)

    def boxed(self, result: Any) -> Any:  # type: ignore[override]
        assert type(result) is self.array_type
        return result

    @staticmethod
    def to_numpy(x: Any) -> Any:
        return np.array(x)

    def from_dlpack(self, source: Any) -> Any:  # type: ignore[override]
        return np.from_dlpack(source).view(self.array_type)

    # ------------------------------------------------------------------ whose memory it is
    @staticmethod
    def is_view(view: Any, x: Any) -> bool:
        return view is x or _memory(view) is _memory(x)

    @staticmethod
    def owns(x: Any) -> bool:
        return _memory(x) is x.base

    def device_count(self) -> int:
        return COUNT


def _primitives() -> list[str]:
    """What computes: not what a backend has from `Backend` itself, nor what ThirdBackend does in its own way."""
    own = {"array_type", *vars(Backend), *vars(ThirdBackend)}
    return [n for n in dir(CpuBackend) if n[0] != "_" and n not in own and callable(getattr(CpuBackend, n))]


def _memory(x: Any) -> Any:
    """The array that all views of one memory lead back to."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def make(index: int | None) -> Backend:
    if index is None or index >= COUNT:
        raise DeviceError(f"there are {COUNT}, third:0 and third:1")
    return ThirdBackend(index)


def register() -> None:
    """What an entry point of the group `tensorgrad.devices` names."""
    register_backend("third", make, numbered=True)
