"""Data of Python, NumPy and other libraries as arrays that a Tensor can hold: what `creation` makes tensors from."""

from __future__ import annotations

import re
from functools import cache, lru_cache, partial, reduce
from typing import Any

import numpy as np

from tensorgrad.autograd.variable import Variable, new_tensor
from tensorgrad.backends import Device
from tensorgrad.backends import device as as_device
from tensorgrad.backends.device import foreign_array
from tensorgrad.dtypes import (
    SUPPORTED,
    DType,
    as_dtype,
    bool_,
    fitting,
    float64,
    get_default_dtype,
    int64,
    promote_types,
    scalar_dtype,
    type_name,
)
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError, TensorgradError

__all__ = ["PLAIN", "by_dlpack", "check_unmasked", "host_array", "number", "off_host", "taken_in"]

# What is on the host for certain, by its exact type: `taken_in` need not look at it.
PLAIN = frozenset((np.ndarray, list, tuple, int, float, bool))
_HELD = frozenset(SUPPORTED)
_IN_EVERY_FLOAT = float(np.finfo(np.float16).max)
_NESTED = (Variable, list, tuple)
# What other libraries raise where they cannot hand over their numbers, and how they word it that the dtype is why.
_OTHERS_ERRORS = (BufferError, RuntimeError, TypeError, ValueError)
_OF_A_DTYPE = re.compile(r"dtype|ScalarType|floating point types|byte order")


def taken_in(name: str, data: Any) -> Any:
    """A Tensor for an array of another library that is on a device; everything else as it is."""
    found = None if isinstance(data, Variable) else off_host(name, data)
    return data if found is None else new_tensor(*found)


def off_host(name: str, data: Any) -> tuple[Any, Device] | None:
    """An array on the memory of `data`, and its device, if `data` is an array of another library on a device that takes
    it in; None for all else."""
    try:
        return foreign_array(name, data)
    except TensorgradError:
        raise
    except (BufferError, ValueError) as error:  # no RuntimeError: that may be the device's own
        raise _blamed(name, data, error) from error


def number(name: str, value: Any, what: str = "") -> Any:
    """A number as Python has it, from Python, NumPy or a 0-d tensor, whose value is read on the host. DTypeError, which
    names `name` and `what` the number is for, for anything else."""
    if type(value) in (int, float, bool):
        return value
    if isinstance(value, (np.generic, Variable)) and not value.ndim and value.dtype.kind in "biuf":
        return value.item()  # type: ignore[union-attr]
    if not isinstance(value, (int, float)):
        got = f"a tensor of shape {value.shape}" if isinstance(value, Variable) else type_name(value)
        raise DTypeError(f"{name}: {what + ': ' if what else ''}expected a number or a 0-d tensor, got {got}")
    return value


def by_dlpack(name: str, source: Any) -> np.ndarray[Any, Any]:
    """An array on the memory of `source`, which has `__dlpack__` and is on the host."""
    check_unmasked(name, source)
    try:
        return host_array(name, as_device("cpu").backend.from_dlpack(source), None)
    except TensorgradError:
        raise
    except _OTHERS_ERRORS as error:
        raise _blamed(name, source, error) from error


def _blamed(name: str, data: Any, error: Exception) -> TensorgradError:
    """The error of another library in the name of `name`, with a remedy.

    A DTypeError where it speaks of a dtype, else an ArgumentError: then the dtype is not to blame.
    """
    got = f"{type_name(data)} of {data.dtype}" if hasattr(data, "dtype") else type_name(data)
    if _OF_A_DTYPE.search(str(error)):
        return DTypeError(f"{_known(name)}, got {got} ({error}); convert it first")
    return ArgumentError(f"{name}: {got} cannot be read ({error}); make a NumPy array of its numbers, and pass that")


def host_array(name: str, data: Any, dtype: object) -> np.ndarray[Any, Any]:
    """`data` as an array on the host in `dtype`, or in the one that they give; memory is shared where it can be.

    Raises, by `name`, ShapeError for ragged sequences, DTypeError for what are no numbers, and ArgumentError
    for Python numbers that an integer dtype does not hold, for arrays of which a part is masked, and for those that
    their library does not hand over.
    """
    if dtype is None:
        if type(data) is float and -_IN_EVERY_FLOAT < data < _IN_EVERY_FLOAT:
            return np.array(data, get_default_dtype())
        if type(data) is np.ndarray and data.dtype in _HELD:
            return data if data.flags.forc else _as_it_lies(name, data)
    wanted = None if dtype is None else as_dtype(dtype)
    tensors: list[DType] = []
    try:
        host = np.asarray(_plain(data, tensors))
    except TensorgradError:
        raise
    except _OTHERS_ERRORS as error:
        if isinstance(data, (list, tuple)) and isinstance(error, ValueError):
            raise ShapeError(f"{name}: expected sequences of equal length, got ragged data: {error}") from error
        raise _blamed(name, data, error) from error
    from_arrays = bool(tensors) or _has_dtype(data)
    if from_arrays and type(data) is not np.ndarray:
        check_unmasked(name, data)
    if host.dtype.kind == "O" and not from_arrays:
        host = _huge_integers(name, host, int64 if wanted is None else wanted)
    elif host.dtype.kind == "f" and not from_arrays and (wanted is None or wanted.kind in "iu"):
        host = _unrounded(name, host, data, int64 if wanted is None else wanted)
    if wanted is None:
        wanted = _together(name, data) if tensors else host.dtype if from_arrays else _inferred(host)
    if host.dtype.kind not in "biuf" or wanted not in _HELD:
        if host.dtype.kind not in "biufc":
            raise DTypeError(f"{name}: expected numbers, got {_what_it_is(data, host)}; encode it as numbers first")
        convert = "convert it with .astype first" if name == "from_numpy" else "convert with dtype="
        remedy = "take their real parts or absolute values first" if host.dtype.kind == "c" else convert
        raise DTypeError(f"{_known(name)}, got {host.dtype}; {remedy}")
    if host.dtype == wanted:
        return host if host.flags.forc else _as_it_lies(name, host)
    if not from_arrays and wanted.kind in "iu" and host.size:
        fitting(name, host.min().item(), wanted)
        fitting(name, host.max().item(), wanted)
    converted: np.ndarray[Any, Any] = _host().backend.astype(host, wanted)  # to inf without a warning
    return converted


@cache
def _host() -> Device:
    return as_device("cpu")


def check_unmasked(name: str, data: Any) -> None:
    """Raise ArgumentError, by `name`, for an array of which a part is masked: a tensor has no mask, and what it hides
    would come to light as a number.
    """
    if isinstance(data, np.ndarray) and np.ma.is_masked(data):
        hidden = np.count_nonzero(np.ma.getmaskarray(data))
        raise ArgumentError(
            f"{name}: {hidden} elements of the array are masked; put numbers in their places with .filled(value) first"
        )
    if isinstance(data, (list, tuple)):
        for item in data:
            check_unmasked(name, item)


def _as_it_lies(name: str, host: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array whose memory has gaps, as a tensor can take it.

    The strides of a tensor count elements: elements that lie a fraction of one apart, as a field of records may, are
    copied. Where elements may share memory, the tensor must not be written: the array is taken as a read-only one.
    """
    whole, overlapping = _layout(host.shape, host.strides, host.itemsize)
    if not whole:
        return _in_whole_steps(name, host)
    if overlapping and host.size and host.flags.writeable:
        host = host.view()
        host.flags.writeable = False
    return host


@lru_cache(maxsize=1024)
def _layout(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[bool, bool]:
    """Whether elements of `size` bytes lie whole numbers of them apart, and whether they may share memory."""
    reach = size  # how far the elements extend that the steps so far lead to
    overlapping = False
    for step, count in sorted(zip(map(abs, strides), shape, strict=True)):
        if count > 1:
            if step % size:
                return False, overlapping
            overlapping = overlapping or step < reach
            reach += step * (count - 1)
    return True, overlapping


def _in_whole_steps(name: str, host: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if name == "from_numpy":
        raise ArgumentError(
            f"from_numpy: strides must be multiples of the {host.itemsize} bytes of an element, got {host.strides}; "
            "pass array.copy(), or use tg.as_tensor, which makes one"
        )
    return host.copy()


def _huge_integers(name: str, host: np.ndarray[Any, Any], dtype: DType) -> np.ndarray[Any, Any]:
    """Python integers beyond 64 bits, which only floats can hold."""
    if not all(isinstance(x, int) for x in host.flat):
        return host
    if dtype.kind in "iu":
        return _fitted(name, host, dtype)
    try:
        return host.astype(float64)
    except OverflowError:
        raise ArgumentError(f"{name}: an integer among the data is beyond the range of every dtype") from None


def _unrounded(name: str, host: np.ndarray[Any, Any], data: Any, dtype: DType) -> np.ndarray[Any, Any]:
    """NumPy makes floats of integers of which none of its integer dtypes holds all: `dtype` must hold them."""
    if host.size and np.abs(host).max() >= 2.0**63:
        numbers = np.asarray(data, dtype=object)
        if all(isinstance(n, int) for n in numbers.flat):
            return _fitted(name, numbers, dtype)
    return host


def _fitted(name: str, numbers: np.ndarray[Any, Any], dtype: DType) -> np.ndarray[Any, Any]:
    return np.array([fitting(name, n, dtype) for n in numbers.flat], dtype).reshape(numbers.shape)


def _known(name: str) -> str:
    return f"{name}: expected numbers of dtype {', '.join(map(str, SUPPORTED))}"


def _what_it_is(data: Any, host: np.ndarray[Any, Any]) -> str:
    kinds = {"U": "text", "S": "bytes", "M": "dates", "m": "durations", "T": "text", "V": "records"}
    return kinds.get(host.dtype.kind, f"a {type(data).__name__} of objects" if host.ndim else type(data).__name__)


def _plain(data: Any, tensors: list[DType]) -> Any:
    """Nested sequences with the Tensors in them replaced by their values. `tensors` gets the dtypes of these."""
    if isinstance(data, (list, tuple)):
        for x in data:
            if isinstance(x, _NESTED):
                return [_plain(x, tensors) for x in data]
        return data
    if isinstance(data, Variable):
        tensors.append(data.dtype)
        return data.device.backend.to_numpy(data.array)
    return data


def _together(name: str, data: Any) -> DType:
    """The dtype that the tensors, arrays and numbers in nested sequences make together."""
    if isinstance(data, (list, tuple)):
        found = [_together(name, x) for x in data]
        return reduce(partial(promote_types, name=name), found) if found else get_default_dtype()
    return as_dtype(data.dtype) if hasattr(data, "dtype") else scalar_dtype(data)


def _has_dtype(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return hasattr(data, "__array__")


def _inferred(host: np.ndarray[Any, Any]) -> DType:
    if host.size == 0 or host.dtype.kind == "f":
        return get_default_dtype()
    return bool_ if host.dtype.kind == "b" else int64 if host.dtype.kind in "iu" else host.dtype
