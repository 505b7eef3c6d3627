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
from tensorgrad.backends.primitives import PRIMITIVES
from tensorgrad.backends.primitives.basic import UniformPrimitives

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


def _check_dtypes(name: str, args: tuple[Any, ...]) -> None:
    """The contract of the primitives: arrays that meet are of one dtype, and indices are int64."""
    met = {a.dtype for a in _that_meet(name, args) if isinstance(a, OpaqueArray)}
    assert len(met) < 2, f"{name} was given arrays of different dtypes: {met}"
    for index in _indices(name, args):
        assert index.dtype == np.int64, f"{name} was given indices of {index.dtype}"


def _that_meet(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if name == "concatenate":
        return tuple(args[0])
    if name == "put_along_axis":
        return args[0], args[2]
    by_place = {"where": args[1:], "matmul": args, "put_index": args[:2]}
    return by_place.get(name, args if UniformPrimitives.__annotations__.get(name) == "Binary" else ())


def _indices(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if name == "put_index":
        return args[2:]
    if name == "take_index":
        return args[1:]
    return args[1:2] if name in ("take", "take_along_axis", "put_along_axis") else ()


def _primitive(name: str) -> Callable[..., Any]:
    inner = getattr(CpuBackend(), name)

    def run(self: OpaqueBackend, *args: Any, out: OpaqueArray | None = None, **statics: Any) -> Any:
        self.calls[name] += 1
        _check_dtypes(name, args)
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


def _predicate(name: str) -> Callable[..., bool]:
    """Questions about memory: they are no computation and are not counted."""
    inner = getattr(CpuBackend(), name)
    return lambda self, *arrays: bool(inner(*(a._hidden for a in arrays)))


PREDICATES = ("is_view", "owns", "is_contiguous")


class _Base(Backend, interprets=True):
    """Where `OpaqueBackend` gets its primitives from, before it is checked for being complete."""


for _name in PRIMITIVES:
    setattr(_Base, _name, _predicate(_name) if _name in PREDICATES else _primitive(_name))
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
