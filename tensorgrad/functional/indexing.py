"""Indexing: `x[key]`, its assignment as a function, and selection by a condition."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends.primitives import INDEX
from tensorgrad.dtypes import int64
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, ShapeError
from tensorgrad.functional.gathering import (
    checked_integers,
)
from tensorgrad.functional.index_key import broadcast_shapes, is_plain, normalise_key, view_shape, wrapped
from tensorgrad.functional.promotion import as_operand, cast, constant, shape_of
from tensorgrad.functional.shape import broadcast_to
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import index as I
from tensorgrad.ops import shape as S
from tensorgrad.ops.layout import in_order

__all__ = ["argwhere", "index_put", "masked_select", "nonzero"]

Shape = tuple[int, ...]


# ---------------------------------------------------------------------- getting
def getitem(input: Tensor, key: Any) -> Tensor:
    """input[key], by the rules of `normalise_key`. A view where the key has no masks, and no index arrays with dims."""
    shape = input.array.shape
    if isinstance(key, Variable):
        if key.array.dtype is int64 and shape and key.array.shape:
            return apply(I.take, input, wrapped("getitem", key, 0, shape[0]), axis=0)  # type: ignore[arg-type]
    else:
        plain = key if type(key) is tuple else (key,)
        if is_plain(plain, shape):
            return apply(S.getitem, input, key=plain)
    basic, places, indices = normalise_key("getitem", input, key)
    if basic is not None or not indices:
        input = apply(S.getitem, input, key=basic or ())
    return _gathered(input, places, indices) if indices else input


def _gathered(input: Tensor, places: tuple[Any, ...], indices: Sequence[Tensor]) -> Tensor:
    if len(indices) == 1:
        return apply(I.take, input, indices[0], axis=len(places) - 1)
    broadcast_shapes("getitem: index tensors", [i.shape for i in indices])
    return apply(I.take_index, input, *indices, key=places)


# ---------------------------------------------------------------------- setting
def setitem_result(input: Tensor, key: Any, value: Any) -> Tensor:
    """A new tensor: `input` with `value` at `key`. Gradients go to the rest of `input` and to `value`.

    `value` (a tensor, number, array or nested list) is converted to the input's dtype and broadcast. Where
    the key names a place twice, which value ends there is not defined. Raises what `normalise_key` raises,
    and ShapeError for a value that does not broadcast.
    """
    mask = _whole_mask(input, key, value)
    if mask is not None:
        return apply(E.where, mask, _value(value, input), input)
    basic, places, indices = normalise_key("setitem", input, key)
    new = _value(value, input)
    if not indices:
        new = _fitted(new, view_shape(input.shape, basic or ()))
        written = apply(I.update_index, input, new, key=basic or (), accumulate=False)
        if written.node is not None and not written.node.checks:
            written.node.checks = []  # gone through once, as in PyTorch
        return written
    region = input if basic is None else apply(S.getitem, input, key=basic)
    new = _fitted(new, _gathered_shape(region.shape, places, indices))
    result = apply(I.update_index, region, new, *indices, key=places, accumulate=False)
    return result if basic is None else apply(I.update_index, input, result, key=basic, accumulate=False)


def write_item(input: Tensor, key: Any, value: Any) -> None:
    """As setitem_result, but written straight into the memory of `input`, past the tape."""
    basic, places, indices = normalise_key("setitem", input, key)
    B, new = input.device.backend, _value(value, input)
    region = input.array if basic is None else B.getitem(input.array, basic)
    if not indices:
        B.copyto(region, _fitted(new, region.shape).array)
        return
    new = _fitted(new, _gathered_shape(region.shape, places, indices))
    B.put_index(region, new.array, *[i.array for i in indices], key=places)


def _whole_mask(input: Tensor, key: Any, value: Any) -> Tensor | None:
    """The key as a mask over all of `input` if it is a bool tensor and the value a single one: no shape then
    depends on data."""
    if not isinstance(key, Variable) or key.array.dtype.kind != "b" or key.shape != input.shape[: key.ndim]:
        return None
    if not (isinstance(value, (int, float)) or (isinstance(value, Variable) and not value.ndim)):
        return None
    return apply(S.reshape, key, shape=(*key.shape, *(1,) * (input.ndim - key.ndim)))


def _value(value: Any, input: Tensor) -> Tensor:
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    found = as_operand("setitem", value, input.device)
    if isinstance(found, Variable) and found.device is not input.device:
        raise DeviceError(
            f"setitem: the value is on {found.device}, the tensor on {input.device}; move it with .to(device)"
        )
    if isinstance(found, Variable):
        return cast(found, input.dtype)
    return constant(found, input.dtype, input.device, "setitem")


def _fitted(value: Tensor, region: Shape) -> Tensor:
    """`value` without leading dims of size 1 that the region does not have; ShapeError unless it broadcasts
    to that.
    """
    extra = value.ndim - len(region)
    if extra > 0 and value.shape[:extra] == (1,) * extra:
        value = apply(S.reshape, value, shape=value.shape[extra:])
    if not _broadcasts(value.shape, region):
        raise ShapeError(f"setitem: a value of shape {value.shape} does not broadcast to the region of shape {region}")
    return value


def _broadcasts(shape: Shape, target: Shape) -> bool:
    return len(shape) <= len(target) and all(
        n in (1, m) for n, m in zip(reversed(shape), reversed(target), strict=False)
    )


def _gathered_shape(shape: Shape, places: tuple[Any, ...], indices: Sequence[Tensor]) -> Shape:
    """The shape of x[places], where x has `shape`: the indices' where the first of them stands, or in front
    if a slice comes between them."""
    found = broadcast_shapes("setitem: index tensors", [i.shape for i in indices])
    at = [i for i, k in enumerate(places) if k is INDEX]
    rest = [n for i, n in enumerate(shape) if i not in at]
    front = at[0] if at[-1] - at[0] == len(at) - 1 else 0
    return (*rest[:front], *found, *rest[front:])


def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """`input` with `values` put at `indices` (one tensor for each leading dim), or added there with
    `accumulate`.

    Where an index comes twice, which value ends there is not defined; with `accumulate` all are added, on CUDA in no
    fixed order, so that the last bits of floats may differ from run to run.
    """
    shape_of("index_put", input)
    shape_of("index_put", values)
    basic, places, found = normalise_key("index_put", input, tuple(indices))
    if basic is not None or not found:
        raise DTypeError("index_put: expected a tuple of index tensors; use x[key] = values for other keys")
    region = _gathered_shape(input.shape, places, found)
    if not _broadcasts(values.shape, region):
        raise ShapeError(f"index_put: values of shape {values.shape} do not broadcast to the indexed shape {region}")
    if values.dtype != input.dtype:
        raise DTypeError(f"index_put: values must have the dtype of the input, {input.dtype}, got {values.dtype}")
    return apply(I.update_index, input, values, *found, key=places, accumulate=accumulate)


# ---------------------------------------------------------------------- by a condition
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """A 1-d tensor of the elements where the bool tensor `mask` holds; the two broadcast."""
    shape_of("masked_select", input)
    if not isinstance(mask, Variable) or mask.dtype.kind != "b":
        raise DTypeError("masked_select: the mask must be a bool tensor; compare something, e.g. x > 0")
    shape = broadcast_shapes("masked_select", [input.shape, mask.shape])
    return getitem(broadcast_to(input, shape), broadcast_to(mask, shape))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where the input is not zero: int64 of shape (n, ndim), or with `as_tuple` one 1-d tensor a dim."""
    shape_of("nonzero", input)
    B = input.device.backend
    found = B.nonzero(input.array if input.ndim else B.reshape(input.array, (1,)))
    if as_tuple:
        return tuple(new_tensor(in_order(B, i), input.device) for i in found)
    count = found[0].shape[0]
    if not input.ndim:
        return new_tensor(B.full((count, 0), 0, int64), input.device)
    return new_tensor(B.concatenate([B.reshape(i, (count, 1)) for i in found], 1), input.device)


def argwhere(input: Tensor) -> Tensor:
    """nonzero(input)."""
    return nonzero(input)  # type: ignore[no-any-return]


@hinted
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 of shape (*tensor.shape, num_classes): 1 at the class given by each element, 0 elsewhere.

    With num_classes=-1 there are as many classes as the greatest element asks for. BoundsError for an element
    outside [0, num_classes).
    """
    B = tensor.device.backend
    array = in_order(B, checked_integers("one_hot", tensor).array)
    if num_classes == -1:
        if not prod(tensor.shape):
            raise ArgumentError("one_hot: the number of classes cannot be found in an empty tensor; give num_classes")
        num_classes = max(int(B.to_numpy(B.max(array))) + 1, 1)
    if num_classes < 1:
        raise ArgumentError(f"one_hot: num_classes must be positive, or -1, got {num_classes}")
    B.check_bounds(array, 0, num_classes, what="one_hot: classes")
    hot = B.equal(B.reshape(array, (*tensor.shape, 1)), B.arange(0, num_classes, 1, array.dtype))
    return new_tensor(B.astype(hot, int64), tensor.device)


class IndexingMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    __getitem__ = getitem
    masked_select = masked_select
    nonzero = nonzero
    argwhere = argwhere
    index_put = index_put
