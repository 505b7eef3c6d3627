"""Parameter: a tensor that a module owns and an optimizer changes."""

from __future__ import annotations

from tensorgrad.dtypes import how_to_make_one, type_name
from tensorgrad.errors import DTypeError
from tensorgrad.tensor import Tensor

__all__ = ["Parameter", "zero_gradient"]


class Parameter(Tensor):
    """A Tensor that is registered when it is assigned to an attribute of a Module.

    `data` is a Tensor whose memory the parameter shares; `requires_grad` is True unless given. The result is
    a leaf. Raises DTypeError for anything that is not a Tensor.
    """

    __slots__ = ()

    def __new__(cls, data: Tensor, requires_grad: bool = True) -> Parameter:
        if not isinstance(data, Tensor):
            raise DTypeError(f"Parameter: expected a Tensor, got {type_name(data)}; {how_to_make_one(data)}")
        made: Parameter = object.__new__(cls)
        made.array, made.device, made.version = data.array, data.device, data.version
        made.grad = made.node = made.base = made.hooks = None
        made.needs_grad = False
        made.requires_grad = requires_grad
        return made

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def zero_gradient(tensor: Tensor) -> None:
    """Fill the gradient of `tensor`, if it has one, with zeros in place, and forget its history, if it has one."""
    gradient = tensor.grad
    if gradient is None:
        return
    if gradient.requires_grad:
        tensor.grad = gradient = gradient.detach()
    gradient.zero_()
