"""Functions for the tests: right ones, in the shapes users write them."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from tensorgrad.autograd import Function

__all__ = ["Affine", "Cube", "Exp", "SumAndProduct"]


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


class Exp(Function):
    """Saves its output."""

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


class Affine(Function):
    """Several arguments, some of them not Tensors; notes what was asked for."""

    asked: tuple[bool, ...] = ()

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor, w: tg.Tensor, power: int, scale: float = 1.0) -> tg.Tensor:
        Affine.asked = ctx.needs_input_grad
        ctx.save_for_backward(x, w)
        ctx.power, ctx.scale = power, scale
        return scale * x * w**power

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> tuple[Any, ...]:
        x, w = ctx.saved_tensors
        n, s = ctx.power, ctx.scale
        return g * s * w**n, g * s * x * n * w ** (n - 1), None


class SumAndProduct(Function):
    """Two outputs, one of them saved."""

    got: list[Any]

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor, y: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        product = x * y
        ctx.save_for_backward(x, y, product)
        return x + y, product

    @staticmethod
    def backward(ctx: Any, gs: tg.Tensor, gp: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        SumAndProduct.got = [gs, gp]
        x, y, product = ctx.saved_tensors
        return gs + gp * product / x, gs + gp * product / y
