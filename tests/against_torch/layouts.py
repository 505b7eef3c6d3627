"""Tensors of one shape in every layout, of tensorgrad and of PyTorch alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.nn import functional as F

__all__ = ["LAYOUTS", "SHAPE", "Function", "flat", "functional", "laid_out"]

Function = Callable[[Any, Any], Any]  # takes a library and one of its tensors, of `SHAPE`
SHAPE = (2, 3, 4)
LAYOUTS = [
    "plain",
    "reversed",
    "swapped",
    "rotated",
    "gaps",
    "row gaps",
    "stretched first",
    "stretched middle",
    "stretched last",
    "stretched rows",
    "stretched all",
    "stretched reversed",
]


def _counted(library: Any, small: bool, *shape: int) -> Any:
    numbers = np.arange(math.prod(shape), dtype="float32").reshape(shape)
    return library.tensor((numbers + 1) / 64 if small else numbers)


def laid_out(library: Any, layout: str, *, small: bool = False) -> Any:
    """A tensor of `SHAPE`: 0, 1, 2, ... in the order of its memory, or numbers between 0 and 1."""
    a, b, c = SHAPE

    def counted(*shape: int) -> Any:
        return _counted(library, small, *shape)

    return {
        "plain": lambda: counted(a, b, c),
        "reversed": lambda: counted(c, b, a).permute(2, 1, 0),
        "swapped": lambda: counted(b, a, c).transpose(0, 1),
        "rotated": lambda: counted(b, c, a).permute(2, 0, 1),
        "gaps": lambda: counted(a, b, 2 * c)[..., ::2],
        "row gaps": lambda: counted(2 * a, b, c)[::2],
        "stretched first": lambda: counted(1, b, c).expand(*SHAPE),
        "stretched middle": lambda: counted(a, 1, c).expand(*SHAPE),
        "stretched last": lambda: counted(a, b, 1).expand(*SHAPE),
        "stretched rows": lambda: counted(c).expand(*SHAPE),
        "stretched all": lambda: counted(1).expand(*SHAPE),
        "stretched reversed": lambda: counted(1, b, a).expand(c, b, a).permute(2, 1, 0),
    }[layout]()


def functional(library: Any) -> Any:
    return F if library is tg else library.nn.functional


def flat(found: Any) -> Iterator[Any]:
    """The tensors in a result, which may be a tuple of tuples."""
    if isinstance(found, (tuple, list)):
        for x in found:
            yield from flat(x)
    else:
        yield found
