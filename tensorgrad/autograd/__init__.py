"""The tape, as users see it: gradients, contexts, operations of their own, and checks of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.autograd.backward import backward, grad
from tensorgrad.autograd.function import Function, once_differentiable
from tensorgrad.autograd.gradcheck import gradcheck, gradgradcheck
from tensorgrad.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from tensorgrad.names import listing

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)
