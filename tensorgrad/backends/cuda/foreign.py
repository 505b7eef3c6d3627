"""Arrays of other libraries on a CUDA device."""

from __future__ import annotations

from typing import Any

from tensorgrad.backends.cuda.available import summary
from tensorgrad.backends.device import Device, device, why_unusable
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import SUPPORTED
from tensorgrad.errors import DeviceError, DTypeError

__all__ = ["foreign_array"]

_MEMORY = (2, 13)  # DLPack's numbers of CUDA memory, and of such as is managed


def foreign_array(name: str, data: Any) -> tuple[Array, Device] | None:
    """An array on the memory of `data`, and its device, if that is an array on a CUDA device; None for all else.

    Raises, in the name of `name`, DeviceError where that device cannot be used here, and DTypeError for a dtype that
    tensors do not have.
    """
    if not hasattr(type(data), "__dlpack_device__"):
        return None
    kind, index = data.__dlpack_device__()
    if kind not in _MEMORY:
        return None
    why = why_unusable(f"cuda:{index}")
    if why is not None:
        raise DeviceError(
            f"{name}: the array is on CUDA device {index}, which cannot be used here; copy it to the host first ({why})"
        )
    place = device(f"cuda:{index}")
    try:
        array = place.backend.from_dlpack(data)
    except (NotImplementedError, TypeError) as error:  # CuPy lacks the dtype: float8, and bfloat16 without ml_dtypes
        raise _wrong_dtype(name, f"what CuPy cannot take ({summary(error)})") from error
    if array.dtype.kind not in "biuf":
        raise _wrong_dtype(name, str(array.dtype))
    return array, place


def _wrong_dtype(name: str, got: str) -> DTypeError:
    known = ", ".join(str(d) for d in SUPPORTED)
    return DTypeError(f"{name}: expected numbers of dtype {known}, got {got}; convert it first")
