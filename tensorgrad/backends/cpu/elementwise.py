"""Elementwise primitives that are more than NumPy's ufunc.

In NumPy 2.4, on processors with AVX-512, `negative`, `isfinite`, `isnan` and `isinf` read or write wrong elements in
some arrays with gaps when they are given `out`. Between arrays without gaps they are right, and so is what they make
themselves; else other ufuncs stand in here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed, into
from tensorgrad.backends.primitives import Array, Primitives
from tensorgrad.dtypes import bool_

__all__ = ["CpuElementwise"]


class CpuElementwise(Primitives):
    """Mixin of `CpuBackend`."""

    @staticmethod
    def log10(x: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        # NumPy's float32 logarithm of 100 is not 2.
        if x.dtype != np.float32:
            return boxed(np.log10(x)) if out is None else np.log10(x, out)
        out = np.empty(x.shape, np.float32) if out is None else out
        return np.log10(x, out=out, dtype=np.float64, casting="same_kind")

    def remainder(self, x: Array, y: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        # Where nothing is left NumPy takes the sign of y, and everybody else that of x.
        if out is None:
            rest = np.remainder(x, y)
            if type(rest) is not np.ndarray:
                rest = np.asarray(rest)
            if rest.dtype.kind == "f" and np.count_nonzero(rest) != rest.size:
                np.copysign(rest, x, out=rest, where=np.equal(rest, 0))
            return rest
        if out.dtype.kind != "f":
            return np.remainder(x, y, out=out)
        clash = isinstance(x, np.ndarray) and np.may_share_memory(out, x)
        rest = np.remainder(x, y, out=self.scratch(out.shape, out.dtype) if clash else out)
        np.copysign(rest, x, out=rest, where=np.equal(rest, 0, out=self.scratch(rest.shape, bool_)))
        return into(out, rest) if clash else rest

    @staticmethod
    def negative(x: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        if out is None:
            return boxed(np.negative(x))
        if _without_gaps(x, out):
            return np.negative(x, out)
        return np.multiply(x, -1, out) if x.dtype.kind == "f" else np.subtract(0, x, out)

    @staticmethod
    def isnan(x: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        if out is None:
            return boxed(np.isnan(x))
        return np.isnan(x, out) if _without_gaps(x, out) else np.not_equal(x, x, out)

    def isfinite(self, x: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        return self._by_size(np.isfinite, np.less, x, out)

    def isinf(self, x: Array, *, out: Array | None = None) -> Array:  # type: ignore[override]
        return self._by_size(np.isinf, np.equal, x, out)

    def _by_size(self, ufunc: Any, compare: Any, x: Array, out: Array | None) -> Array:
        if out is None:
            return boxed(ufunc(x))
        if x.dtype.kind != "f" or _without_gaps(x, out):
            return ufunc(x, out)
        return compare(np.absolute(x, self.scratch(x.shape, x.dtype)), np.inf, out)


def _without_gaps(x: Array, out: Array) -> bool:
    return bool(x.flags.c_contiguous and out.flags.c_contiguous)
