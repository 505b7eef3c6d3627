"""A device whose arrays only its own primitives can touch: whoever bypasses the backend fails on it.

It computes with the CpuBackend inside, one basic primitive at a time, overrides no composite primitive, and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeAlias

import numpy as np

import tensorgrad as tg
from tensorgrad.backends import Backend, register_backend
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.primitives import TABLE, Row, names

HostArray: TypeAlias = "np.ndarray[Any, Any]"

__all__ = ["OpaqueArray", "OpaqueBackend", "opaque_device"]


class OpaqueArray:
    """shape, dtype, ndim, and nothing else: no operators, no truth, no length, no NumPy protocols."""

    __slots__ = ("__weakref__", "_hidden")

    def __init__(self, hidden: HostArray) -> None:
        self._hidden = hidden

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._hidden.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self._hidden.dtype
        return dtype

    @property
    def ndim(self) -> int:
        return self._hidden.ndim

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError("an opaque array was touched by something other than its backend")

    # Python and NumPy would find an answer of their own where these are left out.
    __bool__ = __eq__ = __ne__ = __len__ = __iter__ = __contains__ = _refuse
    __array__ = __array_function__ = __dlpack__ = __buffer__ = _refuse
    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = __format__ = _refuse
    __array_ufunc__ = None
    __hash__ = object.__hash__


def _opened(x: Any) -> Any:
    """Arguments as the CpuBackend takes them."""
    if isinstance(x, OpaqueArray):
        return x._hidden
    if isinstance(x, (list, tuple)):
        return type(x)(_opened(e) for e in x)
    assert not isinstance(x, np.ndarray), "an array of another device was given to a primitive"
    return x


def _closed(x: Any) -> Any:
    """Results as this device has them; shapes, truths and None stay."""
    if isinstance(x, (np.ndarray, np.generic)):
        return OpaqueArray(np.asarray(x))
    return tuple(_closed(e) for e in x) if isinstance(x, tuple) else x


def _check_dtypes(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """The contract of the primitives: arrays that meet are of one dtype, and indices are int64."""
    bound = list(row.bind(args, kwargs))
    met = {a.dtype for name, given in bound if name in row.meet for a in _arrays(given)}
    assert len(met) < 2, f"{row.name} was given arrays of different dtypes: {met}"
    for name, index in bound:
        assert name not in row.indices or index.dtype == np.int64, f"{row.name} was given indices of {index.dtype}"


def _arrays(given: Any) -> list[OpaqueArray]:
    return [x for x in (given if isinstance(given, (list, tuple)) else [given]) if isinstance(x, OpaqueArray)]


def _primitive(name: str) -> Callable[..., Any]:
    inner = getattr(CpuBackend(), name)

    def run(self: OpaqueBackend, *args: Any, out: OpaqueArray | None = None, **statics: Any) -> Any:
        self.calls[name] += 1
        _check_dtypes(TABLE[name], args, statics)
        arguments, keywords = [_opened(a) for a in args], {k: _opened(v) for k, v in statics.items()}
        if out is None:
            return _closed(inner(*arguments, **keywords))
        inner(*arguments, out=out._hidden, **keywords)
        return out

    return run


def _asarray(self: OpaqueBackend, data: Any, /, *, dtype: Any = None) -> OpaqueArray:
    """Host data come in, and arrays of this device as they are."""
    self.calls["asarray"] += 1
    return OpaqueArray(np.array(_opened(data) if isinstance(data, OpaqueArray) else data, dtype=dtype))


def _to_numpy(self: OpaqueBackend, x: OpaqueArray, /) -> np.ndarray[Any, Any]:
    self.calls["to_numpy"] += 1
    return x._hidden.copy()


def _query(name: str) -> Callable[..., Any]:
    """Questions about memory: they are no computation and are not counted."""
    inner = getattr(CpuBackend(), name)
    return lambda self, *arguments: inner(*(_opened(a) for a in arguments))


class _Base(Backend, interprets=True):
    """Where `OpaqueBackend` gets its primitives from, before it is checked for being complete."""


for _name in (*names(basic=True), "strides"):
    setattr(_Base, _name, _query(_name) if TABLE[_name].kind == "query" else _primitive(_name))
_Base.asarray = _asarray  # type: ignore[method-assign, assignment]
_Base.to_numpy = _to_numpy  # type: ignore[method-assign, assignment]


class OpaqueBackend(_Base):
    """Every basic primitive of the CpuBackend on opaque arrays; composite ones are their default compositions."""

    name: ClassVar[str] = "opaque"
    array_type = OpaqueArray

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()


def opaque_device() -> tg.Device:
    """The device "opaque", one in each process."""
    register_backend("opaque", lambda index: OpaqueBackend())
    return tg.device("opaque")
