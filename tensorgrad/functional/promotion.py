"""Operands: what users write (tensors, numbers, arrays) brought to one dtype before an op sees it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import dtypes
from tensorgrad.autograd.op import Op
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device
from tensorgrad.dtypes import (
    SUPPORTED,
    DType,
    as_dtype,
    fitting,
    float16,
    float32,
    float64,
    get_default_dtype,
    how_to_make_one,
    is_floating,
    leaves_half,
    type_name,
    wrapped_operand,
)
from tensorgrad.errors import DeviceError, DTypeError
from tensorgrad.host_data import check_unmasked
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import integers
from tensorgrad.ops import rounding as Q

__all__ = [
    "OPERANDS",
    "Scalar",
    "as_operand",
    "binary",
    "cast",
    "common_device",
    "constant",
    "floating",
    "result_type",
    "rounded_quotient",
    "shape_of",
    "unary",
]

Scalar = int | float | bool
OPERANDS = (Variable, bool, int, float, np.generic, np.ndarray)
_HELD = frozenset(SUPPORTED)

# What has no result in bools: the name users know it by.
_NOT_OF_BOOLS = {
    E.subtract: "sub",
    Q.floor_divide: "floor_divide",
    Q.trunc_divide: "div",
    E.remainder: "remainder",
    E.power: "pow",
    E.left_shift: "bitwise_left_shift",
    E.right_shift: "bitwise_right_shift",
}
# Division that rounds, and what stands in for it where integers are divided: it refuses a divisor of 0.
_OF_INTEGERS = {
    Q.floor_divide: integers.floor_divide,
    Q.trunc_divide: integers.trunc_divide,
    E.remainder: integers.remainder,
}
# What makes of a float16 and a number that float16 has no room for one that it has: computed in float32.
_SCALES = {E.multiply, E.divide}

# What its gradient reads is another thing where the first operand is a number.
_OF_A_NUMBER = {E.divide: E.divide_number}


def binary(op: Op, x: Any, y: Any, to_float: bool = False) -> Tensor:
    """`op` on two operands of which at least one is a Tensor, after PyTorch's promotion.

    With `to_float`, integers and bools are converted to the default floating dtype first.
    """
    if isinstance(x, Variable):
        if isinstance(y, Variable):
            if x.array.dtype is y.array.dtype and (x.array.dtype.kind == "f" or not (to_float or op in _NOT_OF_BOOLS)):
                return apply(op, x, y)
        elif type(y) in (float, int):
            kind = x.array.dtype.char
            if kind in "fd" or (kind == "e" and not (op in _SCALES and leaves_half(y))):
                return apply(op, x, y)
    return _promoted(op, x, y, to_float)


def rounded_quotient(op: Op, x: Any, y: Any) -> Tensor:
    """`binary` of a division that rounds, of which integers have one of their own."""
    if isinstance(x, Variable) and x.array.dtype.kind == "f":
        return binary(op, x, y)
    return _promoted(op, x, y, False, _OF_INTEGERS[op])


def _promoted(op: Op, x: Any, y: Any, to_float: bool, of_integers: Op | None = None) -> Tensor:
    device = common_device(op.name, x, y)
    x, y = as_operand(op.name, x, device), as_operand(op.name, y, device)
    dtype = dtypes.result_type((x, y), name=op.name)
    if to_float and not is_floating(dtype):
        dtype = get_default_dtype()
    if dtype.kind == "b" and op in _NOT_OF_BOOLS:
        raise DTypeError(f"{_NOT_OF_BOOLS[op]}: not defined for bools; convert with .int(), or use ^, & and | on masks")
    if dtype == float16 and op in _SCALES and (_is_wider(x) or _is_wider(y)):
        wide = [cast(v, float32) if isinstance(v, Variable) else v for v in (x, y)]
        return cast(_promoted(op, wide[0], wide[1], to_float), dtype)
    chosen = op if of_integers is None or dtype.kind == "f" else of_integers
    if not isinstance(x, Variable):
        return apply(_OF_A_NUMBER.get(chosen, chosen), _brought_to(op.name, x, dtype, y), cast(y, dtype))
    return apply(chosen, cast(x, dtype), _brought_to(op.name, y, dtype, x))


def _is_wider(x: Any) -> bool:
    """Whether an operand beside float16 is more than float16 can say."""
    if isinstance(x, Variable):
        return x.array.dtype in (float32, float64)
    return leaves_half(x)


def _brought_to(name: str, x: Any, dtype: DType, other: Any) -> Any:
    if isinstance(x, Variable):
        return cast(x, dtype)
    if dtype.kind not in "iu":
        return x
    if other.array.dtype.kind == "b":  # the integer dtype is the number's own, and has to hold it
        return fitting(name, x, dtype)
    # PyTorch's rule, and the rule of every device's integers: NumPy alone refuses -1 next to uint8.
    return wrapped_operand(name, x, dtype)


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype that two operands, Tensors, NumPy arrays or numbers, make together; see `dtypes`.

    Raises DTypeError for anything else, and for uint16, uint32 or uint64 with another integer dtype.
    """
    for x in (tensor1, tensor2):
        if not isinstance(x, OPERANDS):
            raise DTypeError(f"result_type: expected a Tensor or a number, got {type_name(x)}; {how_to_make_one(x)}")
        if isinstance(x, np.ndarray):
            as_dtype(x.dtype)
    # NumPy's scalars are numbers here, as they are beside a Tensor.
    numbers = [x.item() if isinstance(x, np.generic) else x for x in (tensor1, tensor2)]
    return dtypes.result_type(numbers)


def unary(op: Op, x: Tensor) -> Tensor:
    """`op` on a tensor that must be floating: integers and bools are converted to the default floating dtype."""
    if isinstance(x, Variable) and x.array.dtype.kind == "f":
        return apply(op, x)
    return apply(op, floating(op.name, x))


def shape_of(name: str, x: Any) -> tuple[int, ...]:
    """The shape of `x`; DTypeError, which names `name`, unless it is a Tensor."""
    if not isinstance(x, Variable):
        raise _no_tensor(name, x)
    shape: tuple[int, ...] = x.array.shape
    return shape


def _no_tensor(name: str, x: Any) -> DTypeError:
    return DTypeError(f"{name}: expected a Tensor, got {type_name(x)}; {how_to_make_one(x)}")


def floating(name: str, x: Any) -> Tensor:
    """`x` if it is a floating Tensor, otherwise converted to the default floating dtype."""
    if not isinstance(x, Variable):
        raise _no_tensor(name, x)
    return x if x.array.dtype.kind == "f" else cast(x, get_default_dtype())  # type: ignore[return-value]


def cast(x: Any, dtype: DType) -> Tensor:
    """The Tensor `x` in `dtype`: itself where it already is; differentiable between floating dtypes."""
    if x.array.dtype is dtype or x.array.dtype == dtype:
        return x  # type: ignore[no-any-return]
    return apply(E.astype if is_floating(dtype) else E.truncate, x, dtype=dtype)


def as_operand(name: str, x: Any, device: Device) -> Any:
    """A Tensor or Python number as it is; a NumPy scalar as a number, a NumPy array as a Tensor (on the CPU only)."""
    if isinstance(x, np.generic):  # first: np.float64 is a float, but in NumPy's promotion no weak one
        return x.item()
    if isinstance(x, (Variable, bool, int, float)):
        return x
    if isinstance(x, np.ndarray):
        if device.type != "cpu":
            raise DeviceError(f"{name}: got a NumPy array and a tensor on {device}; use tg.as_tensor(array, device=)")
        if x.dtype not in _HELD:
            x = _native(name, x)
        if type(x) is not np.ndarray:
            check_unmasked(name, x)
        return new_tensor(device.backend.asarray(x), device)
    raise DTypeError(f"{name}: expected a Tensor or a number, got {type_name(x)}; {how_to_make_one(x)}")


def _native(name: str, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """`x` in this machine's order of bytes. Raises DTypeError for a dtype that tensors do not have."""
    dtype = x.dtype.newbyteorder("=")
    if dtype not in _HELD:
        remedy = "; convert it with .astype first" if dtype.kind == "f" else ""
        raise DTypeError(f"{name}: expected numbers, got a NumPy array of {x.dtype}{remedy}")
    return x.astype(dtype)


def common_device(name: str, *operands: Any) -> Device:
    """The device of the first Tensor among `operands`; DTypeError where there is none."""
    for x in operands:
        if isinstance(x, Variable):
            return x.device
    got = ", ".join(map(type_name, operands))
    raise DTypeError(f"{name}: expected at least one Tensor, got {got}; {how_to_make_one(operands[0])}")


def constant(value: Scalar, dtype: DType, device: Device, name: str = "constant") -> Tensor:
    """A 0-d Tensor. Raises ArgumentError, which names `name`, for a number that an integer dtype does not hold."""
    return new_tensor(device.backend.full((), fitting(name, value, dtype), dtype), device)
