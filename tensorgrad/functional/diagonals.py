"""The diagonals of matrices, under PyTorch's names."""

from __future__ import annotations

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor
from tensorgrad.errors import ArgumentError, IndexShapeError, ShapeError
from tensorgrad.functional import reduction
from tensorgrad.functional.dims import as_integer, normalize_dim
from tensorgrad.functional.promotion import shape_of
from tensorgrad.ops import shape as S

__all__ = ["diag", "diagonal", "trace"]


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements whose position along `dim2` is that along `dim1` plus `offset`, as the last dim of a view."""
    shape = shape_of("diagonal", input)
    if len(shape) < 2:
        raise IndexShapeError(f"diagonal: expected at least 2 dims, got shape {shape}")
    first, second = normalize_dim("diagonal", dim1, len(shape)), normalize_dim("diagonal", dim2, len(shape))
    if first == second:
        raise ArgumentError(f"diagonal: dim1 and dim2 must be different, got {dim1} and {dim2}")
    return apply(S.diagonal, input, place=(as_integer("diagonal", offset), first, second))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Of a matrix its diagonal, as a copy; of a vector the square matrix that has it on that diagonal, and zeros."""
    shape = shape_of("diag", input)
    if len(shape) == 2:
        return _diagonal(input, diagonal).clone()
    if len(shape) != 1:
        raise ShapeError(f"diag: expected a vector or a matrix, got shape {shape}")
    offset = as_integer("diag", diagonal)
    side = shape[0] + abs(offset)
    return apply(S.scatter_diagonal, input, shape=(side, side), place=(offset, 0, 1))


_diagonal = diagonal  # under a name that the parameter of `diag` does not hide


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    shape = shape_of("trace", input)
    if len(shape) != 2:
        raise ShapeError(f"trace: expected a matrix, got shape {shape}")
    return reduction.sum(diagonal(input))


class DiagonalMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    diagonal = diagonal
    diag = diag
    trace = trace
