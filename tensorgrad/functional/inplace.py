"""In-place forms: `x.add_(y)` writes the result of `x.add(y)` into x, and returns x."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.inplace import assign, check_writable, mark_written
from tensorgrad.autograd.modes import mode
from tensorgrad.autograd.variable import Variable, new_tensor
from tensorgrad.errors import ShapeError
from tensorgrad.functional import arithmetic, indexing, shape
from tensorgrad.functional.promotion import cast

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

Operand = Any


def inplace(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """The method that runs `function` and writes its result into the first argument."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self, name)
        assign(self, function(self, *args, **kwargs), name)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}`, written into this tensor, which keeps its shape and dtype. Returns it."
    return method


def _arithmetic(function: Callable[..., Tensor], primitive: str, name: str) -> Callable[..., Tensor]:
    """As `inplace`, but where nothing is recorded the primitive writes straight into the tensor."""
    general = inplace(function, name)

    def method(self: Tensor, other: Operand, *, alpha: float = 1) -> Tensor:
        check_writable(self, name)
        recorded = mode.grad and (self.needs_grad or (isinstance(other, Variable) and other.needs_grad))
        if recorded or not _fits(self, other):
            return general(self, other) if alpha == 1 else general(self, other, alpha=alpha)
        value = other.array if isinstance(other, Variable) else other
        backend = self.device.backend
        if alpha != 1:
            value = backend.multiply(value, alpha) if isinstance(other, Variable) else value * alpha
        try:
            getattr(backend, primitive)(self.array, value, out=self.array)
        except ValueError as error:
            raise ShapeError(f"{name}: cannot write the result into shape {self.shape}: {error}") from error
        mark_written(self, name)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = general.__doc__
    return method


def _fits(x: Tensor, other: Operand) -> bool:
    if x.array.dtype.kind != "f":
        return False
    if isinstance(other, Variable):
        return other.array.dtype == x.array.dtype and other.device is x.device
    return type(other) in (int, float)


add_ = _arithmetic(arithmetic.add, "add", "add_")
sub_ = _arithmetic(arithmetic.sub, "subtract", "sub_")
mul_ = _arithmetic(arithmetic.mul, "multiply", "mul_")
div_ = _arithmetic(arithmetic.div, "divide", "div_")
pow_ = inplace(arithmetic.pow, "pow_")
floor_divide_ = inplace(arithmetic.floor_divide, "floor_divide_")
remainder_ = inplace(arithmetic.remainder, "remainder_")
neg_ = inplace(arithmetic.neg, "neg_")
abs_ = inplace(arithmetic.abs, "abs_")
exp_ = inplace(arithmetic.exp, "exp_")
log_ = inplace(arithmetic.log, "log_")
sqrt_ = inplace(arithmetic.sqrt, "sqrt_")
tanh_ = inplace(arithmetic.tanh, "tanh_")
clamp_ = inplace(arithmetic.clamp, "clamp_")
masked_fill_ = inplace(arithmetic.masked_fill, "masked_fill_")
scatter_add_ = inplace(indexing.scatter_add, "scatter_add_")


def fill_(self: Tensor, value: float) -> Tensor:
    """Write `value` into every element. Returns the tensor."""
    check_writable(self, "fill_")
    backend = self.device.backend
    filled = new_tensor(backend.full(self.shape, value, self.dtype), self.device)
    assign(self, filled, "fill_")
    return self


def zero_(self: Tensor) -> Tensor:
    """Write 0 into every element. Returns the tensor."""
    return fill_(self, 0)


def copy_(self: Tensor, source: Operand) -> Tensor:
    """Write `source` (broadcast, converted to this dtype, moved to this device) into this tensor. Returns it."""
    check_writable(self, "copy_")
    value = source if isinstance(source, Variable) else new_tensor(self.device.backend.asarray(source), self.device)
    value = shape.expand(cast(value.to(self.device), self.dtype), self.shape)  # type: ignore[attr-defined]
    assign(self, value, "copy_")
    return self


def setitem(self: Tensor, key: Any, value: Operand) -> None:
    """self[key] = value. Gradients flow to the rest of `self` and to `value`; duplicates in `key` are undefined."""
    check_writable(self, "setitem")
    if mode.grad and (self.needs_grad or (isinstance(value, Variable) and value.needs_grad)):
        assign(self, indexing.setitem_result(self, key, value), "setitem")
    else:
        indexing.write_item(self, key, value)
        mark_written(self, "setitem")
