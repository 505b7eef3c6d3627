"""Elementwise arithmetic under PyTorch's names. Operands broadcast and are promoted (see `dtypes`).

`x`: a Tensor, or a number where the other operand is a Tensor. Results have the broadcast shape.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import DType, fitting, int64, integer_range, is_floating, result_type
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.functional.comparison import eq, logical_and, logical_or
from tensorgrad.functional.conversion import contiguous
from tensorgrad.functional.promotion import (
    Scalar,
    as_operand,
    binary,
    cast,
    common_device,
    rounded_quotient,
    shape_of,
    unary,
)
from tensorgrad.functional.rounding import floor_divide
from tensorgrad.host_data import number
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import rounding as Q

__all__ = [
    "abs",
    "absolute",
    "add",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "cos",
    "div",
    "divide",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "neg",
    "negative",
    "positive",
    "pow",
    "reciprocal",
    "rsqrt",
    "sign",
    "sin",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
]

Operand = Any  # a Tensor or a number
_ONE = 1
_EXACT = 1 << 53  # integers below it are floats


def add(input: Operand, other: Operand, *, alpha: Scalar = 1) -> Tensor:
    """input + alpha * other, computed in the dtype of the result, which `alpha` has no part in.

    Raises ArgumentError for an `alpha` that this dtype does not hold, a fraction with integers among them.
    """
    if alpha is not _ONE:
        other = scaled("add", input, other, alpha)
    return binary(E.add, input, other)


def sub(input: Operand, other: Operand, *, alpha: Scalar = 1) -> Tensor:
    """input - alpha * other, as `add`."""
    if alpha is not _ONE:
        other = scaled("sub", input, other, alpha)
    return binary(E.subtract, input, other)


def scaled(name: str, input: Operand, other: Operand, alpha: Scalar) -> Operand:
    """alpha * other in the dtype that `input` and `other` make together."""
    if type(alpha) in (float, int) and -_EXACT < alpha < _EXACT and isinstance(other, Variable):
        dtype = other.array.dtype
        if dtype.char in "fd" and isinstance(input, Variable) and input.array.dtype is dtype:
            return apply(E.multiply, other, alpha)  # as most calls are
    device = common_device(name, input, other)
    factor = number(name, alpha, "alpha")
    if type(factor) is int and factor == 1:
        return other
    other = as_operand(name, other, device)
    dtype = result_type((as_operand(name, input, device), other), name=name)
    if isinstance(factor, float) and not is_floating(dtype):
        raise ArgumentError(f"{name}: alpha must be a whole number where the result is {dtype}, got {factor}")
    if dtype.kind == "b":
        return logical_and(other, bool(factor)) if isinstance(other, Variable) else bool(other and factor)
    factor = fitting(name, factor, dtype)
    return apply(E.multiply, cast(other, dtype), factor) if isinstance(other, Variable) else other * factor


def mul(input: Operand, other: Operand) -> Tensor:
    """input * other."""
    return binary(E.multiply, input, other)


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; integers give the default floating dtype.

    `rounding_mode`: None, "floor" (as //) or "trunc" (towards zero); these two have a gradient of zero and keep
    integers, which cannot be divided by 0: see `floor_divide`.
    """
    if rounding_mode is None:
        return binary(E.divide, input, other, to_float=True)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise ArgumentError(f'div: rounding_mode must be None, "floor" or "trunc", got {rounding_mode!r}')
    return rounded_quotient(Q.trunc_divide, input, other)


def pow(input: Operand, exponent: Operand) -> Tensor:
    """input ** exponent. Of two bools it is a bool, false where the base is and the exponent is not.

    Integers to a negative integer power are an ArgumentError where that is a number, and truncated to an integer (0,
    or 1 and -1 where the base is one of these) where it is in a tensor. A number that the dtype of integers does not
    hold is an ArgumentError as their exponent: PyTorch's rules.
    """
    if isinstance(input, Variable) and input.array.dtype.kind == "f":
        square = isinstance(exponent, (int, float)) and exponent == 2
        return apply(E.square, input) if square else binary(E.power, input, exponent)
    exponent = exponent.item() if isinstance(exponent, np.generic) else exponent
    if isinstance(exponent, int) and exponent < 0:
        raise ArgumentError(f"pow: integers cannot be raised to the negative power {exponent}; use .float() first")
    kinds = _kind(input) + _kind(exponent)
    if kinds == "bb":
        return logical_or(input, eq(exponent, False) if isinstance(exponent, Variable) else not exponent)
    if isinstance(exponent, Variable) and not isinstance(input, Variable):  # PyTorch's rule
        exponent = contiguous(exponent)  # type: ignore[arg-type]
    if isinstance(exponent, (Variable, np.ndarray)) and "f" not in kinds:
        return binary(E.integer_power, input, exponent)
    if isinstance(input, Variable) and isinstance(exponent, int) and kinds[0] == "i":
        fitting("pow", exponent, input.array.dtype)
    return binary(E.power, input, exponent)


def _kind(x: Operand) -> str:
    """ "b" of bools, "i" of integers, "f" of all else."""
    kind = x.array.dtype.kind if isinstance(x, Variable) else getattr(getattr(x, "dtype", None), "kind", None)
    if kind is None:
        kind = "b" if isinstance(x, bool) else "i" if isinstance(x, int) else "f"
    return "i" if kind == "u" else kind if kind in "bi" else "f"


def rpow(input: Operand, other: Operand) -> Tensor:
    """other ** input."""
    return pow(other, input)


def maximum(input: Operand, other: Operand) -> Tensor:
    """The greater of the two, nan where either is. Where they tie each gets half of the gradient; both get all of it
    where one is nan."""
    return binary(E.maximum, input, other)


def minimum(input: Operand, other: Operand) -> Tensor:
    """The lesser of the two, nan where either is. Where they tie each gets half of the gradient."""
    return binary(E.minimum, input, other)


def neg(input: Tensor) -> Tensor:
    """-input. A bool tensor is a DTypeError, as in PyTorch."""
    shape_of("neg", input)
    if input.array.dtype.kind == "b":
        raise DTypeError("neg: a bool tensor has no negative; use logical_not() or ~")
    return apply(E.negative, input)


def positive(input: Tensor) -> Tensor:
    """The tensor itself. A bool tensor is a DTypeError, as in PyTorch."""
    shape_of("positive", input)
    if input.array.dtype.kind == "b":
        raise DTypeError("positive: a bool tensor has no sign; convert it with .int() first")
    return input


def abs(input: Tensor) -> Tensor:
    """|input|; the gradient at 0 is 0."""
    return apply(E.absolute, input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1, and nan of nan (there PyTorch has 0); the gradient is zero. Bools pass unchanged."""
    shape_of("sign", input)
    return apply(E.copy if input.array.dtype.kind == "b" else Q.sign, input)


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
    return unary(E.log2, input)


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return unary(E.log10, input)


def sqrt(input: Tensor) -> Tensor:
    """The square root; nan below 0."""
    return unary(E.sqrt, input)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(input)."""
    return unary(E.rsqrt, input)


def square(input: Tensor) -> Tensor:
    """input * input. Bools give int64."""
    shape_of("square", input)
    return apply(E.square, cast(input, int64) if input.array.dtype.kind == "b" else input)


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


def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """min(max(input, min), max), bounds inclusive: numbers or tensors, which broadcast; either may be left out.

    The gradient passes where input lies within the bounds, bounds included (PyTorch's rule), and is zero outside; there
    it goes to the bound, if that is a tensor.
    """
    shape_of("clamp", input)
    if min is None and max is None:
        raise ArgumentError("clamp: expected min, max or both, got neither")
    low, high = (None if b is None else as_operand("clamp", b, input.device) for b in (min, max))
    given = [b for b in (low, high) if b is not None]
    dtype = result_type((input, *given), name="clamp")
    low, high = _bound(low, dtype), _bound(high, dtype)
    if any(isinstance(b, Variable) for b in given):
        return apply(E.clip_between, cast(input, dtype), low, high)
    return apply(E.clip, cast(input, dtype), low=low, high=high)


def _bound(bound: Operand | None, dtype: DType) -> Operand | None:
    """A bound in `dtype`; one that lies beyond what an integer dtype holds is the end of its range."""
    if bound is None:
        return None
    if isinstance(bound, Variable):
        return cast(bound, dtype)
    if dtype.kind not in "iu":
        return bound
    least, greatest = integer_range(dtype)
    return builtins.min(builtins.max(bound, 0 if dtype.kind == "u" else least), greatest)


def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """clamp(input, min=min)."""
    return clamp(input, min, None)


def clamp_max(input: Tensor, max: Operand) -> Tensor:
    """clamp(input, max=max)."""
    return clamp(input, None, max)


clip = clamp  # NumPy's name, as those below
multiply, subtract, negative, absolute = mul, sub, neg, abs
divide = true_divide = div


class ArithmeticMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    add = add
    sub = subtract = sub
    mul = multiply = mul
    div = divide = true_divide = div
    pow = pow
    maximum = maximum
    minimum = minimum
    neg = negative = neg
    positive = positive
    abs = absolute = abs
    sign = sign
    exp = exp
    expm1 = expm1
    log = log
    log1p = log1p
    log2 = log2
    log10 = log10
    sqrt = sqrt
    rsqrt = rsqrt
    square = square
    reciprocal = reciprocal
    sin = sin
    cos = cos
    tan = tan
    tanh = tanh
    erf = erf
    clamp = clip = clamp
    clamp_min = clamp_min
    clamp_max = clamp_max
