"""Random arrays, as text that any of the libraries reads, and the shapes they have."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["FLOATS", "INTEGERS", "Leaf", "array_of", "literal"]

Array = np.ndarray[Any, Any]

FLOATS = ("float32", "float64", "float16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
SPECIAL = (0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan"), 15.0, -4.0, 100.0, -100.0, 0.5, 2.5, 1e-5)
EXTREME = {
    "float16": (6e4, -6e4, 6e-8, 6e-5),
    "float32": (3e36, -1e36, 1e-45, 1e-38, 1e-10),
    "float64": (1e200, -1e200, 1e-308, 1e-10),
}


def array_of(rng: random.Random, shape: tuple[int, ...], dtype: str, plain: float = 0.8) -> Array:
    """Random values with few digits; in one array of five, zeros, extremes and what is not finite among them."""
    count = int(np.prod(shape))
    special = rng.random() > plain
    values = [_value(rng, dtype, special and rng.random() < 0.4) for _ in range(count)]
    return np.array(values, dtype=dtype).reshape(shape)


def _value(rng: random.Random, dtype: str, special: bool) -> Any:
    if dtype == "bool":
        return rng.random() < 0.5
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        if special:
            return rng.choice((limits.min, limits.max, 0, 1))
        return rng.randint(max(limits.min, -5), 6)
    if special:
        return rng.choice((*SPECIAL, *EXTREME[dtype]))
    return round(rng.gauss(0, 1.5), 2)


def literal(values: Array) -> str:
    """`L.tensor(...)` of an array's values and dtype."""
    if values.size:
        return f"L.tensor({values.tolist()!r}, dtype=L.{values.dtype})"
    return f"L.zeros({values.shape!r}, dtype=L.{values.dtype})"


@dataclass(frozen=True)
class Leaf:
    """The line that makes a tensor which programs begin with."""

    name: str
    values: Array
    layout: str = ""  # "", "transposed", "strided" or "expanded"
    grad: bool = False
    recipe: str = ""  # for long arrays, an expression of NumPy's in the place of their values

    @property
    def line(self) -> str:
        values = self.values
        if self.recipe:
            text = f"L.tensor({self.recipe}, dtype=L.{values.dtype})"
        elif self.layout == "transposed" and values.ndim > 1:
            text = f"{literal(values.swapaxes(0, -1))}.transpose(0, -1)"
        elif self.layout == "strided" and values.ndim:
            text = f"{literal(np.repeat(values, 2, -1))}[..., ::2]"
        elif self.layout == "expanded" and values.ndim:
            text = f"{literal(values[:1])}.expand({values.shape!r})"
        else:
            text = literal(values)
        if self.grad and self.layout:
            text += ".detach()"  # PyTorch would take a later write for one to the tensor it is a view of
        return f"{self.name} = {text}" + (".requires_grad_()" if self.grad else "")

    def with_values(self, values: Array) -> Leaf:
        return replace(self, values=values)
