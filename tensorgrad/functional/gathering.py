"""Gathers and scatters under PyTorch's names. Indices are checked, and must not be negative.

On CUDA floats that meet at one place are added in no fixed order, here and in the gradients of whatever gathers, so
their last bits may differ from run to run.
"""

from __future__ import annotations

from math import prod
from typing import Any

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.backends.primitives import INDEX
from tensorgrad.dtypes import fitting, how_to_make_one, int64, type_name
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.functional.dims import normalize_dim
from tensorgrad.functional.index_key import broadcast_shapes, wrapped
from tensorgrad.functional.promotion import Scalar, cast, constant, shape_of
from tensorgrad.functional.shape import broadcast_to, flatten
from tensorgrad.host_data import number
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import index as I
from tensorgrad.ops import shape as S

__all__ = ["gather", "index_add", "index_select", "scatter", "scatter_add", "take_along_dim"]

Shape = tuple[int, ...]
_ALL = slice(None)


# ---------------------------------------------------------------------- by an index of the result's shape
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[.., i, ..] = input[.., index[.., i, ..], ..] along `dim`; the shape of `index`.

    `index`: integers in [0, input.shape[dim]), as many dims as `input`, in no other dim larger than it; a 0-d tensor
    counts as one of shape (1,). An index without elements may have any shape. There are no sparse gradients:
    ArgumentError where one is asked for.
    """
    if sparse_grad:
        raise ArgumentError("gather: sparse gradients are not supported; leave sparse_grad out")
    axis, index = _check_along("gather", input, dim, index)
    shape: Shape = index.array.shape
    if 0 in shape:
        nothing = apply(S.getitem, _at_least_1d(input), key=(slice(0, 0),))
        return apply(S.reshape, nothing, shape=shape)
    if shape and input.array.shape:
        return apply(I.take_along_axis, input, index, axis=axis)
    picked = apply(I.take_along_axis, _at_least_1d(input), _at_least_1d(index), axis=axis)
    return apply(S.reshape, picked, shape=shape)


def _at_least_1d(x: Tensor) -> Tensor:
    return x if x.ndim else apply(S.reshape, x, shape=(1,))


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Tensor | float | None = None, *, value: float | None = None
) -> Tensor:
    """`input` with out[.., index[.., i, ..], ..] = src[.., i, ..] along `dim`; `src` a number (also as `value=`), or a
    tensor at least of index's size; 0-d tensors count as tensors of shape (1,).

    Where an index comes twice, which value ends there is not defined.
    """
    if (src is None) == (value is None):
        raise ArgumentError("scatter: expected either src or value")
    return _scattered("scatter", input, dim, index, value if src is None else src, accumulate=False)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`input` with src[.., i, ..] added to out[.., index[.., i, ..], ..] along `dim`; duplicates add up, on CUDA in no
    fixed order.
    """
    if not isinstance(src, Variable):
        raise DTypeError(f"scatter_add: src must be a Tensor, got {type_name(src)}; {how_to_make_one(src)}")
    return _scattered("scatter_add", input, dim, index, src, accumulate=True)


def _scattered(name: str, input: Tensor, dim: int, index: Tensor, src: Any, accumulate: bool) -> Tensor:
    axis, index = _check_along(name, input, dim, index)
    if isinstance(src, Variable) and src.array.dtype != input.dtype:
        raise DTypeError(f"{name}: src must have the dtype of the input, {input.dtype}, got {src.array.dtype}")
    if 0 in index.array.shape:
        return apply(E.copy, input)
    if not input.ndim:
        whole = _scattered(name, _at_least_1d(input), dim, index, src, accumulate)
        return apply(S.reshape, whole, shape=())
    index = _at_least_1d(index)
    values = _source(name, input, index, src)
    return apply(I.update_along_axis, input, values, index, axis=axis, accumulate=accumulate)


def _source(name: str, input: Tensor, index: Tensor, src: Any) -> Tensor:
    """What is scattered: of the shape of the index, or 0-d."""
    if not isinstance(src, Variable):
        if not isinstance(src, Scalar):
            raise DTypeError(f"{name}: expected a Tensor or a number, got {type_name(src)}")
        return constant(src, input.dtype, input.device, name)
    values: Any = _at_least_1d(src)  # type: ignore[arg-type]
    if values.ndim != index.ndim or any(n < m for n, m in zip(values.shape, index.shape, strict=True)):
        raise ShapeError(f"{name}: src must be at least as large as the index, {index.shape}, got {values.shape}")
    if values.shape == index.shape:
        return values  # type: ignore[no-any-return]
    return apply(S.getitem, values, key=tuple([slice(n) for n in index.shape]))


def _check_along(name: str, input: Tensor, dim: int, index: Tensor) -> tuple[int, Tensor]:
    shape = shape_of(name, input)
    axis = normalize_dim(name, dim, len(shape))
    index = checked_integers(name, index)
    places, sizes = index.array.shape or (1,), shape or (1,)
    if 0 in places:
        return axis, index
    fits = len(places) == len(sizes) and all(
        n <= m for i, (n, m) in enumerate(zip(places, sizes, strict=True)) if i != axis
    )
    if not fits:
        raise ShapeError(
            f"{name}: the index must have as many dims as the input and no larger sizes except in dim "
            f"{axis}, got index {index.shape} and input {input.shape}"
        )
    _check_range(name, index, sizes[axis], axis)
    return axis, index


def checked_integers(name: str, index: Any) -> Tensor:
    """`index` as int64, in which positions can be counted whatever the sizes; DTypeError unless it is of integers."""
    if not isinstance(index, Variable) or index.array.dtype.kind != "i":
        got = f"{index.dtype}; use .long()" if isinstance(index, Variable) else type_name(index)
        raise DTypeError(f"{name}: the index must be a tensor of signed integers, got {got}")
    return cast(index, int64)


def _check_range(name: str, index: Tensor, size: int, dim: int) -> None:
    index.device.backend.check_bounds(index.array, 0, size, what=f"{name}: indices into dimension {dim} of size {size}")


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As gather, but the other dims of input and indices broadcast, and negative indices count from the end; without a
    dim both are flattened.
    """
    shape, indices = shape_of("take_along_dim", input), checked_integers("take_along_dim", indices)
    if dim is None:
        return take_along_dim(flatten(input), flatten(indices), 0)
    axis = normalize_dim("take_along_dim", dim, len(shape))
    if indices.ndim != len(shape):
        raise ShapeError(
            f"take_along_dim: indices must have as many dims as input, got {indices.shape} and {input.shape}"
        )
    if not shape:
        return apply(S.reshape, take_along_dim(flatten(input), flatten(indices), 0), shape=())
    rest = broadcast_shapes("take_along_dim", [(*x.shape[:axis], 1, *x.shape[axis + 1 :]) for x in (input, indices)])
    wide = [(*rest[:axis], x.shape[axis], *rest[axis + 1 :]) for x in (input, indices)]
    places = wrapped("take_along_dim", indices, axis, shape[axis])
    return apply(I.take_along_axis, broadcast_to(input, wide[0]), broadcast_to(places, wide[1]), axis=axis)


# ---------------------------------------------------------------------- whole slices along a dim
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along `dim` at the positions in the 1-d `index`, each in [0, input.shape[dim])."""
    axis, index = _check_select("index_select", input, dim, index)
    if not input.ndim:
        return apply(E.copy, input)
    return apply(I.take, input, index if index.ndim else _one(index), axis=axis)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """`input` with alpha * source's slices along `dim` added at the positions in the 1-d `index`; duplicates
    add up, on CUDA in no fixed order.

    `alpha` is converted to the dtype of `input`: with integers it loses its fraction, with bools it is whether it is
    not 0 (PyTorch's rule). ArgumentError where the dtype does not hold it.
    """
    axis, index = _check_select("index_add", input, dim, index)
    shape_of("index_add", source)
    if source.dtype != input.dtype:
        raise DTypeError(f"index_add: source must have the dtype of the input, {input.dtype}, got {source.dtype}")
    n = prod(index.shape)
    wanted = (*input.shape[:axis], n, *input.shape[axis + 1 :]) if input.ndim else ()
    if source.shape != wanted:
        raise ShapeError(f"index_add: source must have shape {wanted}, got {source.shape}")
    added = source if alpha == 1 else apply(E.multiply, source, _factor(alpha, input))
    if not input.ndim:
        return apply(E.add, input, added)
    key = (*(_ALL,) * axis, INDEX)
    return apply(I.update_index, input, added, index if index.ndim else _one(index), key=key, accumulate=True)


def _factor(alpha: Any, input: Tensor) -> Any:
    """`alpha`, a number or a 0-d tensor, as a number of the input's dtype."""
    factor = number("index_add", alpha, "alpha")
    return bool(factor) if input.dtype.kind == "b" else fitting("index_add", factor, input.dtype)


def _one(index: Tensor) -> Tensor:
    return apply(S.reshape, index, shape=(1,))


def _check_select(name: str, input: Tensor, dim: int, index: Tensor) -> tuple[int, Tensor]:
    axis = normalize_dim(name, dim, len(shape_of(name, input)))
    index = checked_integers(name, index)
    if index.ndim > 1 or (not input.ndim and prod(index.shape) != 1):
        raise ShapeError(f"{name}: the index must be 1-d, and of one element for a 0-d input, got {index.shape}")
    _check_range(name, index, input.shape[axis] if input.ndim else 1, axis)
    return axis, index


class GatheringMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    gather = gather
    scatter = scatter
    scatter_add = scatter_add
    index_select = index_select
    index_add = index_add
    take_along_dim = take_along_dim
