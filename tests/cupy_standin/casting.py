"""Dtypes, casts and arithmetic modes of the device, where they differ from NumPy's."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

__all__ = ["Host", "arbitrary", "as_dtype", "cast", "copy_into", "flush_subnormals"]

Host: TypeAlias = "np.ndarray[Any, Any]"
DType: TypeAlias = "np.dtype[Any]"

# What the device leaves open comes from here. It differs from one time to the next, not from one test run to the next.
arbitrary = np.random.default_rng(20260)

_SUPPORTED = frozenset("?bBhHiIlLqQefdFD")
_TINY = np.finfo(np.float32).tiny


def as_dtype(dtype: Any) -> DType:
    """`dtype` as one the device has, or ValueError."""
    found: DType = np.dtype(dtype)
    if found.char not in _SUPPORTED:
        raise ValueError(f"Unsupported dtype {found}")
    return found


def cast(x: Host, dtype: DType) -> Host:
    """`x` as `dtype`. A float that does not fit an integer becomes any integer at all."""
    if x.dtype == dtype:
        return x
    if dtype.kind in "iu" and x.dtype.kind == "f":
        return _float_to_integer(x, dtype)
    if x.dtype.kind == "c" and dtype.kind not in "bc":
        x = x.real
    with np.errstate(all="ignore"):
        return x.astype(dtype)


def _float_to_integer(x: Host, dtype: DType) -> Host:
    limits = np.iinfo(dtype)
    with np.errstate(all="ignore"):  # NumPy marks signalling NaNs
        whole = np.trunc(x.astype(np.float64))
    fits = (whole >= float(limits.min)) & (whole < float(limits.max) + (dtype.itemsize < 8))
    result: Host = np.where(fits, whole, 0).astype(dtype)
    if not fits.all():
        lost = ~fits
        anything = arbitrary.integers(limits.min, limits.max, np.shape(x), dtype.type, endpoint=True)
        result = np.where(lost, anything, result)
    return result


def copy_into(target: Host, source: Host) -> None:
    """Write `source` into `target`, broadcasting and casting as the device does."""
    np.copyto(target, cast(source, target.dtype))


def flush_subnormals(x: Host) -> Host:
    """`x` as float32 arithmetic on the device sees it: CuPy compiles everything with -ftz=true."""
    if x.dtype.char != "f":
        return x
    small = np.abs(x) < _TINY
    small &= x != 0
    return np.where(small, np.copysign(np.float32(0), x), x) if small.any() else x
