"""Arrays for primitives: their shapes, dtypes, layouts and values drawn, then placed on a device.

A case (`primitive_cases.py`) draws a `Call`, which is the same for all devices: its arrays are `Operand`s. `place`
makes them, each somewhere in a larger buffer.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np
from hypothesis import strategies as st

from tensorgrad.backends.primitives import Shape
from tensorgrad.dtypes import DType

__all__ = ["Call", "Drawer", "Drawn", "Host", "Large", "Operand", "Placed", "Values", "in_numpy", "place", "plain"]

T = TypeVar("T")
Host: TypeAlias = "np.ndarray[Any, Any]"
Values: TypeAlias = Callable[[np.random.Generator, Shape, DType], Host]
Views: TypeAlias = tuple[tuple[str, Any], ...]


def plain(rng: np.random.Generator, shape: Shape, dtype: DType) -> Host:
    """Numbers about 0, and of floats now and then a special one."""
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind != "f":
        return rng.integers(0 if dtype.kind == "u" else -5, 6, shape).astype(dtype)
    found = rng.standard_normal(shape).astype(dtype)
    special = rng.choice([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan], shape).astype(dtype)
    return np.where(rng.random(shape) < 0.15, special, found)


@dataclass(frozen=True)
class Operand:
    """An array to be: `views`, one after the other, look at a buffer of the shape `base`."""

    shape: Shape
    dtype: DType
    values: Values = plain
    base: Shape = ()
    views: Views = ()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def overlaps(self) -> bool:
        """Whether an element of the buffer is seen twice."""
        return any(view == "broadcast_to" for view, _ in self.views)

    @property
    def backwards(self) -> bool:
        """Whether a dimension of the buffer is walked from its end."""
        keys = [argument for view, argument in self.views if view == "getitem"]
        return any(isinstance(k, slice) and (k.step or 1) < 0 for key in keys for k in key)

    def seen(self, look: Callable[[str, Any, Any], Any], base: Any) -> Any:
        """What the views see of `base`; `look(view, array, argument)` is one of them."""
        for view, argument in self.views:
            base = look(view, base, argument)
        return base


@dataclass(frozen=True)
class Call:
    """The arguments of a primitive, with operands for arrays."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


# ---------------------------------------------------------------------- drawing
class Drawer(ABC):
    """What cases draw from."""

    @abstractmethod
    def pick(self, options: Sequence[T]) -> T:
        """One of them; the first is the simplest."""

    @abstractmethod
    def whole(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""

    @abstractmethod
    def extent(self, least: int = 0) -> int:
        """Of one dimension."""

    @abstractmethod
    def layout(self) -> str:
        """How an array lies in memory."""

    def flag(self) -> bool:
        return self.pick([False, True])

    def shape(self, least: int = 0, most: int = 3, extent: int = 0) -> Shape:
        """Of `least` to `most` dimensions, none of them below `extent`."""
        return tuple([self.extent(extent) for _ in range(self.whole(least, most))])

    def shapes(self, count: int, most: int = 3) -> list[Shape]:
        """Shapes that broadcast against each other."""
        whole = self.shape(most=most)
        return [self.shrunk(whole) for _ in range(count)]

    def shrunk(self, whole: Shape) -> Shape:
        """A shape that broadcasts to `whole`: most often itself, else with ones, or without leading dimensions."""
        if not whole or self.pick([True, True, False]):
            return whole
        ones = tuple([1 if self.flag() else n for n in whole])
        return ones[self.whole(0, len(ones)) :]

    def count(self) -> int:
        """Of the elements of a whole array."""
        return math.prod(self.shape())

    def key(self, shape: Shape) -> tuple[Any, ...]:
        """A key of ints, slices, None and Ellipsis."""
        key: list[Any] = []
        for n in shape[: self.whole(0, len(shape))]:
            piece = slice(self.pick([None, 1, -1]), self.pick([None, 3, -1]), self.pick([None, 2, -1, -2]))
            key.append(self.whole(-n, n - 1) if n and self.pick([False, False, True]) else piece)
        if self.flag():
            key.append(Ellipsis)
        if self.flag():
            key.insert(self.whole(0, len(key)), None)
        return tuple(key)

    def blocks(self, sizes: Sequence[int]) -> list[Shape]:
        """Shapes of index arrays for dimensions of these sizes, which broadcast."""
        return self.shapes(len(sizes), most=2)

    def batches(self) -> list[Shape]:
        """Two shapes of batches of matrices, which broadcast."""
        return self.shapes(2, most=1)

    def axis(self, ndim: int) -> int:
        return self.whole(0, ndim - 1)

    def axes(self, ndim: int) -> int | tuple[int, ...] | None:
        """The axes of a reduction: one, some, or None for all."""
        kind = self.pick(["all", "one", "some"]) if ndim else "all"
        if kind == "all":
            return None
        return self.axis(ndim) if kind == "one" else tuple([a for a in range(ndim) if self.flag()])

    def array(self, shape: Shape, dtype: DType, values: Values = plain, *, written: bool = False) -> Operand:
        """An operand in one of all layouts, of which those that are `written` show no element twice."""
        kind = self.layout()
        order = list(range(len(shape)))
        if kind in ("transposed", "mixed"):
            order = _shuffled(self, order)
        inner = tuple([shape[a] for a in order])
        if kind == "broadcast" and not written:
            narrow = tuple([1 if self.flag() else n for n in inner])
            return Operand(shape, dtype, values, narrow[self._ones(narrow) :], (("broadcast_to", shape),))
        cuts = [self._cut(n, kind) for n in inner]
        base: Shape = tuple([size for size, _ in cuts])
        key: tuple[Any, ...] = tuple([k for _, k in cuts])
        if kind == "mixed" or (kind == "stepped" and not shape):
            base, key = (3, *base), (self.whole(0, 2), *key)
        views: list[tuple[str, Any]] = [("getitem", key)] if kind in ("stepped", "mixed") else []
        if order != sorted(order):
            views.append(("transpose", tuple([order.index(a) for a in range(len(order))])))
        return Operand(shape, dtype, values, base, tuple(views))

    def _ones(self, shape: Shape) -> int:
        """How many of the leading ones to leave out."""
        leading = next((i for i, n in enumerate(shape) if n != 1), len(shape))
        return self.whole(0, leading)

    def _cut(self, n: int, kind: str) -> tuple[int, slice]:
        """The extent of a buffer's dimension, and a slice of it that has `n` elements."""
        if kind not in ("stepped", "mixed") or n == 0:
            return n, slice(None)
        step, before, after = self.pick([1, 2, -1, -2, 3]), self.whole(0, 2), self.whole(0, 2)
        last = before + (n - 1) * abs(step)
        if step > 0:
            return last + 1 + after, slice(before, last + 1, step)
        return last + 1 + after, slice(last, before - 1 if before else None, step)


class Drawn(Drawer):
    """Small arrays, by hypothesis."""

    _LAYOUTS = ("contiguous", "contiguous", "transposed", "stepped", "broadcast", "mixed")

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def pick(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def whole(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def extent(self, least: int = 0) -> int:
        return max(least, self._draw(st.sampled_from([2, 1, 3, 0, 4])))

    def shape(self, least: int = 0, most: int = 3, extent: int = 0) -> Shape:
        sizes = list(super().shape(least, most, extent))
        if sizes and self.whole(0, 3) == 3:
            sizes[self.axis(len(sizes))] = 37  # more than a processor takes at a time
        return tuple(sizes)

    def layout(self) -> str:
        return self.pick(self._LAYOUTS)


class Large(Drawer):
    """Arrays of about a quarter of a million elements, without gaps."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def whole(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def extent(self, least: int = 0) -> int:
        return 512

    def shape(self, least: int = 0, most: int = 3, extent: int = 0) -> Shape:
        return {1: (1 << 18,), 2: (512, 512), 3: (8, 128, 256)}[max(least, min(self.whole(1, 3), most))]

    def blocks(self, sizes: Sequence[int]) -> list[Shape]:
        return [(sizes[0],)] * len(sizes)  # what is taken is no larger than what it is taken from

    def batches(self) -> list[Shape]:
        return [(2,), self.pick([(2,), ()])]

    def layout(self) -> str:
        return self.pick(["contiguous", "contiguous", "transposed"])


def _shuffled(d: Drawer, order: list[int]) -> list[int]:
    left, found = list(order), []
    while left:
        found.append(left.pop(d.whole(0, len(left) - 1)))
    return found


# ---------------------------------------------------------------------- placing
@dataclass
class Placed:
    """A call with arrays of a device. `bases`: the whole buffers, in the order of their operands, as `arrays`."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operands: list[Operand]
    bases: list[Any]
    arrays: list[Any]


def place(backend: Any, call: Call, seed: int, *, packed: bool = False) -> Placed:
    """The arrays of `call` with the values of `seed`; the n-th operand's do not depend on the other ones. With `packed`
    the same values lie without gaps.
    """
    placed = Placed((), {}, [], [], [])
    known: dict[int, Any] = {}

    def made(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(made(v) for v in value)
        if not isinstance(value, Operand):
            return value
        if (identity := id(value)) in known:
            return known[identity]
        rng = np.random.default_rng((seed, len(placed.operands)))
        host = np.asarray(value.values(rng, value.base, value.dtype), value.dtype)
        if packed:
            value, host = Operand(value.shape, value.dtype), np.array(in_numpy(value, host), order="C")
        base = backend.asarray(host)
        array = value.seen(lambda view, x, argument: getattr(backend, view)(x, argument), base)
        placed.operands.append(value)
        placed.bases.append(base)
        placed.arrays.append(array)
        return known.setdefault(identity, array)

    placed.args = tuple([made(a) for a in call.args])
    placed.kwargs = {k: made(v) for k, v in call.kwargs.items()}
    return placed


def in_numpy(operand: Operand, base: Host) -> Host:
    """What an operand's views see of a host array."""

    def look(view: str, x: Host, argument: Any) -> Host:
        if view == "getitem":
            return x[(*argument, ...)]
        found: Host = x.transpose(argument) if view == "transpose" else np.broadcast_to(x, argument)
        return found

    found: Host = operand.seen(look, base)
    return found
