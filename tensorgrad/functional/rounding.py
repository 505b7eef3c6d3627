"""Rounding, and division that rounds, under PyTorch's names. The gradients of rounding are zero."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import Op
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor
from tensorgrad.dtypes import float16, float32, float64, is_floating
from tensorgrad.errors import DTypeError
from tensorgrad.functional.dims import as_integer
from tensorgrad.functional.promotion import cast, rounded_quotient, shape_of
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import rounding as Q

__all__ = ["ceil", "floor", "floor_divide", "remainder", "round", "trunc"]

Operand = Any  # a Tensor or a number
_MOST_DIGITS = {float32: 38, float64: 308}  # the greatest powers of ten that are no infinities


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """floor(input / other). The gradient is zero.

    An integer divided by 0 is a DivisionByZeroError: at once for a number, and on the CPU; on CUDA, where `other` is a
    tensor, when the host next waits (until then it is 0). Floats give inf or nan.
    """
    return rounded_quotient(Q.floor_divide, input, other)


def remainder(input: Operand, other: Operand) -> Tensor:
    """input - other * floor(input / other): the sign of `other`; a remainder of 0 has the sign of `input`.

    Integers cannot be divided by 0: see `floor_divide`.
    """
    return rounded_quotient(E.remainder, input, other)


def floor(input: Tensor) -> Tensor:
    """The greatest integer not above; the gradient is zero. Integers pass unchanged."""
    return _whole("floor", Q.floor, input)


def ceil(input: Tensor) -> Tensor:
    """The least integer not below; the gradient is zero. Integers pass unchanged."""
    return _whole("ceil", Q.ceil, input)


def trunc(input: Tensor) -> Tensor:
    """The integer part; the gradient is zero. Integers pass unchanged."""
    return _whole("trunc", Q.trunc, input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest integer, halves to the even one; the gradient is zero. Integers pass unchanged.

    `decimals`: the nearest multiple of 10**-decimals instead, computed as round(input * 10**decimals) / 10**decimals.
    Raises DTypeError for integers with negative `decimals`.
    """
    if decimals == 0:
        return _whole("round", Q.rint, input)
    shape_of("round", input)
    digits = as_integer("round", decimals)
    dtype = input.array.dtype
    if not is_floating(dtype):
        if digits < 0:
            raise DTypeError(f"round: decimals must not be negative for {dtype}, got {digits}; use .float() first")
        return apply(E.copy, input)
    wide = cast(input, float32) if dtype == float16 else input
    most = _MOST_DIGITS[wide.dtype]
    if digits > most:
        return apply(E.copy, input)
    return cast(apply(Q.round_decimals, wide, decimals=None if digits < -most else digits), dtype)


def _whole(name: str, op: Op, input: Tensor) -> Tensor:
    shape_of(name, input)
    return apply(op if is_floating(input.array.dtype) else E.copy, input)


class RoundingMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    floor_divide = floor_divide
    remainder = remainder
    floor = floor
    ceil = ceil
    trunc = trunc
    round = round
