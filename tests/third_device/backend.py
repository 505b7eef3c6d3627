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
from tensorgrad.backends.primitives import TABLE
from tensorgrad.dtypes import DType
from tensorgrad.errors import DeviceError

__all__ = ["COUNT", "ThirdBackend", "make", "register"]

COUNT = 2


class ThirdBackend(CpuBackend):
    """Whatever computes does it as the CPU does, on the CPU's arrays inside of its own (see below)."""

    name: ClassVar[str] = "third"
    array_type: type[Any]

    def __init__(self, index: int) -> None:
        self.array_type = type(f"Third{index}Array", (np.ndarray,), {})

    # ------------------------------------------------------------------ in and out
    def asarray(self, data: Any, *, dtype: DType | None = None) -> Any:  # type: ignore[override]
        if type(data) is self.array_type:
            return data if dtype is None else data.astype(dtype)
        assert type(data) is np.ndarray or not isinstance(data, np.ndarray), "an array of another device"
        return np.array(data, dtype).view(self.array_type)

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


def _memory(x: Any) -> Any:
    """The array that all views of one memory lead back to."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


# ---------------------------------------------------------------------- what computes
def _primitive(name: str) -> Callable[..., Any]:
    inner = getattr(CpuBackend(), name)

    def run(self: ThirdBackend, *args: Any, **kwargs: Any) -> Any:
        given: dict[int, tuple[Any, Any]] = {}  # what the CPU sees of an array, and the array
        arguments = [_opened(name, a, self.array_type, given) for a in args]
        keywords = {k: _opened(name, a, self.array_type, given) for k, a in kwargs.items()}
        with np.errstate(all="ignore"):
            return _closed(inner(*arguments, **keywords), self.array_type, given)

    return run


def _opened(name: str, x: Any, own: type[Any], given: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(_opened(name, e, own, given) for e in x)
    if not isinstance(x, np.ndarray):
        return x
    assert type(x) is own, f"{name} was given a {type(x).__name__}, not a {own.__name__}"
    inside = x.view(np.ndarray)
    given[id(inside)] = inside, x
    return inside


def _closed(x: Any, own: type[Any], given: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(x, tuple):
        return tuple(_closed(e, own, given) for e in x)
    if not isinstance(x, np.ndarray):
        return x
    return given[id(x)][1] if id(x) in given else x.view(own)


for _name, _row in TABLE.items():
    if _row.kind in ("compute", "view", "check", "query") and _name not in {*vars(Backend), *vars(ThirdBackend)}:
        setattr(ThirdBackend, _name, _primitive(_name))


def make(index: int | None) -> Backend:
    if index is None or index >= COUNT:
        raise DeviceError(f"there are {COUNT}, third:0 and third:1")
    return ThirdBackend(index)


def register() -> None:
    """What an entry point of the group `tensorgrad.devices` names."""
    register_backend("third", make, numbered=True)
