"""Shapes under PyTorch's names. Dims may be negative; one out of range is a BoundsError.

Results of reshape, view, flatten, squeeze, unsqueeze, transpose, permute, movedim and expand share memory
with their input (reshape and flatten: where that is possible); all others are new tensors.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.functional.dims import as_integer, normalize_dim, normalize_dims
from tensorgrad.functional.promotion import shape_of
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import shape as S

__all__ = [
    "broadcast_to",
    "flatten",
    "flip",
    "meshgrid",
    "movedim",
    "numel",
    "permute",
    "repeat_interleave",
    "reshape",
    "roll",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "tile",
    "transpose",
    "tril",
    "triu",
    "unflatten",
    "unsqueeze",
]

Shape = tuple[int, ...]
Sizes = int | Sequence[int]


def _ints(name: str, given: tuple[Any, ...]) -> Shape:
    """Numbers given one by one, or as one sequence."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    for n in given:
        if type(n) is not int:
            break
    else:
        return given
    try:
        return tuple([operator.index(n) for n in given])
    except TypeError:
        raise DTypeError(f"{name}: expected whole numbers, got {given}") from None


def _whole_shape(name: str, old: Shape, given: tuple[Any, ...]) -> Shape:
    """The shape `given` as numbers or as one sequence, of as many elements as `old`, with -1 replaced."""
    try:
        return _known_whole_shape(name, old, given)
    except TypeError:  # a list, or numbers that are not ints
        return _known_whole_shape(name, old, _ints(name, given))


@lru_cache(maxsize=1024)
def _known_whole_shape(name: str, old: Shape, given: tuple[Any, ...]) -> Shape:
    shape: Shape = given[0] if len(given) == 1 and type(given[0]) is tuple else given
    if any(type(n) is not int for n in shape):
        raise TypeError("a Tensor that is a number must not be looked up by: its value may change")
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
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The elements in C order in a new shape, given as numbers or one tuple; one size may be -1.

    Shares memory where it can and copies where it must. ShapeError where the numbers of elements differ.
    """
    return apply(S.reshape, input, shape=_whole_shape("reshape", shape_of("reshape", input), shape))


def view(input: Tensor, *shape: Any) -> Tensor:
    """As reshape, but a ShapeError where the elements would have to be copied."""
    wanted = _whole_shape("view", shape_of("view", input), shape)
    result = apply(S.reshape, input, shape=wanted)
    if prod(wanted) > 1 and not input.device.backend.is_view(result.array, input.array):
        raise ShapeError(
            f"view: shape {input.shape} cannot be seen as {wanted} without a copy, because its elements do "
            "not lie in that order; use reshape()"
        )
    return result


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """view(input, other.shape)."""
    return view(input, shape_of("view_as", other))


def numel(input: Tensor) -> int:
    """The number of elements."""
    return prod(shape_of("numel", input))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dims from `start_dim` to `end_dim` as one; a 0-d tensor becomes one of shape (1,)."""
    shape = shape_of("flatten", input)
    start, end = (
        normalize_dim("flatten", start_dim, len(shape)),
        normalize_dim("flatten", end_dim, len(shape)),
    )
    if start > end:
        raise ArgumentError(f"flatten: start_dim must not come after end_dim, got {start_dim} and {end_dim}")
    return apply(S.reshape, input, shape=(*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """The dim `dim` as several of `sizes`, one of which may be -1."""
    shape = shape_of("unflatten", input)
    at = normalize_dim("unflatten", dim, len(shape))
    wanted = _ints("unflatten", (sizes,))
    known = prod(n for n in wanted if n != -1)
    if (
        not shape
        or wanted.count(-1) > 1
        or (known != shape[at] if -1 not in wanted else not known or shape[at] % known)
    ):
        raise ShapeError(f"unflatten: dim {dim} of shape {shape} cannot be divided into {wanted}")
    whole = tuple(shape[at] // known if n == -1 else n for n in wanted)
    return apply(S.reshape, input, shape=(*shape[:at], *whole, *shape[at + 1 :]))


def squeeze(input: Tensor, dim: Sizes | None = None) -> Tensor:
    """Without the dims of size 1: all of them, or those of them that are listed in `dim`."""
    shape = shape_of("squeeze", input)
    dims = normalize_dims("squeeze", dim, len(shape))
    return apply(S.reshape, input, shape=tuple([n for i, n in enumerate(shape) if n != 1 or i not in dims]))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dim of size 1 inserted so that it is dim `dim` of the result."""
    shape = shape_of("unsqueeze", input)
    at = normalize_dim("unsqueeze", dim, len(shape) + 1)
    return apply(S.reshape, input, shape=(*shape[:at], 1, *shape[at:]))


# ---------------------------------------------------------------------- the order of dims
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With two dims exchanged."""
    return apply(S.transpose, input, axes=_exchanged(dim0, dim1, len(shape_of("transpose", input))))


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a tensor of fewer dimensions as it is."""
    shape = shape_of("t", input)
    if len(shape) > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got shape {shape}; use .mT or .permute")
    return transpose(input, 0, 1) if len(shape) == 2 else input


@lru_cache(maxsize=256)
def _exchanged(dim0: int, dim1: int, ndim: int) -> tuple[int, ...]:
    axes = list(range(ndim))
    i, j = normalize_dim("transpose", dim0, ndim), normalize_dim("transpose", dim1, ndim)
    if ndim:
        axes[i], axes[j] = j, i
    return tuple(axes)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dim i of the result is dim `dims[i]` of the input."""
    return apply(S.transpose, input, axes=_permutation(_ints("permute", dims), len(shape_of("permute", input))))


@lru_cache(maxsize=256)
def _permutation(dims: Shape, ndim: int) -> tuple[int, ...]:
    axes = normalize_dims("permute", dims, ndim)
    if len(axes) != ndim:
        raise ArgumentError(f"permute: expected each of the {ndim} dims once, got {dims}")
    return axes


def movedim(input: Tensor, source: Sizes, destination: Sizes) -> Tensor:
    """Dims `source` moved to the places `destination`; the others keep their order."""
    ndim = len(shape_of("movedim", input))
    leaving, places = normalize_dims("movedim", source, ndim), normalize_dims("movedim", destination, ndim)
    if len(leaving) != len(places):
        raise ArgumentError(f"movedim: expected as many sources as destinations, got {source} and {destination}")
    if not ndim:
        return apply(S.transpose, input, axes=())
    staying = iter([d for d in range(ndim) if d not in leaving])
    moved = dict(zip(places, leaving, strict=True))
    return apply(S.transpose, input, axes=tuple([moved[i] if i in moved else next(staying) for i in range(ndim)]))


# ---------------------------------------------------------------------- stretching
def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Dims of size 1 stretched to `sizes` without a copy; -1 keeps a size, new dims come in front.

    ShapeError where another size would have to change.
    """
    return _expand("expand", input, _ints("expand", sizes))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """expand(input, other.shape)."""
    return _expand("expand_as", input, shape_of("expand_as", other))


def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """expand(input, size)."""
    return _expand("broadcast_to", input, _ints("broadcast_to", size))


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


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Copies side by side, `repeats[i]` times along dim i; more repeats than dims add dims in front."""
    shape_of("repeat", input)
    counts = _ints("repeat", repeats)
    if len(counts) < input.ndim:
        raise ShapeError(f"repeat: expected at least {input.ndim} repeats for shape {input.shape}, got {counts}")
    return _tile("repeat", input, counts)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As repeat; fewer repeats than dims count for the last dims."""
    shape_of("tile", input)
    counts = _ints("tile", dims)
    return _tile("tile", input, (*(1,) * (input.ndim - len(counts)), *counts))


def _tile(name: str, input: Tensor, counts: Shape) -> Tensor:
    if any(n < 0 for n in counts):
        raise ArgumentError(f"{name}: repeats must not be negative, got {counts}")
    if not counts:
        return apply(E.copy, input)
    if len(counts) > input.ndim:
        input = apply(S.reshape, input, shape=(*(1,) * (len(counts) - input.ndim), *input.shape))
    return apply(S.tile, input, repeats=counts)


def repeat_interleave(input: Tensor, repeats: int, dim: int | None = None) -> Tensor:
    """Every element `repeats` times in a row along `dim`; without a dim, of the flattened tensor."""
    shape_of("repeat_interleave", input)
    repeats = as_integer("repeat_interleave", repeats)
    if repeats < 0:
        raise ArgumentError(f"repeat_interleave: repeats must be at least 0, got {repeats}")
    source = flatten(input) if dim is None or not input.ndim else input
    return apply(S.repeat, source, repeats=repeats, axis=normalize_dim("repeat_interleave", dim or 0, source.ndim))


# ---------------------------------------------------------------------- triangles and reordering
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The last two dims on and below the given diagonal, zero above it."""
    return apply(S.tril, _matrices("tril", input), k=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The last two dims on and above the given diagonal, zero below it."""
    return apply(S.triu, _matrices("triu", input), k=diagonal)


def _matrices(name: str, input: Tensor) -> Tensor:
    if len(shape_of(name, input)) < 2:
        raise ShapeError(f"{name}: expected at least 2 dims, got shape {input.shape}")
    return input


def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with the order along `dims` reversed."""
    if not dims:
        raise ArgumentError("flip: expected the dims to reverse, got none")
    return apply(S.flip, input, axes=normalize_dims("flip", _ints("flip", dims), len(shape_of("flip", input))))


def roll(input: Tensor, shifts: Sizes, dims: Sizes | None = None) -> Tensor:
    """Elements moved by `shifts` along `dims`, those pushed out coming in at the other end.

    Without dims the flattened tensor is rolled. ArgumentError unless there is a shift for every dim.
    """
    shape_of("roll", input)
    moves = _ints("roll", (shifts,))
    if dims is None or dims == ():
        return reshape(_rolled(flatten(input), moves, (0,)), input.shape)
    return _rolled(input, moves, tuple(normalize_dim("roll", d, input.ndim) for d in _ints("roll", (dims,))))


def _rolled(input: Tensor, shifts: Shape, dims: Shape) -> Tensor:
    if len(shifts) != len(dims):
        raise ArgumentError(f"roll: expected a shift for every dim, got shifts {shifts} and dims {dims}")
    return apply(S.roll, input, shifts=shifts, axes=dims) if input.ndim else apply(E.copy, input)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Grids of the coordinates in 1-d (or 0-d) tensors: of shape (n0, n1, ...), or (n1, n0, ...) with
    indexing="xy".
    """
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f'meshgrid: indexing must be "ij" or "xy", got {indexing!r}')
    if any(len(shape_of("meshgrid", x)) > 1 for x in parts):
        raise ShapeError(f"meshgrid: expected 1-d tensors, got shapes {', '.join(str(x.shape) for x in parts)}")
    shape = tuple(prod(x.shape) for x in parts)
    n = len(shape)
    grids = [
        apply(S.broadcast_to, reshape(x, *(1,) * i, -1, *(1,) * (n - 1 - i)), shape=shape) for i, x in enumerate(parts)
    ]
    return tuple(transpose(g, 0, 1) for g in grids) if indexing == "xy" and n > 1 else tuple(grids)


class ShapeMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    numel = numel
    reshape = reshape
    view = view
    view_as = view_as
    unflatten = unflatten
    flatten = flatten
    squeeze = squeeze
    unsqueeze = unsqueeze
    transpose = swapaxes = swapdims = transpose
    t = t
    permute = permute
    movedim = movedim
    expand = expand
    expand_as = expand_as
    broadcast_to = broadcast_to
    repeat = repeat
    repeat_interleave = repeat_interleave
    tile = tile
    tril = tril
    triu = triu
    flip = flip
    roll = roll
