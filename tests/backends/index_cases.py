"""How to draw calls of the primitives that index, and of losses, random numbers, checks, questions and optimizers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.backends import Backend
from tensorgrad.backends.cpu import CpuBackend
from tensorgrad.backends.primitives import INDEX, TABLE, Shape
from tensorgrad.backends.primitives.results import Spec, taken_index, viewed
from tensorgrad.dtypes import FLOATS, DType, float64, int64, uint64
from tests.backends.case_values import ANY, INTEGERS, NUMBERS, Case, Cases, alike, any_bits, between, different, unit
from tests.backends.operands import Call, Drawer, Operand, Values, plain

__all__ = ["CASES"]

CASES = Cases()


# ---------------------------------------------------------------------- indexing
CASES.add("nonzero", lambda d: Call((d.array(d.shape(1), d.pick(ANY)),)))


@CASES.of("take")
def _take(d: Drawer) -> Call:
    shape = d.shape(1, extent=1)
    axis = d.axis(len(shape))
    (block,) = d.blocks([shape[axis]])
    return Call((d.array(shape, d.pick(ANY)), d.array(block, int64, between(0, shape[axis])), axis))


def _key(d: Drawer) -> tuple[Shape, tuple[Any, ...], list[Operand]]:
    """A shape, a key of it with index arrays and slices, and those arrays."""
    shape = d.shape(1, extent=1)
    key: list[Any] = [d.pick([INDEX, slice(None), slice(1, None), slice(None, None, -1)]) for _ in shape]
    at = d.axis(len(shape))
    key[at] = INDEX
    places = [i for i, k in enumerate(key) if k is INDEX]
    blocks = d.blocks([shape[i] for i in places])
    arrays = [d.array(block, int64, between(0, shape[i])) for i, block in zip(places, blocks, strict=True)]
    if key[-1] == slice(None) and d.flag():
        key[-1:] = d.pick([[], [Ellipsis]])
    if d.pick([False, False, True]):
        key.insert(d.whole(0, len(key)), None)
    return shape, tuple(key), arrays


@CASES.of("take_index")
def _take_index(d: Drawer) -> Call:
    shape, key, indices = _key(d)
    return Call((d.array(shape, d.pick(ANY)), *indices), {"key": key})


def _accumulating(d: Drawer) -> tuple[bool, Values]:
    """Whether values are added at their places, and values of which the order does not matter."""
    accumulate = d.flag()
    return accumulate, between(0, 4) if accumulate else alike


@CASES.of("put_index")
def _put_index(d: Drawer) -> Call:
    shape, key, indices = _key(d)
    (accumulate, values), dtype = _accumulating(d), d.pick(NUMBERS)
    region = taken_index(Spec(shape, dtype), *indices, key=key).shape
    given = d.array(d.shrunk(region), dtype, values)
    x = d.array(shape, dtype, between(0, 4), written=True)
    return Call((x, given, *indices), {"key": key, "accumulate": accumulate})


@CASES.of("update_index")
def _update_index(d: Drawer) -> Call:
    if d.flag():
        return _put_index(d)
    shape, dtype = d.shape(), d.pick(NUMBERS)
    key, accumulate = d.key(shape), d.flag()
    region = viewed(Spec(shape, dtype), key).shape
    arrays = d.array(shape, dtype), d.array(d.shrunk(region), dtype)
    return Call(arrays, {"key": key, "accumulate": accumulate})


@CASES.of("scatter_index")
def _scatter_index(d: Drawer) -> Call:
    shape, key, indices = _key(d)
    dtype = d.pick(NUMBERS)
    if d.flag():
        key, indices = d.key(shape), []
    spec = Spec(shape, dtype)
    region = taken_index(spec, *indices, key=key) if indices else viewed(spec, key)
    return Call((d.array(region.shape, dtype, between(0, 4)), *indices), {"shape": shape, "key": key})


def _along(d: Drawer) -> tuple[Shape, int, Operand, Operand]:
    """A shape, an axis of it, indices along it that come at most once or at random, and values for them."""
    shape = d.shape(1, extent=1)
    axis = d.axis(len(shape))
    inner = tuple([d.pick([n, 1, n]) for n in shape])
    return shape, axis, d.array(inner, int64, between(0, shape[axis])), Operand(inner, int64, different(axis), inner)


@CASES.of("take_along_axis")
def _take_along_axis(d: Drawer) -> Call:
    shape, axis, indices, _ = _along(d)
    return Call((d.array(shape, d.pick(ANY)), indices, axis))


@CASES.of("put_along_axis")
def _put_along_axis(d: Drawer) -> Call:
    shape, axis, indices, _ = _along(d)
    (accumulate, values), dtype = _accumulating(d), d.pick(NUMBERS)
    x, given = d.array(shape, dtype, between(0, 4), written=True), d.array(d.shrunk(indices.shape), dtype, values)
    return Call((x, indices, given, axis), {"accumulate": accumulate})


@CASES.of("update_along_axis")
def _update_along_axis(d: Drawer) -> Call:
    call = _put_along_axis(d)
    x, indices, values, axis = call.args
    return Call((x, values, indices), {"axis": axis, **call.kwargs})


@CASES.of("scatter_along_axis")
def _scatter_along_axis(d: Drawer) -> Call:
    shape, axis, indices, different = _along(d)
    unique = d.flag()
    values = d.array(indices.shape, d.pick(NUMBERS), between(0, 4))
    return Call((values, different if unique else indices), {"axis": axis, "shape": shape, "unique": unique})


@CASES.of("wrap_indices")
def _wrap_indices(d: Drawer) -> Call:
    size = d.whole(1, 5)
    return Call((d.array(d.shape(), int64, between(-size, size)), size), {"what": "index"})


# ---------------------------------------------------------------------- losses
def _labelled(d: Drawer) -> tuple[Shape, DType, Operand]:
    rows, classes = d.extent(), d.extent(1)
    return (rows, classes), d.pick(FLOATS), d.array((rows,), int64, between(0, classes))


@CASES.of("softmax_cross_entropy pick_labels")
def _cross_entropy(d: Drawer) -> Call:
    shape, dtype, labels = _labelled(d)
    return Call((d.array(shape, dtype), labels))


@CASES.of("softmax_cross_entropy_backward")
def _cross_entropy_backward(d: Drawer) -> Call:
    shape, dtype, labels = _labelled(d)
    return Call((d.array((shape[0], 1), dtype), d.array(shape, dtype, unit), labels))


@CASES.of("one_hot_rows")
def _one_hot_rows(d: Drawer) -> Call:
    shape, _, labels = _labelled(d)
    return Call((labels, shape[1]))


# ---------------------------------------------------------------------- random numbers
def _drawn(*static: Callable[[Drawer], Any]) -> Case:
    return lambda d: Call((d.array((2,), uint64, any_bits), *[s(d) for s in static]))


CASES.add("next_key", lambda d: Call((d.array((2,), uint64, any_bits, written=True), d.whole(0, 9))))
CASES.add("random_bits random_words64", _drawn(lambda d: d.count()))
CASES.add(
    "random_integers", _drawn(lambda d: d.shape(), lambda d: d.pick([0, -(1 << 63)]), lambda d: d.pick([3, 1 << 63]))
)
CASES.add("random_uniform random_normal", _drawn(lambda d: d.shape(), lambda d: d.pick(FLOATS)))
CASES.add("random_bernoulli", _drawn(lambda d: d.shape(), lambda d: d.pick([0.25, 0.0, 1.0]), lambda d: d.pick(FLOATS)))


@CASES.of("dropout")
def _dropout(d: Drawer) -> Call:
    return Call((d.array(d.shape(), d.pick(FLOATS)), d.array((2,), uint64, any_bits), d.pick([0.25, 0.0])))


DRAWN = np.array([3, 11], uint64)


@CASES.of("dropout_backward")
def _dropout_backward(d: Drawer) -> Call:
    p = d.pick([0.25, 0.0])

    def mask(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        """That of the key, as it always is."""
        return CpuBackend().dropout(np.ones(shape, dtype), DRAWN, p)[1]

    shape, dtype = d.shape(), d.pick(FLOATS)
    key = d.array((2,), uint64, lambda rng, shape, dtype: DRAWN.copy())
    return Call((d.array(shape, dtype), d.array(shape, dtype, mask), key, p))


# ---------------------------------------------------------------------- checks and questions
_WHAT: dict[str, Any] = {"what": "x"}
CASES.add("check_bounds", lambda d: Call((d.array(d.shape(), int64, between(-1, 3)), d.pick([-1, 0]), 3), _WHAT))
CASES.add("check_range", lambda d: Call((d.array(d.shape(), d.pick(FLOATS), d.pick([unit, plain])), 0.0, 1.0), _WHAT))
CASES.add("check_finite", lambda d: Call((d.array(d.shape(), d.pick(FLOATS), d.pick([unit, plain])),), _WHAT))
CASES.add("check_nonzero", lambda d: Call((d.array(d.shape(), d.pick(INTEGERS), between(0, 9)),), _WHAT))
CASES.add("writable", lambda d: Call((d.array(d.shape(), d.pick(ANY)),)))
CASES.add("owns is_contiguous is_writable strides", lambda d: Call((d.array(d.shape(), d.pick(ANY)),)))


@CASES.of("is_view")
def _is_view(d: Drawer) -> Call:
    x = d.array(d.shape(), d.pick(ANY))
    return Call((x, d.pick([x, d.array(x.shape, x.dtype)])))


# ---------------------------------------------------------------------- optimizers
def _columns(name: str) -> Case:
    """As the row and the signature say: lists of arrays of equal shapes, numbers on the device, options."""
    parameters = inspect.signature(getattr(Backend, name)).parameters

    def case(d: Drawer) -> Call:
        shapes, dtype = [d.shape() for _ in range(d.whole(1, 2))], d.pick(FLOATS)
        row = TABLE[name]
        args: list[Any] = []
        for array in row.arrays:
            if "[]" not in row.marks[array]:
                args.append(d.array((), float64, between(1, 3), written=True))
            elif "None" in str(parameters[array].annotation) and d.flag():
                args.append(None)
            else:
                args.append([d.array(s, dtype, unit, written=True) for s in shapes])
        options = {k: p for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY and k != "out"}
        keywords = {k: d.flag() if str(p.annotation) == "bool" else 0.5 for k, p in options.items()}
        return Call((*args, *[d.pick([2.0, 1.0]) for _ in row.static]), keywords)

    return case


_STEPS = [name for name in TABLE if name.endswith("_step")]
for _name in (*_STEPS, "total_norm", "clip_grads_by_norm", "clip_grads_by_value"):
    CASES.add(_name, _columns(_name))
