"""Order under PyTorch's names: NaN counts as the greatest, and the order of equals is always kept."""

from __future__ import annotations

from typing import NamedTuple

from tensorgrad.arguments import hinted
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, new_tensor
from tensorgrad.dtypes import int64
from tensorgrad.errors import BoundsError
from tensorgrad.functional.dims import as_flag, as_integer, normalize_dim
from tensorgrad.functional.promotion import constant, shape_of
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import index as I

__all__ = ["argsort", "sort", "topk"]

_ALL = slice(None)


class Sorted(NamedTuple):
    """Values, and the int64 positions they had along the dim that was sorted."""

    values: Tensor
    indices: Tensor


@hinted
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Sorted:
    """The elements in order along `dim`. NaN counts as the greatest; the order of equals is always kept."""
    shape_of("sort", input)
    return _selected(input, argsort(input, dim, descending), dim)


@hinted
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The int64 positions that sort along `dim`. NaN counts as the greatest; the order of equals is always
    kept.
    """
    axis = normalize_dim("argsort", dim, len(shape_of("argsort", input)))
    backwards = as_flag("argsort", "descending", descending)
    if not input.ndim:
        return constant(0, int64, input.device)
    return apply(I.argsort, input, axis=axis, descending=backwards)


@hinted
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Sorted:
    """The `k` largest (or smallest) elements along `dim`, in order; among equals the first come first."""
    axis = normalize_dim("topk", dim, len(shape_of("topk", input)))
    k = as_integer("topk", k)
    size = input.shape[axis] if input.ndim else 1
    if not 0 <= k <= size:
        raise BoundsError(f"topk: k must be in [0, {size}], the size of dim {axis}, got {k}")
    order = argsort(input, dim, as_flag("topk", "largest", largest))
    if input.ndim:
        B = input.device.backend
        order = new_tensor(B.copy(B.getitem(order.array, (*(_ALL,) * axis, slice(k)))), input.device)
    return _selected(input, order, dim)


def _selected(input: Tensor, order: Tensor, dim: int) -> Sorted:
    if not input.ndim:
        return Sorted(apply(E.copy, input), order)
    axis = normalize_dim("sort", dim, input.ndim)
    return Sorted(apply(I.take_along_axis, input, order, axis=axis, unique=True), order)


class SortingMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    topk = topk
    sort = sort
    argsort = argsort
