"""Tensors joined and divided, under PyTorch's names. Pieces are views; what is joined is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import how_to_make_one, promote_types, type_name
from tensorgrad.errors import ArgumentError, BoundsError, DTypeError, IndexShapeError, ShapeError
from tensorgrad.functional.dims import as_integer, normalize_dim, numpy_names
from tensorgrad.functional.promotion import cast, shape_of
from tensorgrad.ops import shape as S

__all__ = [
    "cat",
    "chunk",
    "concat",
    "hstack",
    "narrow",
    "select",
    "split",
    "stack",
    "tensor_split",
    "unbind",
    "vstack",
]

Shape = tuple[int, ...]
Sizes = int | Sequence[int]


def _same_dtype(name: str, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    if not isinstance(tensors, (tuple, list)) or not tensors:
        raise ArgumentError(f"{name}: expected a non-empty list or tuple of tensors, got {tensors!r}")
    for i, x in enumerate(tensors):
        if not isinstance(x, Variable):
            raise DTypeError(f"{name}: expected tensors, got {type_name(x)} at position {i}; {how_to_make_one(x)}")
    dtype = first = tensors[0].array.dtype
    same = True
    for x in tensors:
        if x.array.dtype is not first:
            dtype, same = promote_types(dtype, x.dtype, name=name), False
    return tensors if same else [cast(x, dtype) for x in tensors]


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim; all other sizes must be equal. Dtypes are promoted.

    Tensors of shape (0,) fit any others, and add nothing but their dtype.
    """
    parts = _same_dtype("cat", tensors)
    first: Shape = parts[0].array.shape
    if len(first) < 2:
        if first == (0,):
            first = next((x.array.shape for x in parts if x.array.shape != (0,)), first)
        if not first:
            raise ShapeError("cat: 0-d tensors have no dim to be joined along; use stack()")
    axis = normalize_dim("cat", dim, len(first))
    has_empty = False
    for i, x in enumerate(parts):
        s: Shape = x.array.shape
        if s != first and (len(s) != len(first) or s[:axis] != first[:axis] or s[axis + 1 :] != first[axis + 1 :]):
            if s != (0,):
                raise ShapeError(
                    f"cat: all sizes but that of dim {axis} must be equal, got {first} and, at position {i}, {s}"
                )
            has_empty = True
    if has_empty:
        parts = [_filled_up(x, first, axis) for x in parts]
    return apply(S.concatenate, *parts, axis=axis)


def _filled_up(x: Tensor, shape: Shape, axis: int) -> Tensor:
    """A tensor of shape (0,) with the other sizes: PyTorch takes it for code from before tensors had empty dims."""
    return apply(S.reshape, x, shape=(*shape[:axis], 0, *shape[axis + 1 :])) if x.array.shape == (0,) else x


concat = cat


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dim `dim`. Dtypes are promoted."""
    parts = _same_dtype("stack", tensors)
    first = parts[0].array.shape
    for i, x in enumerate(parts):
        if x.array.shape != first:
            raise ShapeError(
                f"stack: all shapes must be equal, got {first} at position 0 and {x.shape} at position {i}"
            )
    return apply(S.stack, *parts, axis=normalize_dim("stack", dim, len(first) + 1))


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along the first dim, vectors and numbers as rows. Dtypes are promoted."""
    parts = _same_dtype("vstack", tensors)
    return cat([_with_dims(x, 2) for x in parts])


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along the second dim, vectors and numbers along the only one. Dtypes are promoted."""
    parts = [_with_dims(x, 1) for x in _same_dtype("hstack", tensors)]
    return cat(parts, 1 if parts[0].ndim > 1 else 0)


def _with_dims(x: Tensor, ndim: int) -> Tensor:
    missing = ndim - x.ndim
    return apply(S.reshape, x, shape=(*(1,) * missing, *x.shape)) if missing > 0 else x


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A view of `length` positions along `dim`, from `start` (negative: counted from the end).

    BoundsError unless they lie within the dim.
    """
    axis, n = _axis_and_size("narrow", input, dim)
    first, count = as_integer("narrow", start), as_integer("narrow", length)
    first += n if first < 0 else 0
    if first < 0 or count < 0 or first + count > n:
        raise BoundsError(f"narrow: {length} positions from {start} are not within dim {axis} of size {n}")
    return apply(S.getitem, input, key=(*(slice(None),) * axis, slice(first, first + count)))


def split(tensor: Tensor, split_size_or_sections: Sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive pieces along `dim`: of one size (the last may be less), or of those listed."""
    axis, n = _axis_and_size("split", tensor, dim)
    sizes = split_size_or_sections
    if not isinstance(sizes, Sequence):
        sizes = as_integer("split", sizes)
        if sizes < 0 or (sizes == 0 and n):
            raise ArgumentError(f"split: the size of a piece must be positive, got {sizes}")
        sizes = [min(sizes, n - i) for i in range(0, n, sizes)] if n else [0]
        return _pieces(tensor, sizes, axis)
    sizes = [as_integer("split", s) for s in sizes]
    if sum(sizes) != n or any(s < 0 for s in sizes):
        raise ShapeError(f"split: sections must add up to {n}, the size of dim {axis}, got {tuple(sizes)}")
    return _pieces(tensor, sizes, axis)


def _split(self: Tensor, split_size: Sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive pieces along `dim`: of one size (the last may be less), or of those listed."""
    return split(self, split_size, dim)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most `chunks` pieces of equal size (the last may be smaller) along `dim`."""
    axis, n = _axis_and_size("chunk", input, dim)
    chunks = as_integer("chunk", chunks)
    if chunks < 1:
        raise ArgumentError(f"chunk: the number of chunks must be positive, got {chunks}")
    size = -(-n // chunks)
    return _pieces(input, [min(size, n - i) for i in range(0, n, size)] if n else [0] * chunks, axis)


def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> tuple[Tensor, ...]:
    """Views of pieces along `dim`: as many as `sections` says, the first ones longer by one where they cannot be equal;
    or cut at each of `indices`, where a negative one counts from the end, and one beyond it gives an empty piece.
    """
    axis, n = _axis_and_size("tensor_split", input, dim)
    given = [x for x in (indices_or_sections, indices, sections) if x is not None]
    if len(given) != 1:
        raise ArgumentError(
            f"tensor_split: expected either indices or the number of sections, got {len(given)} of them"
        )
    cuts = given[0].tolist() if isinstance(given[0], Variable) else given[0]  # type: ignore[attr-defined]
    if isinstance(cuts, Sequence):
        places = [range(n)[: as_integer("tensor_split", cut)].stop for cut in cuts]
    else:
        count = as_integer("tensor_split", cuts)
        if count < 1:
            raise ArgumentError(f"tensor_split: the number of sections must be positive, got {count}")
        places = [i * (n // count) + min(i, n % count) for i in range(1, count)]
    lead = (slice(None),) * axis
    bounds = zip([0, *places], [*places, n], strict=True)
    return tuple([apply(S.getitem, input, key=(*lead, slice(start, stop))) for start, stop in bounds])


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of the slice at `index` (negative: counted from the end) along `dim`, without that dim."""
    axis, n = _axis_and_size("select", input, dim)
    at = as_integer("select", index)
    if not -n <= at < n:
        raise BoundsError(f"select: index {at} is out of range for dimension {axis} of size {n}")
    return apply(S.getitem, input, key=(*(slice(None),) * axis, at))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of all slices along `dim`, without that dim."""
    axis, n = _axis_and_size("unbind", input, dim)
    lead = (slice(None),) * axis
    return tuple([apply(S.getitem, input, key=(*lead, i)) for i in range(n)])


def _axis_and_size(name: str, input: Tensor, dim: int) -> tuple[int, int]:
    shape = shape_of(name, input)
    if not shape:
        raise IndexShapeError(f"{name}: a 0-d tensor has no dim to be divided along")
    axis = normalize_dim(name, dim, len(shape))
    return axis, shape[axis]


def _pieces(input: Tensor, sizes: Sequence[int], axis: int) -> tuple[Tensor, ...]:
    lead, start, pieces = (slice(None),) * axis, 0, []
    for n in sizes:
        pieces.append(apply(S.getitem, input, key=(*lead, slice(start, start + n))))
        start += n
    return tuple(pieces)


class JoiningMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    split = _split
    chunk = chunk
    tensor_split = tensor_split
    unbind = unbind
    narrow = narrow
    select = select
