"""In-place forms: `x.add_(y)` writes the result of `x.add(y)` into x, and returns x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.inplace import assign, check_writable, is_stretched, mark_written, overwritten
from tensorgrad.autograd.modes import mode
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.dtypes import fitting, leaves_half
from tensorgrad.errors import GraphError, ShapeError
from tensorgrad.functional import activation, arithmetic, choosing, comparison, gathering, indexing, rounding, shape
from tensorgrad.functional.promotion import Scalar, cast
from tensorgrad.random import inplace as random

Operand = Any
_ONE = 1


def inplace(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """The method that runs `function` and writes its result into the first argument."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self, name)
        assign(self, function(self, *args, **kwargs), name)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}`, written into this tensor, which keeps its shape and dtype. Returns it."
    return method


def _written(
    self: Tensor, other: Operand, primitive: str, name: str, general: Callable[..., Tensor], alpha: Scalar = 1
) -> Tensor:
    """As `general`, but where nothing is recorded the primitive writes straight into the tensor."""
    check_writable(self, name)
    direct = not _recorded(self, other) and _fits(self, other)
    if alpha is not _ONE and not (direct and type(alpha) in (int, float)):
        other, alpha = arithmetic.scaled(name, self, other, alpha), _ONE
    if not direct:
        return general(self, other)
    value = other.array if isinstance(other, Variable) else other
    backend = self.device.backend
    if alpha is not _ONE:
        value = backend.multiply(value, alpha) if isinstance(other, Variable) else value * alpha
    try:
        getattr(backend, primitive)(self.array, value, out=self.array)
    except ValueError as error:
        raise ShapeError(f"{name}: cannot write the result into shape {self.shape}: {error}") from error
    mark_written(self, name)
    return self


def _recorded(self: Tensor, other: Operand) -> bool:
    """Whether a write of `other` goes on the tape. The history of a view may be behind: hence the properties."""
    return mode.grad and (self.requires_grad or (isinstance(other, Variable) and other.requires_grad))


def _fits(x: Tensor, other: Operand) -> bool:
    if isinstance(other, Variable):
        return x.array.dtype.kind == "f" and other.array.dtype == x.array.dtype and other.device is x.device
    kind = x.array.dtype.char
    return type(other) in (int, float) and (kind in "fd" or (kind == "e" and not leaves_half(other)))


_add_, _sub_ = inplace(arithmetic.add, "add_"), inplace(arithmetic.sub, "sub_")
_mul_, _div_ = inplace(arithmetic.mul, "mul_"), inplace(arithmetic.div, "div_")


def add_(self: Tensor, other: Operand, *, alpha: Scalar = 1) -> Tensor:
    """`add`, written into this tensor, which keeps its shape and dtype. Returns it."""
    return _written(self, other, "add", "add_", _add_, alpha)


def sub_(self: Tensor, other: Operand, *, alpha: Scalar = 1) -> Tensor:
    """`sub`, written into this tensor, which keeps its shape and dtype. Returns it."""
    return _written(self, other, "subtract", "sub_", _sub_, alpha)


def mul_(self: Tensor, other: Operand) -> Tensor:
    """`mul`, written into this tensor, which keeps its shape and dtype. Returns it."""
    return _written(self, other, "multiply", "mul_", _mul_)


def div_(self: Tensor, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """`div`, written into this tensor, which keeps its shape and dtype. Returns it."""
    if rounding_mode is not None:
        return _div_(self, other, rounding_mode=rounding_mode)
    return _written(self, other, "divide", "div_", _div_)


pow_ = inplace(arithmetic.pow, "pow_")
floor_divide_ = inplace(rounding.floor_divide, "floor_divide_")
remainder_ = inplace(rounding.remainder, "remainder_")
neg_ = inplace(arithmetic.neg, "neg_")
abs_ = inplace(arithmetic.abs, "abs_")
round_ = inplace(rounding.round, "round_")
exp_ = inplace(arithmetic.exp, "exp_")
log_ = inplace(arithmetic.log, "log_")
sqrt_ = inplace(arithmetic.sqrt, "sqrt_")
tanh_ = inplace(arithmetic.tanh, "tanh_")
relu_ = inplace(activation.relu, "relu_")
sigmoid_ = inplace(activation.sigmoid, "sigmoid_")
leaky_relu_ = inplace(activation.leaky_relu, "leaky_relu_")  # no methods, as in PyTorch: this and the next two
elu_ = inplace(activation.elu, "elu_")
silu_ = inplace(activation.silu, "silu_")
clamp_ = inplace(arithmetic.clamp, "clamp_")
clamp_min_ = inplace(arithmetic.clamp_min, "clamp_min_")
clamp_max_ = inplace(arithmetic.clamp_max, "clamp_max_")
bitwise_and_ = inplace(comparison.bitwise_and, "bitwise_and_")
bitwise_or_ = inplace(comparison.bitwise_or, "bitwise_or_")
bitwise_xor_ = inplace(comparison.bitwise_xor, "bitwise_xor_")
bitwise_left_shift_ = inplace(comparison.bitwise_left_shift, "bitwise_left_shift_")
bitwise_right_shift_ = inplace(comparison.bitwise_right_shift, "bitwise_right_shift_")
masked_fill_ = inplace(choosing.masked_fill, "masked_fill_")
scatter_ = inplace(gathering.scatter, "scatter_")
scatter_add_ = inplace(gathering.scatter_add, "scatter_add_")
index_add_ = inplace(gathering.index_add, "index_add_")
index_put_ = inplace(indexing.index_put, "index_put_")


def fill_(self: Tensor, value: Operand) -> Tensor:
    """Write `value`, a number or a 0-d tensor, into every element, also of an expanded tensor. Returns the tensor.

    ArgumentError for a number that an integer dtype does not hold.
    """
    if self.base is not None and is_stretched(self):
        _filled(_each_once(self), value)
        return self
    return _filled(self, value)


def _each_once(self: Tensor) -> Tensor:
    """A view of the same memory in which no element comes twice: of what was stretched the first."""
    strides = self.device.backend.strides(self.array)
    first = [slice(0, 1) if n > 1 and s == 0 else slice(None) for n, s in zip(self.shape, strides, strict=True)]
    return indexing.getitem(self, tuple(first))


def _filled(self: Tensor, value: Operand) -> Tensor:
    if isinstance(value, Variable):
        if value.ndim:
            raise ShapeError(f"fill_: expected a number or a 0-d tensor, got shape {value.shape}; use copy_")
        return _copied(self, value, "fill_")
    check_writable(self, "fill_")
    number = fitting("fill_", value, self.dtype)
    assign(self, new_tensor(self.device.backend.full(self.shape, number, self.dtype), self.device), "fill_")
    return self


def zero_(self: Tensor) -> Tensor:
    """Write 0 into every element. Returns the tensor."""
    return fill_(self, 0)


def copy_(self: Tensor, source: Operand) -> Tensor:
    """Write `source` (broadcast, converted to this dtype, moved to this device) into this tensor. Returns it."""
    if not isinstance(source, Variable):
        source = new_tensor(self.device.backend.asarray(source), self.device)
    return _copied(self, source, "copy_")


def _copied(self: Tensor, source: Variable, name: str) -> Tensor:
    check_writable(self, name)
    value = shape.expand(cast(source.to(self.device), self.dtype), self.shape)  # type: ignore[attr-defined]
    if mode.grad and self.requires_grad:
        value = overwritten(self, value)
    assign(self, value, name)
    return self


def detach_(self: Tensor) -> Tensor:
    """Take the tensor out of its graph: it becomes a leaf that does not require grad. Returns it.

    Raises GraphError for a view, whose history belongs to the tensor it is a view of.
    """
    if self.base is not None:
        raise GraphError("detach_: a view has the history of the tensor it was made from; use detach()")
    self.node, self.needs_grad = None, False
    return self


def setitem(self: Tensor, key: Any, value: Operand) -> None:
    """self[key] = value. Gradients flow to the rest of `self` and to `value`; duplicates in `key` are undefined.

    Of an expanded tensor what `key` selects must have no element twice.
    """
    if self.base is not None and is_stretched(self):
        self, key = _part(self, key)
    check_writable(self, "setitem")
    if _recorded(self, value):
        assign(self, indexing.setitem_result(self, key, value), "setitem")
    else:
        indexing.write_item(self, key, value)
        mark_written(self, "setitem")


def _part(self: Tensor, key: Any) -> tuple[Tensor, Any]:
    """The view of an expanded tensor that `key` selects, and the key of all of it; both as given where it is none."""
    part = indexing.getitem(self, key)
    return (self, key) if part.base is None else (part, ...)


class InPlace:
    """Tensor's methods that write."""

    __slots__ = ()
    __setitem__ = setitem
    __iadd__ = add_
    __isub__ = sub_
    __imul__ = mul_
    __itruediv__ = div_
    __ifloordiv__ = floor_divide_
    __imod__ = remainder_
    __ipow__ = pow_
    __iand__ = bitwise_and_
    __ior__ = bitwise_or_
    __ixor__ = bitwise_xor_
    __ilshift__ = bitwise_left_shift_
    __irshift__ = bitwise_right_shift_
    add_ = add_
    sub_ = subtract_ = sub_
    mul_ = multiply_ = mul_
    div_ = divide_ = true_divide_ = div_
    pow_ = pow_
    floor_divide_ = floor_divide_
    remainder_ = remainder_
    neg_ = negative_ = neg_
    abs_ = absolute_ = abs_
    round_ = round_
    exp_ = exp_
    log_ = log_
    sqrt_ = sqrt_
    tanh_ = tanh_
    relu_ = relu_
    sigmoid_ = sigmoid_
    clamp_ = clip_ = clamp_
    clamp_min_ = clamp_min_
    clamp_max_ = clamp_max_
    bitwise_and_ = bitwise_and_
    bitwise_or_ = bitwise_or_
    bitwise_xor_ = bitwise_xor_
    bitwise_left_shift_ = bitwise_left_shift_
    bitwise_right_shift_ = bitwise_right_shift_
    masked_fill_ = masked_fill_
    scatter_ = scatter_
    scatter_add_ = scatter_add_
    index_add_ = index_add_
    index_put_ = index_put_
    fill_ = fill_
    zero_ = zero_
    copy_ = copy_
    detach_ = detach_
    uniform_ = random.uniform_
    normal_ = random.normal_
    bernoulli_ = random.bernoulli_
