"""The links of `overhead_links.py` on the tapes of tensorgrad and torch, each imported only on request."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from bench.overhead_links import LINKS, SIZE, ChainBackward, constant, start
from bench.workload import Loop

__all__ = ["backward", "forward"]


def tensor_maker(module: str) -> Any:
    """`tensor` of tensorgrad or torch: they are called alike."""
    return importlib.import_module(module).tensor


def forward(module: str, link: int) -> Loop:
    """One link, recorded: both operands require grad, and the result is dropped at once."""
    tensor, taped = tensor_maker(module), LINKS[link].taped
    x = tensor(start(), requires_grad=True)
    w = tensor(constant(LINKS[link]), requires_grad=True)
    return Loop(lambda: taped(x, w))


def backward(module: str, link: int) -> ChainBackward:
    """Backward through a chain of links, the second operand constant."""
    tensor = tensor_maker(module)
    x, w = tensor(start(), requires_grad=True), tensor(constant(LINKS[link]))
    return ChainBackward(LINKS[link], x, w, tensor(np.ones((SIZE, SIZE), np.float32)))
