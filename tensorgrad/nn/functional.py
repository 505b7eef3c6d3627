"""The functions behind the modules, under PyTorch's names (`import tensorgrad.nn.functional as F`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.functional import activation, loss, padding
from tensorgrad.functional.activation import *
from tensorgrad.functional.indexing import one_hot
from tensorgrad.functional.linalg import linear, linear_act
from tensorgrad.functional.loss import *
from tensorgrad.functional.padding import *
from tensorgrad.names import listing

__all__ = ["linear", "linear_act", "one_hot", *activation.__all__, *loss.__all__, *padding.__all__]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)
