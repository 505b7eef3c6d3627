"""The basic primitives: what every device must supply, and all that ops may ask of one.

They are named after NumPy's functions. Arrays are opaque to everybody but the backend that made them: outside it only
`.shape`, `.dtype` and `.ndim` may be read. Every primitive that makes a new array takes `out=`, the array to write into
instead; views have none, since they cost nothing. Of an elementwise primitive `out` may be an argument of its shape and
dtype; otherwise it shares no memory with them. The dtypes of the arrays given are equal (promotion happens
before), Python scalars are weak, comparisons give bool, indices are int64, were checked and are not negative. A result
without dimensions is an array like any other. What each primitive reads, writes, aliases and makes is in `table.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from tensorgrad.backends.primitives.half import in_float32
from tensorgrad.backends.primitives.table import TABLE, define
from tensorgrad.dtypes import DType

Array: TypeAlias = Any
Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | tuple[int, ...] | None


class Unary(Protocol):
    def __call__(self, x: Array, /, *, out: Array | None = None) -> Array: ...


class Binary(Protocol):
    def __call__(self, x: Array, y: Array, /, *, out: Array | None = None) -> Array: ...


class UniformPrimitives:
    """Primitives that share a signature: one line each."""

    # Elementwise, one array in.
    negative: Unary
    absolute: Unary
    sign: Unary
    exp: Unary
    expm1: Unary
    log: Unary
    log1p: Unary
    log2: Unary
    log10: Unary
    sqrt: Unary
    square: Unary
    reciprocal: Unary
    sin: Unary
    cos: Unary
    tan: Unary
    tanh: Unary
    erf: Unary
    floor: Unary
    ceil: Unary
    trunc: Unary
    rint: Unary
    isfinite: Unary  # bool out, as the next three
    isnan: Unary
    isinf: Unary
    logical_not: Unary
    invert: Unary

    # Elementwise, two arrays (or an array and a scalar) in, broadcast against each other.
    add: Binary
    subtract: Binary
    multiply: Binary
    divide: Binary  # floats only: integers are converted before
    power: Binary
    floor_divide: Binary
    remainder: Binary  # the sign of the divisor
    maximum: Binary
    minimum: Binary
    equal: Binary  # bool out, as the next five
    not_equal: Binary
    less: Binary
    less_equal: Binary
    greater: Binary
    greater_equal: Binary
    logical_and: Binary
    logical_or: Binary
    logical_xor: Binary
    bitwise_and: Binary
    bitwise_or: Binary
    bitwise_xor: Binary
    left_shift: Binary
    right_shift: Binary


class OwnPrimitives:
    """The basic primitives whose signatures are their own."""

    # Reductions over `axis`: an int, a tuple, or None for all. Float16 is accumulated in float32. `any` and `all` give
    # bool; `argmax` and `argmin` take one axis and give the int64 position of the first extreme.
    def sum(self, x: Array, /, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array: ...
    def prod(self, x: Array, /, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array: ...
    def max(self, x: Array, /, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array: ...
    def min(self, x: Array, /, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array: ...
    def any(self, x: Array, /, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array: ...
    def all(self, x: Array, /, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array: ...
    def argmax(
        self, x: Array, /, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None
    ) -> Array: ...
    def argmin(
        self, x: Array, /, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None
    ) -> Array: ...

    def matmul(self, x: Array, y: Array, /, *, out: Array | None = None) -> Array:
        """NumPy's rule: 1-d operands are vectors, leading dimensions are batches and broadcast."""

    # Making arrays.
    def asarray(self, data: Any, /, *, dtype: DType | None = None) -> Array:
        """An array of this device with the values of a host array, scalar or nested sequence."""

    def to_numpy(self, x: Array, /) -> np.ndarray[Any, Any]:
        """The values on the host; on the CPU the array itself, without a copy."""
        raise NotImplementedError

    def empty(self, shape: Shape, dtype: DType) -> Array: ...
    def full(self, shape: Shape, value: float, dtype: DType, *, out: Array | None = None) -> Array: ...
    def arange(self, start: float, stop: float, step: float, dtype: DType, *, out: Array | None = None) -> Array: ...

    # Copies. `copy` is contiguous in C order; `copyto` writes into `target` (broadcasting, casting).
    def copy(self, x: Array, /, *, out: Array | None = None) -> Array: ...
    def astype(self, x: Array, dtype: DType, /, *, out: Array | None = None) -> Array: ...
    def copyto(self, target: Array, source: Array, /) -> None: ...

    # Views. `key` of getitem is ints, slices, None and Ellipsis only.
    def reshape(self, x: Array, shape: Shape, /) -> Array:
        """The same memory in another shape, for layouts that allow it (`can_reshape`); `reshaped` is for all."""

    def transpose(self, x: Array, axes: tuple[int, ...] | None = None, /) -> Array: ...
    def broadcast_to(self, x: Array, shape: Shape, /) -> Array: ...
    def getitem(self, x: Array, key: Any, /) -> Array: ...
    def diagonal(self, x: Array, place: tuple[int, int, int], /) -> Array:
        """The elements with index i along `axis1` and i + `offset` along `axis2`, as the last dimension.

        `place`: (offset, axis1, axis2), two different axes that are not negative.
        """

    def reinterpret(self, x: Array, dtype: DType, /) -> Array:
        """The bytes of `x` read as another dtype. Where its size is another one, the last dimension is contiguous and
        gets longer or shorter by the quotient. A ValueError where the memory is not aligned for the dtype.
        """

    def is_view(self, view: Array, x: Array, /) -> bool:
        """Whether `view`, made from `x` by one of the view primitives, shares its memory."""
        raise NotImplementedError

    def owns(self, x: Array, /) -> bool:
        """Whether `x` is not a view, so that nobody else can see it through another array."""
        raise NotImplementedError

    def is_contiguous(self, x: Array, /) -> bool:
        raise NotImplementedError

    # Selection and joining.
    def where(self, condition: Array, x: Array, y: Array, /, *, out: Array | None = None) -> Array: ...
    def concatenate(self, arrays: list[Array], axis: int, /, *, out: Array | None = None) -> Array: ...
    def cumsum(self, x: Array, axis: int, /, *, out: Array | None = None) -> Array: ...
    def argsort(self, x: Array, axis: int, /, *, descending: bool = False, out: Array | None = None) -> Array:
        """int64 positions that sort `x` along `axis`, stable; NaN sorts as the greatest."""

    def nonzero(self, x: Array, /) -> tuple[Array, ...]:
        """One int64 array of positions for each dimension. The result's shape depends on the data."""
        raise NotImplementedError

    # Indexing by arrays. `key` is a tuple of ints, slices, None, Ellipsis and, for each array of `indices` in its
    # turn, `INDEX`; NumPy's advanced indexing decides the result's shape.
    def take(self, x: Array, indices: Array, axis: int, /, *, out: Array | None = None) -> Array: ...
    def take_index(self, x: Array, /, *indices: Array, key: tuple[Any, ...], out: Array | None = None) -> Array: ...
    def put_index(
        self, x: Array, values: Array, /, *indices: Array, key: tuple[Any, ...], accumulate: bool = False
    ) -> None:
        """x[key] = values, or += with `accumulate` (then every duplicate counts). In place."""

    def take_along_axis(self, x: Array, indices: Array, axis: int, /, *, out: Array | None = None) -> Array: ...
    def put_along_axis(
        self, x: Array, indices: Array, values: Array, axis: int, /, *, accumulate: bool = False
    ) -> None: ...

    def check_bounds(self, indices: Array, low: int, high: int, /, *, what: str) -> None:
        """BoundsError unless all indices lie in [low, high), with the first offender, its position and `what`."""


def delivered(B: Primitives, result: Array, out: Array | None) -> Array:
    """`result`, written into `out` where there is one: for compositions that end in a view."""
    if out is None:
        return result
    B.copyto(out, result)
    return out


class Placeholder:
    """Stands in a static indexing key where an index array goes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "INDEX"


INDEX = Placeholder()

if TYPE_CHECKING:

    class _Basic(UniformPrimitives, OwnPrimitives):
        """All basic primitives, as a backend has them."""

else:
    # Stubs inherited here would hide that a backend lacks one.
    _Basic = UniformPrimitives


class _Declared:
    """A subclass defines primitives that have a row in the table, and no others. With `composes` its methods are the
    defaults of primitives that no device needs to supply; float16 is computed in float32 by those whose rows say so.
    """

    def __init_subclass__(cls, composes: bool = False, **kwargs: Any) -> None:
        """Raises TypeError for a public method without a row."""
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if not name.startswith("_") and not isinstance(value, type) and callable(getattr(cls, name)):
                if composes and name in TABLE and TABLE[name].half == "float32":
                    value = in_float32(value)
                    setattr(cls, name, value)
                define(name, value if composes else None)


class Primitives(_Declared, _Basic, composes=True):
    """What the text of a composite primitive may call: all basic ones, and what every device says of its memory."""

    def scratch(self, shape: Shape, dtype: DType) -> Array:
        """Uninitialised memory for a primitive to work in, which nobody sees after the primitive has returned.

        A primitive that is given `out=` takes memory from nowhere else. Here it is new; whoever replays recorded calls
        hands out memory of its own.
        """
        return self.empty(shape, dtype)

    def strides(self, x: Array) -> Shape:
        """For each dimension, how many elements of the memory lie between two neighbours along it."""
        return tuple([n // x.dtype.itemsize for n in x.strides])

    def can_reshape(self, x: Array, shape: Shape) -> bool:
        """Whether the memory of `x` can be looked at in `shape`, of as many elements, without a copy."""
        return self.is_contiguous(x) or strides_allow(x.shape, self.strides(x), shape)

    def writable(self, x: Array) -> Array:
        """`x`, or a view of all of it that may be written, unless its memory is read-only. For views, of what was
        stretched, in which no element comes twice."""
        return x

    def reshaped(self, x: Array, shape: Shape, *, out: Array | None = None) -> Array:
        """`x` in another shape: a view where its layout allows one, else a copy."""
        if self.can_reshape(x, shape):
            return delivered(self, self.reshape(x, shape), out)
        if out is None:
            return self.reshape(self.copy(x), shape)
        return delivered(self, self.reshape(self.copy(x, out=self.scratch(x.shape, x.dtype)), shape), out)


def strides_allow(shape: Shape, strides: Shape, wanted: Shape) -> bool:
    """Whether memory of these strides, counted in elements, can be looked at in the shape `wanted`.

    Both shapes are cut into the shortest runs of dimensions that hold as many elements; within a run of the first one
    each dimension must begin where the one after it ends.
    """
    if 0 in shape:
        return True
    have = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    sizes = [n for n in wanted if n != 1]
    i = j = 0
    while i < len(have):
        start, left, right = i, have[i][0], sizes[j]
        while left != right:
            if left < right:
                i += 1
                left *= have[i][0]
            else:
                j += 1
                right *= sizes[j]
        if any(have[k][1] != have[k + 1][0] * have[k + 1][1] for k in range(start, i)):
            return False
        i, j = i + 1, j + 1
    return True
