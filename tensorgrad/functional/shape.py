"""Shapes under PyTorch's names. Dims may be negative; one out of range is a BoundsError.

Results of reshape, view, flatten, squeeze, unsqueeze, transpose, permute, movedim and expand share memory
with their input (reshape and flatten: where that is possible); all others are new tensors. Sizes and dims may be given
as numbers, as one sequence, or by PyTorch's name for them: `x.permute(1, 0)`, `x.permute((1, 0))`,
`x.permute(dims=(1, 0))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import DType, as_dtype
from tensorgrad.errors import ArgumentError, BoundsError, DTypeError, ShapeError
from tensorgrad.functional.dims import as_integer, normalize_dim, normalize_dims
from tensorgrad.functional.promotion import shape_of
from tensorgrad.ops import shape as S

__all__ = [
    "broadcast_to",
    "flatten",
    "flip",
    "movedim",
    "numel",
    "permute",
    "reshape",
    "roll",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "tril",
    "triu",
    "unflatten",
    "unsqueeze",
]

Shape = tuple[int, ...]
Sizes = int | Sequence[int]


def whole_numbers(name: str, given: tuple[Any, ...]) -> Shape:
    """Numbers given one by one, or as one sequence."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    for n in given:
        if type(n) is not int:
            break
    else:
        return given
    return tuple([as_integer(name, n) for n in given])


def listed(name: str, keyword: str, given: Any, named: Any) -> tuple[Any, ...]:
    """What was given by position, or under the keyword; ArgumentError unless it is one of the two."""
    if named is None and given:
        return given  # type: ignore[no-any-return]
    if given or named is None:
        count = "got both" if given else "got neither"
        raise ArgumentError(f"{name}: expected {keyword}, by position or as {keyword}=, {count}")
    return (named,)


@lru_cache(maxsize=1024)
def _whole_shape(name: str, old: Shape, shape: Shape) -> Shape:
    """`shape`, with -1 replaced, of as many elements as `old`."""
    count, known = prod(old), prod(n for n in shape if n != -1)
    holes = shape.count(-1)
    if holes > 1 or any(n < -1 for n in shape):
        raise ShapeError(f"{name}: sizes must not be negative, except one that may be -1, got {shape}")
    if holes and known == 0:
        raise ShapeError(f"{name}: -1 in {shape} could be any size, because the other sizes multiply to 0")
    if holes and count % known == 0:
        return tuple([count // known if n == -1 else n for n in shape])
    if holes or count != known:
        raise ShapeError(
            f"{name}: cannot bring shape {old} ({count} elements) to {shape} "
            f"({'a multiple of ' if holes else ''}{known} elements)"
        )
    return shape


# ---------------------------------------------------------------------- reshape and its kin
def reshape(input: Tensor, *sizes: Any, shape: Sequence[int] | None = None) -> Tensor:
    """The elements in C order in a new shape, given as numbers or one tuple; one size may be -1.

    Shares memory where it can and copies where it must. ShapeError where the numbers of elements differ.
    """
    if shape is not None or not sizes:
        sizes = listed("reshape", "shape", sizes, shape)
    wanted = sizes[0] if len(sizes) == 1 and type(sizes[0]) is tuple else sizes
    for n in wanted:  # what is no int must not be looked up by: 2.0 is found as 2, and a Tensor's value may change
        if type(n) is not int:
            wanted = whole_numbers("reshape", sizes)
            break
    old = input.array.shape if isinstance(input, Variable) else shape_of("reshape", input)
    return apply(S.reshape, input, shape=_whole_shape("reshape", old, wanted))


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """reshape(input, other.shape)."""
    return reshape(input, shape_of("reshape_as", other))


def view(input: Tensor, *sizes: Any, size: Sequence[int] | None = None, dtype: DType | None = None) -> Tensor:
    """As reshape, but a ShapeError where the elements would have to be copied; with a dtype, the bytes read as that.

    `x.view(dtype)` has no gradient. Where an element of the dtype has another size, the last dim gets longer or shorter
    by the quotient; a ShapeError unless its elements lie side by side and all others a whole number of the new ones
    apart.
    """
    if size is not None or dtype is not None or not sizes:
        sizes = listed("view", "size", sizes, size) if dtype is None else listed("view", "dtype", sizes or size, dtype)
    wanted = sizes[0] if len(sizes) == 1 and type(sizes[0]) is tuple else sizes
    for n in wanted:
        if type(n) is not int:
            if len(sizes) == 1 and isinstance(n, (np.dtype, type)):
                return _reinterpreted(input, n)
            wanted = whole_numbers("view", sizes)
            break
    old = input.array.shape if isinstance(input, Variable) else shape_of("view", input)
    wanted = _whole_shape("view", old, wanted)
    result = apply(S.reshape, input, shape=wanted)
    if not input.device.backend.is_view(result.array, input.array) and prod(wanted) > 1:
        raise ShapeError(
            f"view: shape {input.shape} cannot be seen as {wanted} without a copy, because its elements do "
            "not lie in that order; use reshape()"
        )
    return result


def _reinterpreted(input: Tensor, wanted: Any) -> Tensor:
    shape, dtype = shape_of("view", input), as_dtype(wanted)
    old, new = input.dtype.itemsize, dtype.itemsize
    if old != new:
        if not shape:
            raise ShapeError(f"view: a 0-d tensor of {input.dtype} cannot be read as {dtype}, of another size")
        *others, last = input.device.backend.strides(input.array)
        if shape[-1] > 1 and last != 1:
            raise ShapeError(
                f"view: to be read as {dtype}, the last dim's elements must lie side by side, got a stride of {last}; "
                "use contiguous()"
            )
        apart = [n for n, size in zip(others, shape, strict=False) if size > 1]
        if any(n * old % new for n in (shape[-1], *apart)):
            raise ShapeError(
                f"view: rows of {shape[-1]} {input.dtype}, strides {tuple(apart)}, are not made of whole {dtype}"
            )
    return apply(S.reinterpret, input, dtype=dtype)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """view(input, other.shape)."""
    return view(input, shape_of("view_as", other))


def numel(input: Tensor) -> int:
    """The number of elements."""
    return prod(shape_of("numel", input))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dims from `start_dim` to `end_dim` as one; where they are one, `input` itself. Of a 0-d tensor shape (1,)."""
    shape = shape_of("flatten", input)
    start = normalize_dim("flatten", start_dim, len(shape))
    end = normalize_dim("flatten", end_dim, len(shape))
    if start > end:
        raise ArgumentError(f"flatten: start_dim must not come after end_dim, got {start_dim} and {end_dim}")
    if start == end and shape:
        return input
    return apply(S.reshape, input, shape=(*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """The dim `dim` as several of `sizes`, one of which may be -1."""
    shape = shape_of("unflatten", input)
    at = normalize_dim("unflatten", dim, len(shape))
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        raise DTypeError(f"unflatten: expected a sequence of sizes, got {sizes!r}")
    wanted = whole_numbers("unflatten", (tuple(sizes),))
    known = prod(n for n in wanted if n != -1)
    if (
        not shape
        or not wanted
        or wanted.count(-1) > 1
        or (known != shape[at] if -1 not in wanted else not known or shape[at] % known)
    ):
        raise ShapeError(f"unflatten: dim {dim} of shape {shape} cannot be divided into {wanted}")
    whole = tuple(shape[at] // known if n == -1 else n for n in wanted)
    return apply(S.reshape, input, shape=(*shape[:at], *whole, *shape[at + 1 :]))


def squeeze(input: Tensor, *dims: Any, dim: Sizes | None = None) -> Tensor:
    """Without the dims of size 1: all of them, or those of them that are listed."""
    shape = shape_of("squeeze", input)
    if dim is not None:
        dims = listed("squeeze", "dim", dims, dim)
    if not dims:
        return apply(S.reshape, input, shape=tuple([n for n in shape if n != 1]))
    if len(dims) == 1 and type(dims[0]) is int:
        at = normalize_dim("squeeze", dims[0], len(shape))
        wanted = (*shape[:at], *shape[at + 1 :]) if shape and shape[at] == 1 else shape
        return apply(S.reshape, input, shape=wanted)
    gone = normalize_dims("squeeze", dims[0] if len(dims) == 1 else dims, len(shape))
    return apply(S.reshape, input, shape=tuple([n for i, n in enumerate(shape) if n != 1 or i not in gone]))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dim of size 1 inserted so that it is dim `dim` of the result."""
    shape = shape_of("unsqueeze", input)
    at = normalize_dim("unsqueeze", dim, len(shape) + 1)
    return apply(S.reshape, input, shape=(*shape[:at], 1, *shape[at:]))


# ---------------------------------------------------------------------- the order of dims
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With two dims exchanged."""
    ndim = len(shape_of("transpose", input))
    if type(dim0) is not int or type(dim1) is not int:  # a Tensor must not be looked up by: its value may change
        dim0, dim1 = normalize_dim("transpose", dim0, ndim), normalize_dim("transpose", dim1, ndim)
    return apply(S.transpose, input, axes=_exchanged(dim0, dim1, ndim))


@lru_cache(maxsize=256)
def _exchanged(dim0: int, dim1: int, ndim: int) -> tuple[int, ...]:
    axes = list(range(ndim))
    i, j = normalize_dim("transpose", dim0, ndim), normalize_dim("transpose", dim1, ndim)
    if ndim:
        axes[i], axes[j] = j, i
    return tuple(axes)


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """transpose(input, axis0, axis1)."""
    return transpose(input, axis0, axis1)


swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a tensor of fewer dims as it is."""
    shape = shape_of("t", input)
    if len(shape) > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got shape {shape}; use .mT or .permute")
    return transpose(input, 0, 1) if len(shape) == 2 else input


def permute(input: Tensor, *order: Any, dims: Sequence[int] | None = None) -> Tensor:
    """Dim i of the result is dim `dims[i]` of the input."""
    if dims is not None or not order:
        order = listed("permute", "dims", order, dims)
    return apply(
        S.transpose, input, axes=_permutation(whole_numbers("permute", order), len(shape_of("permute", input)))
    )


@lru_cache(maxsize=256)
def _permutation(dims: Shape, ndim: int) -> tuple[int, ...]:
    axes = normalize_dims("permute", dims, ndim)
    if len(dims) != ndim:
        raise ArgumentError(f"permute: expected each of the {ndim} dims once, got {dims}")
    return axes


def movedim(input: Tensor, source: Sizes, destination: Sizes) -> Tensor:
    """Dims `source` moved to the places `destination`; the others keep their order."""
    ndim = len(shape_of("movedim", input))
    if source is None or destination is None:
        raise DTypeError(f"movedim: expected dims, got {source} and {destination}")
    leaving, places = normalize_dims("movedim", source, ndim), normalize_dims("movedim", destination, ndim)
    if len(leaving) != len(places):
        raise ArgumentError(f"movedim: expected as many sources as destinations, got {source} and {destination}")
    if not ndim:
        return apply(S.transpose, input, axes=())
    staying = iter([d for d in range(ndim) if d not in leaving])
    moved = dict(zip(places, leaving, strict=True))
    return apply(S.transpose, input, axes=tuple([moved[i] if i in moved else next(staying) for i in range(ndim)]))


# ---------------------------------------------------------------------- stretching
def expand(input: Tensor, *sizes: Any, size: Sequence[int] | None = None, implicit: bool = False) -> Tensor:
    """Dims of size 1 stretched to `sizes` without a copy; -1 keeps a size, new dims come in front.

    ShapeError where another size would have to change. `implicit` is PyTorch's, and changes nothing.
    """
    if size is not None or not sizes:
        sizes = listed("expand", "size", sizes, size)
    return _expand("expand", input, whole_numbers("expand", sizes))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """expand(input, other.shape)."""
    return _expand("expand_as", input, shape_of("expand_as", other))


def broadcast_to(input: Tensor, *sizes: Any, size: Sequence[int] | None = None) -> Tensor:
    """expand(input, size)."""
    if size is not None or not sizes:
        sizes = listed("broadcast_to", "size", sizes, size)
    return _expand("broadcast_to", input, whole_numbers("broadcast_to", sizes))


def _expand(name: str, input: Tensor, sizes: Shape) -> Tensor:
    shape = shape_of(name, input)
    lead = len(sizes) - len(shape)
    if lead < 0 or any(n < -1 or (n == -1 and i < lead) for i, n in enumerate(sizes)):
        raise ShapeError(
            f"{name}: shape {shape} cannot become {sizes}; give at least {len(shape)} sizes, -1 only for a "
            "dim that is there to be kept"
        )
    whole = (*sizes[:lead], *[old if n == -1 else n for n, old in zip(sizes[lead:], shape, strict=True)])
    for i, (old, n) in enumerate(zip(shape, whole[lead:], strict=True)):
        if old not in (n, 1):
            raise ShapeError(f"{name}: dim {i} of shape {shape} has size {old}, only size 1 stretches to {n}")
    if whole == (*(1,) * lead, *shape):
        return apply(S.reshape, input, shape=whole)  # nothing is stretched: elements may be written one by one
    return apply(S.broadcast_to, input, shape=whole)


# ---------------------------------------------------------------------- triangles and reordering
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The last two dims on and below the given diagonal, zero above it."""
    k = diagonal if type(diagonal) is int else as_integer("tril", diagonal)
    return apply(S.tril, _matrices("tril", input), k=k)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The last two dims on and above the given diagonal, zero below it."""
    k = diagonal if type(diagonal) is int else as_integer("triu", diagonal)
    return apply(S.triu, _matrices("triu", input), k=k)


def _matrices(name: str, input: Tensor) -> Tensor:
    if len(shape_of(name, input)) < 2:
        raise ShapeError(f"{name}: expected at least 2 dims, got shape {input.shape}")
    return input


def flip(input: Tensor, *order: Any, dims: Sequence[int] | None = None) -> Tensor:
    """A copy with the elements along `dims` in reverse order."""
    given = whole_numbers("flip", order if order and dims is None else listed("flip", "dims", order, dims))
    return apply(S.flip, input, axes=normalize_dims("flip", given, len(shape_of("flip", input))))


def roll(input: Tensor, shifts: Sizes, dims: Sizes | None = None) -> Tensor:
    """Elements moved by `shifts` along `dims`, those pushed out coming in at the other end.

    Without dims the flattened tensor is rolled. ArgumentError unless there is a shift for every dim.
    """
    shape = shape_of("roll", input)
    moves = whole_numbers("roll", (shifts,))
    if dims is None or (type(dims) in (tuple, list) and not dims):
        return reshape(_rolled(flatten(input), moves, (0,)), shape)
    if not shape:
        raise BoundsError(f"roll: a 0-d tensor has no dims to be rolled along, got dims={dims}")
    return _rolled(input, moves, tuple(normalize_dim("roll", d, len(shape)) for d in whole_numbers("roll", (dims,))))


def _rolled(input: Tensor, shifts: Shape, dims: Shape) -> Tensor:
    if len(shifts) != len(dims):
        raise ArgumentError(f"roll: expected a shift for every dim, got shifts {shifts} and dims {dims}")
    return apply(S.roll, input, shifts=shifts, axes=dims)


class ShapeMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    numel = numel
    reshape = reshape
    reshape_as = reshape_as
    view = view
    view_as = view_as
    unflatten = unflatten
    flatten = flatten
    squeeze = squeeze
    unsqueeze = unsqueeze
    transpose = transpose
    swapaxes = swapaxes
    swapdims = swapdims
    t = t
    permute = permute
    movedim = movedim
    expand = expand
    expand_as = expand_as
    broadcast_to = broadcast_to
    tril = tril
    triu = triu
    flip = flip
    roll = roll
