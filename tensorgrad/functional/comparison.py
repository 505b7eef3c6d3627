"""Comparisons, logic and bits under PyTorch's names. Nothing here has a gradient.

Operands broadcast and are promoted (see `dtypes`); one of the two may be a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.modes import no_grad
from tensorgrad.autograd.op import Op
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import bool_, float64, uint8
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.functional.promotion import as_operand, binary, cast, common_device, shape_of
from tensorgrad.host_data import number
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import reduce as R

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "not_equal",
]

Operand = Any  # a Tensor or a number


# ---------------------------------------------------------------------- comparisons
def eq(input: Operand, other: Operand) -> Tensor:
    """input == other, elementwise; a bool tensor, as of all comparisons. nan equals nothing."""
    return binary(E.equal, input, other)


def ne(input: Operand, other: Operand) -> Tensor:
    """input != other, elementwise."""
    return binary(E.not_equal, input, other)


def lt(input: Operand, other: Operand) -> Tensor:
    """input < other, elementwise."""
    return binary(E.less, input, other)


def le(input: Operand, other: Operand) -> Tensor:
    """input <= other, elementwise."""
    return binary(E.less_equal, input, other)


def gt(input: Operand, other: Operand) -> Tensor:
    """input > other, elementwise."""
    return binary(E.greater, input, other)


def ge(input: Operand, other: Operand) -> Tensor:
    """input >= other, elementwise."""
    return binary(E.greater_equal, input, other)


def isnan(input: Tensor) -> Tensor:
    """Where elements are nan."""
    return apply(E.isnan, input)


def isinf(input: Tensor) -> Tensor:
    """Where elements are inf or -inf."""
    return apply(E.isinf, input)


def isfinite(input: Tensor) -> Tensor:
    """Where elements are neither nan nor infinite."""
    return apply(E.isfinite, input)


# ---------------------------------------------------------------------- logic
def logical_and(input: Operand, other: Operand) -> Tensor:
    """Where both are nonzero; a bool tensor, as of all logical functions."""
    return _logical(E.logical_and, input, other)


def logical_or(input: Operand, other: Operand) -> Tensor:
    """Where either is nonzero."""
    return _logical(E.logical_or, input, other)


def logical_xor(input: Operand, other: Operand) -> Tensor:
    """Where exactly one is nonzero."""
    return _logical(E.logical_xor, input, other)


def _logical(op: Op, x: Operand, y: Operand) -> Tensor:
    """Of operands that differ in dtype the truth is taken first: 256 is true, and 0 as a uint8."""
    if isinstance(x, Variable) and isinstance(y, Variable) and x.array.dtype == y.array.dtype:
        return apply(op, x, y)
    device = common_device(op.name, x, y)
    operands = [as_operand(op.name, v, device) for v in (x, y)]
    return apply(op, *[cast(v, bool_) if isinstance(v, Variable) else bool(v) for v in operands])


def logical_not(input: Tensor) -> Tensor:
    """Where elements are zero."""
    return apply(E.logical_not, input)


# ---------------------------------------------------------------------- bits
def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """The bits set in both, of integers or bools."""
    return _bits(E.bitwise_and, input, other)


def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """The bits set in either, of integers or bools."""
    return _bits(E.bitwise_or, input, other)


def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """The bits set in exactly one, of integers or bools."""
    return _bits(E.bitwise_xor, input, other)


def bitwise_not(input: Tensor) -> Tensor:
    """All bits flipped, of integers; `logical_not` of bools."""
    shape_of("bitwise_not", input)
    _check_bits("bitwise_not", input)
    return apply(E.invert, input)


def bitwise_left_shift(input: Operand, other: Operand) -> Tensor:
    """input * 2**other, of integers; a bool counts as one of the other's dtype."""
    return _bits(E.left_shift, input, other)


def bitwise_right_shift(input: Operand, other: Operand) -> Tensor:
    """input // 2**other, as `bitwise_left_shift`."""
    return _bits(E.right_shift, input, other)


def _bits(op: Op, x: Operand, y: Operand) -> Tensor:
    _check_bits(op.name, x)
    _check_bits(op.name, y)
    return binary(op, x, y)


def _check_bits(name: str, x: Operand) -> None:
    if isinstance(x, Variable):
        if x.array.dtype.kind not in "biu":
            raise DTypeError(f"{name}: expected integers or bools, got a tensor of {x.dtype}")
    elif isinstance(x, float):
        raise DTypeError(f"{name}: expected integers or bools, got the number {x!r}")


# ---------------------------------------------------------------------- closeness
@hinted
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|; infinities are close to themselves only. Integers are compared in
    float64, their distance without wrapping around.

    With `equal_nan` two nans are close. The dtypes must be equal, else DTypeError. Raises ArgumentError unless both
    tolerances are 0 or more.
    """
    _check_same_dtype("isclose", input, other)
    for tolerance, value in (("rtol", rtol), ("atol", atol)):
        if not number("isclose", value, tolerance) >= 0:
            raise ArgumentError(f"isclose: {tolerance} must not be negative, got {value}")
    with no_grad():
        distance, size = _distance(input, other)
        allowed = binary(E.add, binary(E.multiply, size, rtol), atol)
        close = logical_or(eq(input, other), logical_and(isfinite(distance), le(distance, allowed)))
    return logical_or(close, logical_and(isnan(input), isnan(other))) if equal_nan else close


@hinted
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close (see `isclose`). Reads the result on the host."""
    return _truth(isclose(input, other, rtol, atol, equal_nan))


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shapes are the same and all elements equal. Reads the result on the host."""
    return shape_of("equal", input) == shape_of("equal", other) and _truth(eq(input, other))


def _distance(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """|x - y| and |y|, of integers and bools in float64."""
    dtype = x.array.dtype
    if dtype.kind == "f":
        return apply(E.absolute, apply(E.subtract, x, y)), apply(E.absolute, y)
    size = apply(E.absolute, cast(y, float64))
    if dtype.kind == "b":
        x, y = cast(x, uint8), cast(y, uint8)
    distance = apply(E.subtract, apply(E.maximum, x, y), apply(E.minimum, x, y))
    # Where it wraps around it does so into the sign, which unsigned integers read as what it is.
    return cast(cast(distance, np.dtype(f"u{distance.array.dtype.itemsize}")), float64), size


def _truth(x: Tensor) -> bool:
    found = apply(R.all, x, axis=None, keepdims=False)
    return bool(found.device.backend.to_numpy(found.array))


def _check_same_dtype(name: str, x: Tensor, y: Tensor) -> None:
    shape_of(name, x)
    shape_of(name, y)
    if x.dtype != y.dtype:
        raise DTypeError(f"{name}: both must have one dtype, got {x.dtype} and {y.dtype}; convert one with .to(dtype)")


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne  # NumPy's names


class ComparisonMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    eq = eq
    ne = not_equal = ne
    lt = less = lt
    le = less_equal = le
    gt = greater = gt
    ge = greater_equal = ge
    logical_and = logical_and
    logical_or = logical_or
    logical_xor = logical_xor
    logical_not = logical_not
    bitwise_and = bitwise_and
    bitwise_or = bitwise_or
    bitwise_xor = bitwise_xor
    bitwise_not = bitwise_not
    bitwise_left_shift = bitwise_left_shift
    bitwise_right_shift = bitwise_right_shift
    isnan = isnan
    isinf = isinf
    isfinite = isfinite
    isclose = isclose
    allclose = allclose
    equal = equal
