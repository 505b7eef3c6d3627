"""The diagonals of matrices, under PyTorch's names."""

from __future__ import annotations

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor
from tensorgrad.errors import ArgumentError, ShapeError
from tensorgrad.functional import reduction
from tensorgrad.functional.dims import normalize_dim
from tensorgrad.functional.promotion import constant, shape_of
from tensorgrad.functional.shape import expand, movedim
from tensorgrad.ops import index as I
from tensorgrad.ops import shape as S

__all__ = ["diag", "diagonal", "trace"]


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements whose position along `dim2` is that along `dim1` plus `offset`, as the last dim of the result.

    Shares memory with the input where its elements lie in the order of these dims, and is a copy otherwise.
    """
    shape = shape_of("diagonal", input)
    if len(shape) < 2:
        raise ShapeError(f"diagonal: expected at least 2 dims, got shape {shape}")
    first, second = normalize_dim("diagonal", dim1, len(shape)), normalize_dim("diagonal", dim2, len(shape))
    if first == second:
        raise ArgumentError(f"diagonal: dim1 and dim2 must be different, got {dim1} and {dim2}")
    matrices = movedim(input, (first, second), (-2, -1))
    rest, (n, m) = matrices.shape[:-2], matrices.shape[-2:]
    start, count = _course(n, m, offset)
    rows = apply(S.reshape, matrices, shape=(*rest, n * m))
    return apply(S.getitem, rows, key=(Ellipsis, slice(start, start + count * (m + 1), m + 1)))


def _course(n: int, m: int, offset: int) -> tuple[int, int]:
    """Where a diagonal of an (n, m) matrix in C order begins, and how many elements it has: each m + 1 further on."""
    start, count = (offset, min(n, m - offset)) if offset >= 0 else (-offset * m, min(n + offset, m))
    return (start, count) if count > 0 else (0, 0)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Of a matrix its diagonal, as a copy; of a vector the square matrix that has it on that diagonal, and zeros."""
    shape = shape_of("diag", input)
    if len(shape) == 2:
        return _diagonal(input, diagonal).clone()
    if len(shape) != 1:
        raise ShapeError(f"diag: expected a vector or a matrix, got shape {shape}")
    side = shape[0] + abs(diagonal)
    zeros = expand(constant(0, input.dtype, input.device), (side * side,))
    start, count = _course(side, side, diagonal)
    key = (slice(start, start + count * (side + 1), side + 1),)
    filled = apply(I.update_index, zeros, input, key=key, accumulate=False)
    return apply(S.reshape, filled, shape=(side, side))


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
