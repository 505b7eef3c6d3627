"""Tensors joined and divided, under PyTorch's names. Pieces are views; what is joined is new."""

from __future__ import annotations

from collections.abc import Sequence

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import how_to_make_one, promote_types, type_name
from tensorgrad.errors import ArgumentError, BoundsError, DTypeError, IndexShapeError, ShapeError
from tensorgrad.functional.dims import as_integer, normalize_dim, numpy_names
from tensorgrad.functional.promotion import cast, shape_of
from tensorgrad.ops import shape as S

__all__ = ["cat", "chunk", "concat", "hstack", "narrow", "split", "stack", "unbind", "vstack"]

Shape = tuple[int, ...]
Sizes = int | Sequence[int]


def _same_dtype(name: str, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    if not isinstance(tensors, (tuple, list)) or not tensors:
        raise ArgumentError(f"{name}: expected a non-empty list or tuple of tensors, got {tensors!r}")
    for i, x in enumerate(tensors):
        if not isinstance(x, Variable):
            raise DTypeError(f"{name}: expected tensors, got {type_name(x)} at position {i}; {how_to_make_one(x)}")
    dtype = tensors[0].dtype
    for x in tensors:
        dtype = promote_types(dtype, x.dtype, name=name)
    return [cast(x, dtype) for x in tensors]


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim; all other sizes must be equal. Dtypes are promoted."""
    parts = _same_dtype("cat", tensors)
    first: Shape = parts[0].array.shape
    if not first:
        raise ShapeError("cat: 0-d tensors have no dim to be joined along; use stack()")
    axis = normalize_dim("cat", dim, len(first))
    for i, x in enumerate(parts):
        s: Shape = x.array.shape
        if len(s) != len(first) or s[:axis] != first[:axis] or s[axis + 1 :] != first[axis + 1 :]:
            raise ShapeError(
                f"cat: all sizes but that of dim {axis} must be equal, got {first} at position 0 "
                f"and {s} at position {i}"
            )
    return apply(S.concatenate, *parts, axis=axis)


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


def split(input: Tensor, split_size_or_sections: Sizes, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive pieces along `dim`: of one size (the last may be less), or of those listed."""
    axis, n = _axis_and_size("split", input, dim)
    sizes = split_size_or_sections
    if not isinstance(sizes, Sequence):
        sizes = as_integer("split", sizes)
        if sizes < 0 or (sizes == 0 and n):
            raise ArgumentError(f"split: the size of a piece must be positive, got {sizes}")
        sizes = [min(sizes, n - i) for i in range(0, n, sizes)] if n else [0]
        return _pieces(input, sizes, axis)
    sizes = [as_integer("split", s) for s in sizes]
    if sum(sizes) != n or any(s < 0 for s in sizes):
        raise ShapeError(f"split: sections must add up to {n}, the size of dim {axis}, got {tuple(sizes)}")
    return _pieces(input, sizes, axis)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most `chunks` pieces of equal size (the last may be smaller) along `dim`."""
    axis, n = _axis_and_size("chunk", input, dim)
    chunks = as_integer("chunk", chunks)
    if chunks < 1:
        raise ArgumentError(f"chunk: the number of chunks must be positive, got {chunks}")
    size = -(-n // chunks)
    return _pieces(input, [min(size, n - i) for i in range(0, n, size)] if n else [0] * chunks, axis)


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
    split = split
    chunk = chunk
    unbind = unbind
    narrow = narrow
