"""What cases of primitives are made of: dtypes, values, and the registry of the cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tensorgrad.backends.primitives import Shape
from tensorgrad.dtypes import FLOATS, DType, bool_, int8, int32, int64, uint64
from tests.backends.operands import Call, Drawer, Host, Values

__all__ = ["ANY", "INTEGERS", "NUMBERS", "Case", "Cases", "alike", "any_bits", "between", "different", "unit"]

INTEGERS = (int64, int32, uint64, int8)
NUMBERS = (*FLOATS, *INTEGERS)
ANY = (*NUMBERS, bool_)

Case: TypeAlias = Callable[[Drawer], Call]


class Cases(dict[str, Case]):
    """How to draw a call, by the name of the primitive."""

    def add(self, names: str, case: Case) -> None:
        for name in names.split():
            assert name not in self, name
            self[name] = case

    def of(self, names: str) -> Callable[[Case], Case]:
        """A decorator: the case of these primitives."""

        def register(case: Case) -> Case:
            self.add(names, case)
            return case

        return register


def between(low: int, high: int) -> Values:
    """Whole numbers in [low, high), of any dtype: sums of them are exact, in any order."""

    def values(rng: np.random.Generator, shape: Shape, dtype: DType) -> Host:
        return rng.integers(low, max(high, low + 1), shape).astype(dtype)

    return values


def unit(rng: np.random.Generator, shape: Shape, dtype: DType) -> Host:
    """Numbers in [0, 1]."""
    return rng.random(shape).astype(dtype)


def alike(rng: np.random.Generator, shape: Shape, dtype: DType) -> Host:
    """One number everywhere: of several that are written to one place it does not matter which wins."""
    return np.full(shape, rng.integers(1, 9), dtype)


def any_bits(rng: np.random.Generator, shape: Shape, dtype: DType) -> Host:
    """Of unsigned integers."""
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype.type, endpoint=True)


def different(axis: int) -> Values:
    """Indices none of which comes twice along `axis`."""

    def values(rng: np.random.Generator, shape: Shape, dtype: DType) -> Host:
        return np.argsort(rng.random(shape), axis).astype(dtype)

    return values
