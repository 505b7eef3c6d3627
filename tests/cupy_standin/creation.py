"""Making arrays. What comes from the host is copied at once, so later writes to it do not show."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin.array import _strides, adopt, empty, host, ndarray, view_of
from tests.cupy_standin.casting import Host, arbitrary, as_dtype, cast, copy_into
from tests.cupy_standin.device import current_device
from tests.cupy_standin.exchange import from_cuda_array_interface, from_dlpack

__all__ = ["CREATION", "array", "asarray", "copyto"]

Shape = Any


def array(
    obj: Any,
    dtype: Any = None,
    copy: bool | None = True,
    order: str | None = "K",
    subok: bool = False,
    ndmin: int = 0,
    *,
    blocking: bool = False,
) -> ndarray:
    """An array on the device; sequences may hold arrays of the device too."""
    if subok:
        raise NotImplementedError("subok")
    if not isinstance(obj, ndarray) and hasattr(obj, "__cuda_array_interface__"):
        obj = from_cuda_array_interface(obj)
    if isinstance(obj, ndarray):
        return _from_array(obj, dtype, copy, order or "K", ndmin)
    values = np.asarray(_collected(obj), None if dtype is None else as_dtype(dtype))
    as_dtype(values.dtype)
    fortran = order in ("F", "f") or (order in ("K", "A", None) and isinstance(obj, np.ndarray) and obj.flags.fnc)
    values = np.array(values, order="F" if fortran else "C", ndmin=ndmin)
    return _placed(values)


def _from_array(x: ndarray, dtype: Any, copy: bool | None, order: str, ndmin: int) -> ndarray:
    wanted = x.dtype if dtype is None else as_dtype(dtype)
    if x._memory.device_id != current_device():
        x, copy = x.copy(order), None
    if copy is False and wanted != x.dtype:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    result = x.astype(wanted, order, copy=bool(copy))
    more = ndmin - result.ndim
    return result if more <= 0 else view_of(result, result._host.reshape((1,) * more + result.shape))


def _collected(obj: Any) -> Any:
    """Nested sequences with their device arrays replaced by host arrays."""
    if isinstance(obj, (list, tuple)):
        return [_collected(x) for x in obj]
    return host(obj) if isinstance(obj, ndarray) else obj


def _placed(values: Host) -> ndarray:
    result = empty(values.shape, values.dtype, values.strides if values.size else None)
    if not values.ndim:
        result.fill(values)
    else:
        np.copyto(result._host, values)
    return result


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, blocking: bool = False
) -> ndarray:
    return array(a, dtype, copy, order, blocking=blocking)


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    return array(a, dtype, None, "C", ndmin=1)


def copy(a: Any, order: str = "K") -> ndarray:
    return array(a, copy=True, order=order)


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True) -> Host:
    if isinstance(a, ndarray):
        return a.get(stream, order, out, blocking)
    convert: Any = np.asarray
    return convert(a, order=order)  # type: ignore[no-any-return]


# ---------------------------------------------------------------------- filled with something
def empty_array(shape: Shape, dtype: Any = float, order: str = "C") -> ndarray:
    return ndarray(shape, dtype, order=order)


def full(shape: Shape, fill_value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else np.array(fill_value).dtype
    result = ndarray(shape, dtype, order=order)
    copyto(result, fill_value, casting="unsafe")
    return result


def zeros(shape: Shape, dtype: Any = float, order: str = "C") -> ndarray:
    return full(shape, 0, dtype, order)


def ones(shape: Shape, dtype: Any = float, order: str = "C") -> ndarray:
    return full(shape, 1, dtype, order)


def empty_like(prototype: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Shape = None) -> ndarray:
    if subok is not None:
        raise TypeError("subok is not supported yet")
    values = host(prototype)
    wanted = values.dtype if dtype is None else as_dtype(dtype)
    if shape is not None and np.shape(np.empty(shape)) != values.shape:
        return ndarray(shape, wanted, order="F" if order == "F" else "C")
    return empty(values.shape, wanted, _strides(values, wanted, order))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Shape = None
) -> ndarray:
    result = empty_like(a, dtype, order, subok, shape)
    copyto(result, fill_value, casting="unsafe")
    return result


def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Shape = None) -> ndarray:
    return full_like(a, 0, dtype, order, subok, shape)


def ones_like(a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Shape = None) -> ndarray:
    return full_like(a, 1, dtype, order, subok, shape)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> ndarray:
    """start + i * step, computed in the dtype of the result."""
    if dtype is None:
        dtype = float if any(np.dtype(type(v)).kind == "f" for v in (start, stop, step) if v is not None) else int
    wanted = as_dtype(dtype)
    start, stop = (0, start) if stop is None else (start, stop)
    size = max(0, int(np.ceil((stop - start) / (1 if step is None else step))))
    if wanted.kind == "b" and size > 2:
        raise TypeError("arange() is only supported for booleans when the result has at most length 2.")
    first, width = wanted.type(start), wanted.type(1 if step is None else step)
    with np.errstate(all="ignore"):
        return adopt(np.asarray(first + np.arange(size).astype(wanted) * width, wanted))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float, order: str = "C") -> ndarray:
    return array(np.eye(N, M, k, as_dtype(dtype)), order=order)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    if retstep:
        raise NotImplementedError("linspace: the stand-in gives no step")
    return adopt(np.linspace(start, stop, num, endpoint, dtype=dtype, axis=axis))


def tril(m: Any, k: int = 0) -> ndarray:
    return adopt(np.tril(host(m), k))


def triu(m: Any, k: int = 0) -> ndarray:
    return adopt(np.triu(host(m), k))


def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = None) -> None:
    """Of a host array only a single element may be copied."""
    target = host(dst)
    if isinstance(src, ndarray):
        values = host(src)
    elif isinstance(src, np.ndarray) and src.size != 1:
        raise ValueError("non-scalar numpy.ndarray cannot be used for copyto")
    else:
        values = np.asarray(src).reshape(())
    _check_cast(values if isinstance(src, (ndarray, np.ndarray, np.generic)) else src, target, casting)
    if where is None:
        _copy(target, values.reshape(values.shape[max(0, values.ndim - target.ndim) :]))
    else:
        np.copyto(target, cast(values, target.dtype), "unsafe", host(where))


def _copy(target: Host, values: Host) -> None:
    """Of arrays that overlap some elements are read after they have been written."""
    if not target.ndim or not np.may_share_memory(target, values):
        copy_into(target, values)
        return
    spread = np.broadcast_to(values, target.shape)
    for part in np.array_split(arbitrary.permutation(target.size), 8):
        places = np.unravel_index(part, target.shape)
        target[places] = cast(spread[places], target.dtype)


def _check_cast(source: Any, target: Host, casting: Any) -> None:
    if isinstance(source, np.ndarray):
        if not np.can_cast(source.dtype, target.dtype, casting):
            raise TypeError(f"Cannot cast {source.dtype} to {target.dtype} in {casting} casting mode")
    elif target.dtype.kind in "biu" or casting != "unsafe":
        np.copyto(np.empty((), target.dtype), source, casting=casting)


CREATION: dict[str, Any] = {
    f.__name__: f
    for f in [
        *(array, arange, asarray, ascontiguousarray, asnumpy, copy, copyto, empty_like, eye, from_dlpack, full),
        *(full_like, linspace, ones, ones_like, tril, triu, zeros, zeros_like),
    ]
} | {"empty": empty_array}
