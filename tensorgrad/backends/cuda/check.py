"""Checks of indices and numbers: their kernels' launches (see `activation.py` for what they ask of arrays), and their
primitives."""

from __future__ import annotations

import itertools

import numpy as np

from tensorgrad.backends.cuda.errors import ERROR_WORDS, DeferredErrors
from tensorgrad.backends.cuda.launch import (
    Launcher,
    arithmetic_dtype,
    check_arrays,
    check_dtype,
    per_vector,
    suffix_of,
)
from tensorgrad.backends.cuda.override import KernelOverrides, without_gaps
from tensorgrad.backends.kernel_files import FLOATS, INTEGERS
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import int64, uint8
from tensorgrad.errors import ArgumentError, BoundsError

__all__ = ["CheckKernels", "CudaCheck"]


class CheckKernels:
    """Checks of indices and numbers that the host does not wait for.

    `error` is int64[9], zeros at first: code, where, value, position, low, high, launch, lock and run. The first launch
    that finds something while the code is 0 sets the others, for the least position; later ones leave them. The host
    clears the code alone. Whatever shares the word is launched through one CheckKernels, which counts the launches, on
    any stream and from any thread. `where` is the caller's number of the check.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._launches = itertools.count(1)

    def check_bounds(self, indices: Array, low: int, high: int, code: int, where: int, error: Array) -> None:
        """Report the first index outside [low, high) as `code` (not 0)."""
        suffix = self._checked("check_bounds kernel", INTEGERS, code, error, indices=indices)
        args = (indices, indices.size, low, high, code, where, next(self._launches), error)
        self._launcher.flat(f"check_bounds_{suffix}", indices.size, 4, *args)

    def wrap_indices(self, indices: Array, out: Array, size: int, code: int, where: int, error: Array) -> None:
        """out = indices counted from the start, reporting the first outside [-size, size), for which 0 stands in `out`.
        `out` may not be `indices`."""
        suffix = self._checked("wrap_indices kernel", INTEGERS, code, error, indices=indices, out=out)
        if out.data.ptr == indices.data.ptr and out.size:
            raise ArgumentError("wrap_indices kernel: out must be another array than indices")
        args = (indices, out, indices.size, size, code, where, next(self._launches), error)
        self._launcher.flat(f"wrap_indices_{suffix}", indices.size, 4, *args)

    def check_range(self, x: Array, low: float, high: float, code: int, where: int, error: Array) -> None:
        """Report the first element that does not lie in [low, high], as nan does not. The bounds are numbers of x's
        dtype; value, low and high are reported as the bits of doubles."""
        suffix = self._checked("check_range kernel", FLOATS, code, error, x=x)
        args = (x, x.size, float(low), float(high), code, where, next(self._launches), error)
        self._launcher.flat(f"check_range_{suffix}", x.size, per_vector(x), *args)

    def check_finite(self, x: Array, code: int, where: int, error: Array) -> None:
        """Report the first element that is nan or infinite, as `check_range` does."""
        greatest = float(np.finfo(arithmetic_dtype(x.dtype)).max)
        self.check_range(x, -greatest, greatest, code, where, error)

    def _checked(self, op: str, dtypes: tuple[str, ...], code: int, error: Array, **arrays: Array) -> str:
        name, first = next(iter(arrays.items()))
        check_dtype(op, name, first, dtypes)
        check_arrays(op, first.dtype, first.shape, **arrays)
        check_arrays(op, int64, (ERROR_WORDS,), error=error)
        if code == 0:
            raise ArgumentError(f"{op}: code must not be 0, which says that nothing is wrong")
        return suffix_of(first)


class CudaCheck(KernelOverrides):
    """Mixin of CudaBackend."""

    errors: DeferredErrors

    def check_bounds(self, indices: Array, low: int, high: int, *, what: str) -> None:
        """The device notes an index outside; the host raises when it next waits, or at once where none can be right."""
        if indices.size:
            _refuse_all(low, high, what)
            self.errors.check_bounds(self._contiguous(indices), low, high, what)

    @without_gaps
    def wrap_indices(self, indices: Array, size: int, *, what: str, out: Array | None = None) -> Array:
        indices = self.copy(indices) if out is indices else self._contiguous(indices)
        out = self._like(indices, out)
        if indices.size:
            _refuse_all(-size, size, what)
            self.errors.wrap_indices(indices, out, size, what)
        return out

    # ------------------------------------------------------------------ numbers
    def check_range(self, x: Array, low: float, high: float, *, what: str, hint: str = "") -> None:
        """The device notes an element outside; the host raises when it next waits. So does `check_finite`."""
        self.errors.check_range(self._contiguous(x), low, high, what, hint)

    def check_finite(self, x: Array, *, what: str, hint: str = "") -> None:
        self.errors.check_finite(self._contiguous(x), what, hint)

    def check_nonzero(self, x: Array, *, what: str, hint: str = "") -> None:
        if x.size:
            zeros = self.astype(self.equal(x, 0), uint8)
            self.errors.check_nonzero(self._contiguous(zeros), what, hint)


def _refuse_all(low: int, high: int, what: str) -> None:
    """BoundsError where nothing lies in [low, high): going on with an index into nothing would lose the device."""
    if low >= high:
        raise BoundsError(f"{what} must be in [{low}, {high}), so there can be none")
