"""What a program is run in, line by line: tensorgrad, PyTorch, and PyTorch with float64 for all floats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np
import torch

import tensorgrad as tg

__all__ = [
    "HELPERS",
    "Float64",
    "Outcome",
    "World",
    "disturbed",
    "held",
    "numbers",
    "ours",
    "storage_of",
    "tensors_of",
    "theirs",
]

# What programs may call besides the libraries, in text, since it is printed with them.
HELPERS = """\
def ramp(v):  # weights without symmetry, of the shape and dtype of v
    return (L.arange(v.numel()).reshape(v.shape) % 7 - 2.5).to(v.dtype)

def weighted(vs):  # the sum of all that is differentiable, weighted
    return sum((v * ramp(v)).sum() for v in vs if v is not None and v.requires_grad)
"""


def numbers(value: torch.Tensor) -> Any:
    """The numbers of a tensor. (Some second derivatives are tensors of zeros without memory of their own: PyTorch 2.13
    crashes where NumPy looks at one.)"""
    return (torch.zeros_like(value) if value._is_zerotensor() else value).numpy(force=True)


@lru_cache(maxsize=4096)
def _compiled(line: str) -> CodeType:
    return compile(line, "<program>", "exec")


@dataclass
class Outcome:
    """What a line has come to: what it bound to its name, or the error it raised."""

    value: Any = None
    error: Exception | None = None


class World:
    """The names a program has bound in one library."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.names: dict[str, Any] = {
            "L": library,
            "F": library.nn.functional,
            "np": np,
            "inf": float("inf"),
            "nan": float("nan"),
        }
        exec(_compiled(HELPERS), self.names)

    def run(self, line: str, name: str | None) -> Outcome:
        try:
            exec(_compiled(line), self.names)
        except Exception as error:  # whatever comes is compared
            error.__traceback__ = None
            return Outcome(error=error)
        return Outcome(self.names[name] if name else None)


def held(world: World, name: str) -> Any:
    """What a world holds under `v` or, of several results, `v[1]`."""
    base, _, position = name.partition("[")
    value = world.names.get(base)
    if not position:
        return value
    return value[int(position[:-1])] if isinstance(value, (tuple, list)) else None


def storage_of(value: Any) -> int:
    """The address of a tensor's memory; 0 of PyTorch's zeros without any."""
    return 0 if value._is_zerotensor() else int(value.untyped_storage().data_ptr())


def tensors_of(value: Any) -> list[tuple[str, Any]]:
    """(what follows the name, the tensor) for each of PyTorch's tensors in a result."""
    if isinstance(value, torch.Tensor):
        return [("", value)]
    if isinstance(value, (tuple, list)):
        return [(f"[{k}]", v) for k, v in enumerate(value) if isinstance(v, torch.Tensor)]
    return []


def ours() -> World:
    return World(tg)


def theirs() -> World:
    return World(torch)


def disturbed(value: Any, noise: np.random.Generator, dtype: Any = None) -> Any:
    """In float64, each element moved by at most one rounding of its dtype, or of the given one."""
    if not value.is_floating_point():
        return value.detach()
    factor = torch.finfo(dtype or value.dtype).eps * torch.from_numpy(noise.uniform(-1, 1, tuple(value.shape)))
    exact = value.detach().double()
    return torch.where(torch.isfinite(exact), exact + exact * factor, exact)


class _Doubled:
    """PyTorch with float64 in the place of every floating dtype; with noise, its new tensors are disturbed."""

    float16 = float32 = float = half = double = float64 = torch.float64

    def __init__(self, noise: np.random.Generator | None) -> None:
        self._noise = noise

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def tensor(self, data: Any, *, dtype: Any = None) -> Any:
        made = torch.tensor(data, dtype=dtype)
        return made if self._noise is None else disturbed(made, self._noise)


class Float64(World):
    """The world of exact values. `noise`: disturbs the tensors that lines spell out."""

    def __init__(self, noise: np.random.Generator | None = None) -> None:
        super().__init__(torch)
        self.names["L"] = _Doubled(noise)
        exec(_compiled(HELPERS), self.names)

    def run(self, line: str, name: str | None) -> Outcome:
        torch.set_default_dtype(torch.float64)
        try:
            return super().run(re.sub(r"\.(float|half)\(\)", ".double()", line), name)
        finally:
            torch.set_default_dtype(torch.float32)

    def follow(self, name: str, value: Any, noise: np.random.Generator | None = None) -> None:
        """Take the value that PyTorch has under the name and keep the history, where the structures are the same."""
        mine = held(self, name)
        if not isinstance(mine, torch.Tensor) or mine.shape != value.shape or mine._is_zerotensor():
            if "[" not in name:
                self.names[name] = value.detach().clone()
            return
        new = value.detach() if noise is None else disturbed(value, noise)
        np.copyto(mine.detach().numpy(), numbers(new.to(mine.dtype)))  # which may write where memory overlaps
