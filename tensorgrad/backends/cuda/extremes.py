"""The reductions that CuPy makes in one way whatever the shape: products, extremes and their places, any and all."""

from __future__ import annotations

import cupy

from tensorgrad.backends.cuda.results import accumulated, given, in_order, position, reduced
from tensorgrad.backends.primitives import Array, Axis, Primitives

__all__ = ["CudaExtremes"]


class CudaExtremes(Primitives):
    """Mixin of CudaBackend."""

    @staticmethod
    def prod(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return accumulated(cupy.prod, x, axis, keepdims, out)

    @staticmethod
    def max(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return reduced(cupy.max, x, axis, keepdims, out)

    @staticmethod
    def min(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return given(in_order(cupy.min(x, axis, None, keepdims)), out)

    @staticmethod
    def any(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return reduced(cupy.any, x, axis, keepdims, out)

    @staticmethod
    def all(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return reduced(cupy.all, x, axis, keepdims, out)

    @staticmethod
    def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return given(position(cupy.argmax, x, axis, keepdims), out)

    @staticmethod
    def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return given(position(cupy.argmin, x, axis, keepdims), out)
