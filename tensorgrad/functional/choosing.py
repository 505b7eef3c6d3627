"""Choosing between two tensors, element by element."""

from __future__ import annotations

from typing import Any, overload

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import result_type
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.functional.indexing import nonzero
from tensorgrad.functional.promotion import as_operand, cast, constant, shape_of
from tensorgrad.ops import elementwise as E
from tensorgrad.ops.index import masked_fill as masked

__all__ = ["masked_fill", "where"]

Operand = Any  # a Tensor or a number


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...


@overload
def where(condition: Tensor, input: Operand, other: Operand) -> Tensor: ...


def where(condition: Tensor, input: Operand = None, other: Operand = None) -> Any:
    """`input` where `condition` (a bool tensor) holds, `other` elsewhere; all three broadcast.

    `where(condition)` alone is `nonzero(condition, as_tuple=True)`. ArgumentError where one of both is missing.
    """
    shape_of("where", condition)
    if input is None or other is None:
        if input is not other:
            raise ArgumentError("where: expected both input and other, or neither of them, got one")
        return nonzero(condition, as_tuple=True)
    if condition.dtype.kind != "b":
        raise DTypeError(f"where: the condition must be bool, got {condition.dtype}; compare it, e.g. x > 0")
    x, y = _both_tensors(condition, input, other)
    return apply(E.where, condition, x, y)


def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """`value` where the bool tensor `mask` holds, `input` elsewhere; the dtype of `input` stays.

    `value`: a number or a 0-d tensor. A number that the dtype of `input` does not hold is an ArgumentError.
    """
    shape_of("masked_fill", input)
    shape_of("masked_fill", mask)
    if mask.dtype.kind != "b":
        raise DTypeError(f"masked_fill: the mask must be bool, got {mask.dtype}")
    if type(value) not in (float, int, bool):
        value = as_operand("masked_fill", value, input.device)
        if isinstance(value, Variable):
            if value.ndim:
                got = f"got shape {value.shape}; use tg.where(mask, value, input)"
                raise ShapeError(f"masked_fill: value must be a number or 0-d, {got}")
            return apply(masked, input, mask, cast(value, input.dtype))
    return apply(masked, input, mask, constant(value, input.dtype, input.device, "masked_fill"))


def _both_tensors(condition: Tensor, x: Operand, y: Operand) -> tuple[Tensor, Tensor]:
    x, y = (as_operand("where", v, condition.device) for v in (x, y))
    dtype = result_type((x, y), name="where")
    return tuple(  # type: ignore[return-value]
        cast(v, dtype) if isinstance(v, Variable) else constant(v, dtype, condition.device, "where") for v in (x, y)
    )


class ChoosingMethods:
    """Tensor's method among these; `where` is in tensor.py."""

    __slots__ = ()
    masked_fill = masked_fill
