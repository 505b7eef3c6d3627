"""Elementwise arithmetic under PyTorch's names. Operands broadcast and are promoted (see `dtypes`).

`x`: a Tensor, or a number where the other operand is a Tensor. Results have the broadcast shape.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Variable
from tensorgrad.dtypes import is_floating, result_type
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.functional.promotion import as_operand, binary, cast, constant, floating, unary
from tensorgrad.ops import elementwise as E

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

Operand = Any  # a Tensor or a number


def add(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input + alpha * other."""
    if alpha != 1:
        other = other * alpha
    return binary(E.add, input, other)


def sub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input - alpha * other."""
    if alpha != 1:
        other = other * alpha
    return binary(E.subtract, input, other)


def rsub(input: Operand, other: Operand) -> Tensor:
    """other - input."""
    return binary(E.subtract, other, input)


def mul(input: Operand, other: Operand) -> Tensor:
    """input * other."""
    return binary(E.multiply, input, other)


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; integers give the default floating dtype.

    `rounding_mode`: None, "floor" (as //) or "trunc" (towards zero); these two have no gradient and keep integers.
    """
    if rounding_mode is None:
        return binary(E.divide, input, other, to_float=True)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise ArgumentError(f'div: rounding_mode must be None, "floor" or "trunc", got {rounding_mode!r}')
    quotient = binary(E.divide, input, other, to_float=True).detach()
    whole = unary(E.trunc, quotient)
    return cast(whole, binary(E.floor_divide, input, other).dtype)


def rdiv(input: Operand, other: Operand) -> Tensor:
    """other / input."""
    return binary(E.divide, other, input, to_float=True)


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """floor(input / other). Not differentiable; an integer divided by zero is 0 on every device."""
    return binary(E.floor_divide, input, other)


def rfloor_divide(input: Operand, other: Operand) -> Tensor:
    """floor(other / input)."""
    return binary(E.floor_divide, other, input)


def remainder(input: Operand, other: Operand) -> Tensor:
    """input - other * floor(input / other): the sign of `other`."""
    return binary(E.remainder, input, other)


def rremainder(input: Operand, other: Operand) -> Tensor:
    """other % input."""
    return binary(E.remainder, other, input)


def pow(input: Operand, exponent: Operand) -> Tensor:
    """input ** exponent. Integers to a negative integer power are an ArgumentError (PyTorch's rule)."""
    if isinstance(exponent, (int, float)) and isinstance(input, Variable):
        if exponent == 2 and is_floating(input.array.dtype):
            return apply(E.square, input)
        if exponent < 0 and isinstance(exponent, int) and not is_floating(input.array.dtype):
            raise ArgumentError(f"pow: integers cannot be raised to the negative power {exponent}; use .float() first")
    return binary(E.power, input, exponent)


def rpow(input: Operand, other: Operand) -> Tensor:
    """other ** input."""
    return binary(E.power, other, input)


def maximum(input: Operand, other: Operand) -> Tensor:
    """The greater of the two, nan where either is. Where they tie each gets half of the gradient."""
    return binary(E.maximum, input, other)


def minimum(input: Operand, other: Operand) -> Tensor:
    """The lesser of the two, nan where either is. Where they tie each gets half of the gradient."""
    return binary(E.minimum, input, other)


def neg(input: Tensor) -> Tensor:
    """-input. A bool tensor is a DTypeError, as in PyTorch."""
    if input.array.dtype.kind == "b":
        raise DTypeError("neg: a bool tensor has no negative; use logical_not() or ~")
    return apply(E.negative, input)


def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
    return input


def abs(input: Tensor) -> Tensor:
    """|input|; the gradient at 0 is 0."""
    return apply(E.absolute, input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; the gradient is zero."""
    return apply(E.sign, input)


def exp(input: Tensor) -> Tensor:
    """e ** input. Integers give the default floating dtype, here and in all functions below."""
    return unary(E.exp, input)


def expm1(input: Tensor) -> Tensor:
    """exp(input) - 1, exact for small input."""
    return unary(E.expm1, input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm: -inf at 0, nan below."""
    return unary(E.log, input)


def log1p(input: Tensor) -> Tensor:
    """log(1 + input), exact for small input."""
    return unary(E.log1p, input)


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return mul(unary(E.log, input), 1 / math.log(2))


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return mul(unary(E.log, input), 1 / math.log(10))


def sqrt(input: Tensor) -> Tensor:
    """The square root; nan below 0."""
    return unary(E.sqrt, input)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(input)."""
    return unary(E.rsqrt, input)


def square(input: Tensor) -> Tensor:
    """input * input."""
    return apply(E.square, input)


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    return unary(E.reciprocal, input)


def sin(input: Tensor) -> Tensor:
    """The sine of an angle in radians."""
    return unary(E.sin, input)


def cos(input: Tensor) -> Tensor:
    """The cosine of an angle in radians."""
    return unary(E.cos, input)


def tan(input: Tensor) -> Tensor:
    """The tangent of an angle in radians."""
    return unary(E.tan, input)


def tanh(input: Tensor) -> Tensor:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return unary(E.tanh, input)


def erf(input: Tensor) -> Tensor:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to input."""
    return unary(E.erf, input)


def floor(input: Tensor) -> Tensor:
    """The greatest integer not above; the gradient is zero. Integers pass unchanged."""
    return apply(E.floor, input) if is_floating(input.dtype) else input


def ceil(input: Tensor) -> Tensor:
    """The least integer not below; the gradient is zero. Integers pass unchanged."""
    return apply(E.ceil, input) if is_floating(input.dtype) else input


def trunc(input: Tensor) -> Tensor:
    """The integer part; the gradient is zero. Integers pass unchanged."""
    return apply(E.trunc, input) if is_floating(input.dtype) else input


def round(input: Tensor) -> Tensor:
    """The nearest integer, halves to the even one; the gradient is zero. Integers pass unchanged."""
    return apply(E.rint, input) if is_floating(input.dtype) else input


def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """min(max(input, min), max), bounds inclusive and either may be left out.

    The gradient passes where input lies within the bounds, bounds included (PyTorch's rule), and is zero outside.
    """
    if min is None and max is None:
        raise ArgumentError("clamp: expected min, max or both, got neither")
    if isinstance(min, Variable) or isinstance(max, Variable):
        bounded = input if min is None else maximum(input, min)
        return bounded if max is None else minimum(bounded, max)
    min, max = (None if b is None else as_operand("clamp", b, input.device) for b in (min, max))
    if isinstance(min, float) or isinstance(max, float):
        input = floating("clamp", input)
    return apply(E.clip, input, low=min, high=max)


def where(condition: Tensor, input: Operand, other: Operand) -> Tensor:
    """`input` where `condition` (a bool tensor) holds, `other` elsewhere; all three broadcast."""
    if condition.dtype.kind != "b":
        raise DTypeError(f"where: the condition must be bool, got {condition.dtype}; compare it, e.g. x > 0")
    x, y = _both_tensors(condition, input, other)
    return apply(E.where, condition, x, y)


def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """`value` where the bool tensor `mask` holds, `input` elsewhere; the dtype of `input` stays."""
    if mask.dtype.kind != "b":
        raise DTypeError(f"masked_fill: the mask must be bool, got {mask.dtype}")
    filler = value if isinstance(value, Variable) else constant(value, input.dtype, input.device)
    return apply(E.where, mask, cast(filler, input.dtype), input)


def _both_tensors(condition: Tensor, x: Operand, y: Operand) -> tuple[Tensor, Tensor]:
    dtype = result_type((x, y))
    return tuple(  # type: ignore[return-value]
        cast(v, dtype) if isinstance(v, Variable) else constant(v, dtype, condition.device) for v in (x, y)
    )
