"""The dtypes, and PyTorch's rules for what two of them make together.

A dtype is a `numpy.dtype`, so `t.dtype == np.float32` holds and arrays pass in and out unchanged.

Promotion (PyTorch, "tensor attributes"): categories are ordered bool < integer < float. A Python scalar or a 0-d
tensor changes the dtype of a tensor with dimensions only where its category is higher; an integer meeting a float
takes the float's dtype, whatever its width (int64 with float32 is float32, where NumPy says float64). uint16, uint32
and uint64 meet no other integer dtype: no integer dtype holds all of uint64 and int64. With bool they keep their dtype,
as every integer dtype does; there PyTorch refuses these three.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from tensorgrad.errors import ArgumentError, DTypeError

DType: TypeAlias = "np.dtype[Any]"

float16: DType = np.dtype(np.float16)
float32: DType = np.dtype(np.float32)
float64: DType = np.dtype(np.float64)
uint8: DType = np.dtype(np.uint8)
int8: DType = np.dtype(np.int8)
int16: DType = np.dtype(np.int16)
int32: DType = np.dtype(np.int32)
int64: DType = np.dtype(np.int64)
uint16: DType = np.dtype(np.uint16)
uint32: DType = np.dtype(np.uint32)
uint64: DType = np.dtype(np.uint64)
bool_: DType = np.dtype(np.bool_)
HALF = float16.char  # NumPy compares characters in half the time that unequal dtypes take

FLOATS = (float16, float32, float64)
_WIDE_UNSIGNED = (uint16, uint32, uint64)
SUPPORTED = (*FLOATS, uint8, int8, int16, int32, int64, *_WIDE_UNSIGNED, bool_)
_FLOAT_BITS = np.finfo(np.float64).maxexp  # an integer of more bits is infinite in every dtype
_LEAST_HALF, _GREATEST_HALF = (float(n) for n in (np.finfo(np.float16).tiny, np.finfo(np.float16).max))
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}

_default: DType = float32


def get_default_dtype() -> DType:
    """The dtype of tensors made from Python floats (float32 unless set)."""
    return _default


def set_default_dtype(dtype: object) -> None:
    """Set the dtype of tensors made from Python floats. Raises DTypeError unless it is a floating dtype."""
    global _default
    wanted = as_dtype(dtype)
    if wanted not in FLOATS:
        raise DTypeError(f"set_default_dtype: expected a floating dtype, got {wanted}")
    _default = wanted


def as_dtype(dtype: object) -> DType:
    """`dtype` (a dtype, its name, or a Python type) as one of the supported dtypes, or DTypeError.

    Python's `float` is float64, `int` int64 and `bool` bool, as in NumPy and PyTorch.
    """
    if dtype is int:
        return int64  # on every system
    try:
        found = np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        found = None
    # NumPy's dtypes equal None where they are float64.
    if found is None or found not in SUPPORTED:
        names = ", ".join(str(d) for d in SUPPORTED)
        raise DTypeError(f"dtype: expected one of {names}, got {dtype!r}")
    return found  # type: ignore[no-any-return]


def is_floating(dtype: DType) -> bool:
    """Whether `dtype` is a floating-point one: the only ones that have gradients."""
    return dtype.kind == "f"


def category(dtype: DType) -> int:
    """0 for bool, 1 for integers, 2 for floats."""
    return _CATEGORY[dtype.kind]


def scalar_category(value: object) -> int:
    """The category of a Python scalar."""
    return 0 if isinstance(value, (bool, np.bool_)) else 1 if isinstance(value, (int, np.integer)) else 2


def scalar_dtype(value: object) -> DType:
    """The dtype of a tensor made from a Python scalar alone."""
    return (bool_, int64, _default)[scalar_category(value)]


def wrap_integer(value: int, dtype: DType) -> int:
    """`value` modulo 2**bits, in the range of the integer `dtype`: what arithmetic on that dtype makes of it."""
    span = 1 << 8 * dtype.itemsize
    low = 0 if dtype.kind == "u" else -(span >> 1)
    return (value - low) % span + low


def fitting(name: str, value: Any, dtype: DType) -> Any:
    """The number `value` as a constant of `dtype`, in which it must be representable; else an ArgumentError by `name`.

    A floating number loses its fraction in an integer dtype. Unsigned dtypes take negative integers that are in range
    without their sign, and wrap them around; they take no negative floating number (PyTorch's rules).
    """
    if dtype.kind not in "iu":
        if isinstance(value, int) and value.bit_length() > _FLOAT_BITS:
            raise ArgumentError(f"{name}: {shown(value)} is beyond what {dtype} holds")
        return value
    low, high = integer_range(dtype)
    if dtype.kind == "u" and isinstance(value, float):
        low = 0
    if not low <= value <= high:
        held = f"[{np.iinfo(dtype).min}, {high}]"
        raise ArgumentError(
            f"{name}: {shown(value)} does not fit into {dtype}, which holds {held}; choose a wider dtype"
        )
    return wrap_integer(int(value), dtype)


def leaves_half(value: float) -> bool:
    """Whether float16 makes 0, infinity or a number with fewer bits of the number `value`, which is none of these."""
    return value != 0 and not _LEAST_HALF <= abs(value) <= _GREATEST_HALF


def wrapped_operand(name: str, value: int, dtype: DType) -> int:
    """`wrap_integer` of a number beside a tensor. Raises ArgumentError by `name` for one beyond 64 bits, as PyTorch."""
    if not -(1 << 63) <= value < 1 << 64:
        raise ArgumentError(f"{name}: {shown(value)} does not fit into {dtype}, nor into 64 bits; use a float instead")
    return wrap_integer(value, dtype)


def shown(value: object) -> str:
    """How an error shows `value`. Python refuses to write out integers of thousands of digits."""
    huge = isinstance(value, int) and value.bit_length() > 256
    return f"an integer of {value.bit_length()} bits" if huge else repr(value)  # type: ignore[attr-defined]


def integer_range(dtype: DType) -> tuple[int, int]:
    """The least and greatest number that constants of an integer dtype may be; see `fitting`."""
    limits = np.iinfo(dtype)
    return (-limits.max if dtype.kind == "u" else limits.min), limits.max


@lru_cache(maxsize=1024)
def promote_types(type1: DType, type2: DType, *, name: str = "promote_types") -> DType:
    """The dtype two tensors with dimensions make together.

    Raises DTypeError, which begins with `name`, for uint16, uint32 or uint64 with another integer dtype, as in PyTorch.
    """
    if type1 == type2:
        return type1
    if category(type1) != category(type2):
        return type1 if category(type1) > category(type2) else type2
    if type1 in _WIDE_UNSIGNED or type2 in _WIDE_UNSIGNED:
        raise DTypeError(f"{name}: {type1} and {type2} have no integer dtype in common; convert one with .to(dtype)")
    return np.promote_types(type1, type2)


def result_type(operands: Iterable[object], *, name: str = "result_type") -> DType:
    """The dtype that tensors (anything with `dtype` and `ndim`) and Python scalars make together.

    Users have `functional.promotion.result_type`, of two operands.

    Raises DTypeError, which begins with `name`, where there are no operands, or where `promote_types` does.
    """
    tensors: DType | None = None
    zero_dims: DType | None = None
    scalars: DType | None = None
    for x in operands:
        dtype: DType | None = getattr(x, "dtype", None)
        if dtype is None:
            scalars = _merge(scalars, scalar_dtype(x), name)
        elif x.ndim == 0:  # type: ignore[attr-defined]
            zero_dims = _merge(zero_dims, dtype, name)
        else:
            tensors = _merge(tensors, dtype, name)
    found = _outrank(tensors, _outrank(zero_dims, scalars))
    if found is None:
        raise DTypeError(f"{name}: expected at least one tensor or number, got none")
    return found


def _merge(a: DType | None, b: DType, name: str) -> DType:
    return b if a is None else promote_types(a, b, name=name)


def _outrank(strong: DType | None, weak: DType | None) -> DType | None:
    if strong is None or weak is None:
        return weak if strong is None else strong
    return weak if category(weak) > category(strong) else strong


def type_name(value: object) -> str:
    """What an error calls the type of `value`: "torch.Tensor" where it is another library's, so that it is told apart
    from a Tensor.
    """
    kind = type(value)
    own = ("builtins", "__main__", __name__.partition(".")[0])
    return kind.__name__ if kind.__module__.partition(".")[0] in own else f"{kind.__module__}.{kind.__name__}"


def how_to_make_one(value: object) -> str:
    """What an error says of a `value` that is to be a Tensor and is none."""
    kind = type(value)
    maker = "as_tensor" if hasattr(kind, "__array__") else "from_dlpack" if hasattr(kind, "__dlpack__") else "tensor"
    return f"make one with tg.{maker}(...)"
