"""Python's operators on Tensors. With an operand that is no number they leave the answer to it, or to Python.

Another library's tensor, which has `__dlpack__`, is a DTypeError with the remedy: Python would speak of two Tensors, or
call them unequal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import dtypes
from tensorgrad.autograd.op import Op
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import how_to_make_one, type_name
from tensorgrad.errors import DTypeError
from tensorgrad.functional import arithmetic, comparison, linalg
from tensorgrad.functional.promotion import OPERANDS, as_operand, binary, cast, common_device, rounded_quotient
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import integers
from tensorgrad.ops import rounding as Q

__all__ = ["Operators"]

Operator = Callable[["Tensor", Any], "Tensor"]
_NUMBERS = frozenset((float, int))


def _operator(op: Op, to_float: bool = False) -> Operator:
    def method(self: Tensor, other: Any) -> Tensor:
        # The usual case first, two floating tensors of one dtype: what follows would find out the same more slowly.
        if isinstance(other, Variable) and self.array.dtype is other.array.dtype and self.array.dtype.kind == "f":
            return apply(op, self, other)
        return binary(op, self, other, to_float) if _is_ours(op.name, other) else NotImplemented

    return _described(method, op.name)


def _reflected(op: Op, to_float: bool = False) -> Operator:
    def method(self: Tensor, other: Any) -> Tensor:
        return binary(op, other, self, to_float) if _is_ours(op.name, other) else NotImplemented

    return _described(method, op.name)


def _rounding(op: Op, of_integers: Op) -> Operator:
    """The operator of a division that rounds."""

    def method(self: Tensor, other: Any) -> Tensor:
        dtype = self.array.dtype  # the usual cases first, as in `_operator`
        if isinstance(other, Variable):
            if dtype is other.array.dtype and dtype.kind != "b":
                return apply(op if dtype.kind == "f" else of_integers, self, other)
        elif dtype.kind == "f" and type(other) in _NUMBERS:
            return apply(op, self, other)
        return rounded_quotient(op, self, other) if _is_ours(op.name, other) else NotImplemented

    return _described(method, op.name)


def _reflected_rounding(op: Op) -> Operator:
    def method(self: Tensor, other: Any) -> Tensor:
        return rounded_quotient(op, other, self) if _is_ours(op.name, other) else NotImplemented

    return _described(method, op.name)


def _through(function: Callable[..., Tensor], swapped: bool = False) -> Operator:
    """The operator of a function that checks, or chooses between ops."""

    def method(self: Tensor, other: Any) -> Tensor:
        if not _is_ours(function.__name__, other):
            return NotImplemented  # type: ignore[no-any-return]
        return function(other, self) if swapped else function(self, other)

    return _described(method, function.__name__)


def _power_of() -> Operator:
    """The operator of a number to the power of a tensor."""

    def method(self: Tensor, other: Any) -> Tensor:
        if type(other) in _NUMBERS and self.array.dtype.kind == "f":
            return apply(E.power, other, self.contiguous())
        return general(self, other)

    general = _through(arithmetic.rpow)
    return _described(method, "rpow")


def _matmul(x: Any, y: Any) -> Tensor:
    """The product of which one operand may be a NumPy array: of the dtype that both make together."""
    device = common_device("matmul", x, y)
    x, y = (as_operand("matmul", v, device) if isinstance(v, np.ndarray) else v for v in (x, y))
    dtype = dtypes.result_type((x, y), name="matmul")
    return linalg.matmul(cast(x, dtype), cast(y, dtype))


def _product(swapped: bool = False) -> Operator:
    def method(self: Tensor, other: Any) -> Tensor:
        if isinstance(other, Variable):
            return product(other, self) if swapped else product(self, other)
        if isinstance(other, np.ndarray):
            return _matmul(other, self) if swapped else _matmul(self, other)
        return plain(self, other)

    product: Callable[..., Tensor] = linalg.matmul
    plain = _through(product, swapped)
    return _described(method, "matmul")


def _is_ours(name: str, other: object) -> bool:
    """Whether an operator takes `other`. Raises DTypeError, which names `name`, for another library's tensor."""
    if isinstance(other, OPERANDS):
        return True
    if hasattr(type(other), "__dlpack__"):
        got = f"{type_name(other)}; {how_to_make_one(other)}"
        raise DTypeError(f"{name}: expected a Tensor or a number, got {got}")
    return False


def _described(method: Operator, name: str) -> Operator:
    method.__doc__ = f"The operator of `{name}`."
    return method


class Operators:
    """Tensor's operators."""

    __slots__ = ()
    __add__ = _operator(E.add)
    __radd__ = _reflected(E.add)
    __sub__ = _operator(E.subtract)
    __rsub__ = _reflected(E.subtract)
    __mul__ = _operator(E.multiply)
    __rmul__ = _reflected(E.multiply)
    __truediv__ = _operator(E.divide, to_float=True)
    __rtruediv__ = _reflected(E.divide, to_float=True)
    __floordiv__ = _rounding(Q.floor_divide, integers.floor_divide)
    __rfloordiv__ = _reflected_rounding(Q.floor_divide)
    __mod__ = _rounding(E.remainder, integers.remainder)
    __rmod__ = _reflected_rounding(E.remainder)
    __pow__ = _through(arithmetic.pow)
    __rpow__ = _power_of()
    __neg__ = arithmetic.neg
    __pos__ = arithmetic.positive
    __abs__ = arithmetic.abs
    __matmul__ = _product()
    __rmatmul__ = _product(swapped=True)
    __eq__ = _operator(E.equal)  # type: ignore[assignment]
    __ne__ = _operator(E.not_equal)  # type: ignore[assignment]
    __lt__ = _operator(E.less)
    __le__ = _operator(E.less_equal)
    __gt__ = _operator(E.greater)
    __ge__ = _operator(E.greater_equal)
    __and__ = _through(comparison.bitwise_and)
    __rand__ = _through(comparison.bitwise_and)
    __or__ = _through(comparison.bitwise_or)
    __ror__ = _through(comparison.bitwise_or)
    __xor__ = _through(comparison.bitwise_xor)
    __rxor__ = _through(comparison.bitwise_xor)
    __invert__ = comparison.bitwise_not
    __lshift__ = _through(comparison.bitwise_left_shift)
    __rlshift__ = _through(comparison.bitwise_left_shift, swapped=True)
    __rshift__ = _through(comparison.bitwise_right_shift)
    __rrshift__ = _through(comparison.bitwise_right_shift, swapped=True)
    __hash__ = object.__hash__
