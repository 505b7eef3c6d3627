"""CpuBackend: the primitives on NumPy arrays.

NumPy's ufuncs are the primitives wherever their results are ours, but for results without dimensions (`results.py`).
"""

from __future__ import annotations

from functools import lru_cache
from math import copysign
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from tensorgrad.backends.base import Backend
from tensorgrad.backends.cpu.activation import CpuActivation
from tensorgrad.backends.cpu.check import CpuCheck
from tensorgrad.backends.cpu.elementwise import CpuElementwise
from tensorgrad.backends.cpu.erf import erf
from tensorgrad.backends.cpu.extremes import CpuExtremes
from tensorgrad.backends.cpu.index import CpuIndex
from tensorgrad.backends.cpu.loss import CpuLoss
from tensorgrad.backends.cpu.optimizer import CpuOptimizer
from tensorgrad.backends.cpu.random import CpuRandom
from tensorgrad.backends.cpu.reduce import CpuReduce
from tensorgrad.backends.cpu.results import binary, given, in_order, into, unary
from tensorgrad.backends.cpu.spread import CpuSpread
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.backends.primitives.results import counted
from tensorgrad.dtypes import DType, float64

__all__ = ["CpuBackend"]

_PIECE = 2048  # numbers that `arange` makes at a time


class CpuBackend(
    CpuElementwise,
    CpuSpread,
    CpuReduce,
    CpuExtremes,
    CpuIndex,
    CpuActivation,
    CpuLoss,
    CpuCheck,
    CpuOptimizer,
    CpuRandom,
    Backend,
):
    """NumPy. Without state of its own: one instance serves every thread."""

    name: ClassVar[str] = "cpu"
    array_type = np.ndarray

    absolute = unary(np.absolute)
    sign = unary(np.sign)
    exp = unary(np.exp)
    expm1 = unary(np.expm1)
    log = unary(np.log)
    log1p = unary(np.log1p)
    log2 = unary(np.log2)
    sqrt = unary(np.sqrt)
    square = unary(np.square)
    reciprocal = unary(np.reciprocal)
    sin = unary(np.sin)
    cos = unary(np.cos)
    tan = unary(np.tan)
    tanh = unary(np.tanh)
    floor = unary(np.floor)
    ceil = unary(np.ceil)
    trunc = unary(np.trunc)
    rint = unary(np.rint)
    logical_not = unary(np.logical_not)
    invert = unary(np.invert)

    add = binary(np.add)
    subtract = binary(np.subtract)
    multiply = binary(np.multiply)
    divide = binary(np.divide)
    power = binary(np.power)
    floor_divide = binary(np.floor_divide)
    maximum = binary(np.maximum)
    minimum = binary(np.minimum)
    equal = binary(np.equal)
    not_equal = binary(np.not_equal)
    less = binary(np.less)
    less_equal = binary(np.less_equal)
    greater = binary(np.greater)
    greater_equal = binary(np.greater_equal)
    logical_and = binary(np.logical_and)
    logical_or = binary(np.logical_or)
    logical_xor = binary(np.logical_xor)
    bitwise_and = binary(np.bitwise_and)
    bitwise_or = binary(np.bitwise_or)
    bitwise_xor = binary(np.bitwise_xor)
    left_shift = binary(np.left_shift)
    right_shift = binary(np.right_shift)

    def erf(self, x: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        return erf(self, x, out)

    # ------------------------------------------------------------------ making and copying
    @staticmethod
    def asarray(data: Any, *, dtype: DType | None = None) -> Array:
        return np.asarray(data, dtype=dtype)

    @staticmethod
    def to_numpy(x: Array) -> Array:
        return x

    def to_dlpack(self, x: Array, **options: Any) -> Any:
        strides = x.strides
        if x.flags.aligned and (not strides or min(strides) >= 0):  # as `_lies_plainly`, without the call
            return x.__dlpack__(**options)
        return super().to_dlpack(x, **options)

    def _lies_plainly(self, x: Array) -> bool:
        strides = x.strides
        return x.flags.aligned and (not strides or min(strides) >= 0)

    @staticmethod
    def from_dlpack(source: Any) -> Array:
        return np.from_dlpack(source)

    @staticmethod
    def empty(shape: Shape, dtype: DType) -> Array:
        return np.empty(shape, dtype)

    @staticmethod
    def full(shape: Shape, value: float, dtype: DType, *, out: Array | None = None) -> Array:
        if out is None:
            if value == 0 and (type(value) is int or copysign(1, value) > 0):
                return np.zeros(shape, dtype)
            out = np.empty(shape, dtype)
        out.fill(value)
        return out

    @staticmethod
    def arange(start: float, stop: float, step: float, dtype: DType, *, out: Array | None = None) -> Array:
        wide = float64 if dtype.kind == "f" else dtype
        if out is None and (wide != float64 or start == 0):
            numbers: Array = np.arange(start, stop, step, wide)  # type: ignore[call-overload]
            return numbers if wide == dtype else numbers.astype(dtype)
        # NumPy's step is (start + step) - start, and the error of that sum grows with every number.
        if out is None:
            numbers = np.arange(counted(start, stop, step, dtype).shape[0], dtype=wide)
            numbers *= step
            numbers += start
            return numbers if wide == dtype else numbers.astype(dtype)
        origin, delta = np.asarray(start).astype(wide), np.asarray(step).astype(wide)
        for first in range(0, len(out), _PIECE):
            piece = out[first : first + _PIECE]
            into(piece, np.arange(first, first + len(piece), dtype=wide) * delta + origin)
        return out

    @staticmethod
    def copy(x: Array, *, out: Array | None = None) -> Array:
        return np.array(x, order="C") if out is None else into(out, x)

    @staticmethod
    def astype(x: Array, dtype: DType, *, out: Array | None = None) -> Array:
        if out is not None:
            return into(out, x)
        # NumPy would keep the order of the strides, and so move a stretched axis to the end.
        return x.astype(dtype) if x.base is None or 0 not in x.strides else x.astype(dtype, "C")

    @staticmethod
    def copyto(target: Array, source: Array) -> None:
        np.copyto(target, source, casting="unsafe")

    # ------------------------------------------------------------------ views
    @staticmethod
    def reshape(x: Array, shape: Shape) -> Array:
        view = x.reshape(shape)
        if not x.flags.c_contiguous and x.size and not np.may_share_memory(view, x):
            raise ValueError(f"reshape: an array of strides {x.strides} cannot be seen in shape {shape} without a copy")
        return view

    @staticmethod
    def reshaped(x: Array, shape: Shape, *, out: Array | None = None) -> Array:
        return x.reshape(shape) if out is None else into(out, x.reshape(shape))

    @staticmethod
    def transpose(x: Array, axes: tuple[int, ...] | None = None) -> Array:
        return x.transpose(axes)

    @staticmethod
    def broadcast_to(x: Array, shape: Shape) -> Array:
        strides = _stretched(x.shape, x.strides, shape) if x.flags.c_contiguous else None
        if strides is None:
            return np.broadcast_to(x, shape)
        # The gradient of every sum passes here, and np.broadcast_to takes longer than most sums.
        view: Array = np.ndarray(shape, x.dtype, np.asarray(x), 0, strides)
        view.flags.writeable = False
        return view

    @staticmethod
    def getitem(x: Array, key: Any) -> Array:
        # A trailing Ellipsis makes NumPy answer with a 0-d view where it would otherwise copy a scalar out.
        return x[key] if Ellipsis in key else x[(*key, ...)]

    @staticmethod
    def diagonal(x: Array, place: tuple[int, int, int]) -> Array:
        view = x.diagonal(*place)
        view.flags.writeable = x.flags.writeable  # NumPy gives it read-only
        return view

    @staticmethod
    def reinterpret(x: Array, dtype: DType) -> Array:
        view = x.view(dtype)
        if not view.flags.aligned:
            raise ValueError(f"reinterpret: the memory does not begin where a {dtype} can; copy it first")
        return view

    @staticmethod
    def writable(x: Array) -> Array:
        if x.flags.writeable:
            return x
        view = x.view()
        try:
            view.flags.writeable = True
        except ValueError:  # whose memory it is has made it read-only
            return x
        return view

    @staticmethod
    def is_view(view: Array, x: Array) -> bool:
        base = view.base
        return view is x or (base is not None and (base is x or base is x.base))

    @staticmethod
    def owns(x: Array) -> bool:
        return type(x) is np.ndarray and x.base is None

    @staticmethod
    def is_writable(x: Array) -> bool:
        return bool(x.flags.writeable)

    is_contiguous = staticmethod(attrgetter("flags.c_contiguous"))  # many ops ask: written out it takes twice as long

    # ------------------------------------------------------------------ selecting, joining, sorting
    def where(self, condition: Array, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if out is None:
            return np.where(condition, x, y)
        target = out
        if any(np.may_share_memory(out, given) for given in (condition, x, y)):
            target = self.scratch(out.shape, out.dtype)  # written before all of them are read
        np.copyto(target, y)
        np.copyto(target, x, where=condition)
        return out if target is out else into(out, target)

    @staticmethod
    def concatenate(arrays: list[Array], axis: int, *, out: Array | None = None) -> Array:
        if out is not None:
            return np.concatenate(arrays, axis, out)
        joined = np.concatenate(arrays, axis)
        return in_order(joined)  # NumPy keeps the order of the axes in memory that the arrays have in common

    @staticmethod
    def argsort(x: Array, axis: int, *, descending: bool = False, out: Array | None = None) -> Array:
        result = _argsort_descending(x, axis) if descending else np.argsort(x, axis, kind="stable")
        return given(result, out)

    nonzero = staticmethod(np.nonzero)


@lru_cache(maxsize=1024)
def _stretched(shape: Shape, strides: Shape, target: Shape) -> Shape | None:
    """The strides that show an array in the shape `target`; None where it does not broadcast to it."""
    lead = len(target) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, target[lead:], strict=True)):
        return None
    return (0,) * lead + tuple([0 if n == 1 else s for n, s in zip(shape, strides, strict=True)])


def _argsort_descending(x: Array, axis: int) -> Array:
    """Stable and descending, NaN first: the ascending order of the reversed array, read backwards."""
    n = x.shape[axis] if x.ndim else 1
    backwards = np.argsort(np.flip(x, axis), axis, kind="stable") if x.ndim else np.argsort(x, axis)
    return n - 1 - np.flip(backwards, axis) if x.ndim else backwards
