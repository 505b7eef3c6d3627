"""Elements and whole tensors repeated, under PyTorch's names. Results are new tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device
from tensorgrad.dtypes import int32, int64
from tensorgrad.errors import ArgumentError, BoundsError, DTypeError, ShapeError
from tensorgrad.functional.dims import as_integer, normalize_dim
from tensorgrad.functional.promotion import cast, shape_of
from tensorgrad.functional.shape import flatten, listed, reshape, transpose, whole_numbers
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import index as I
from tensorgrad.ops import shape as S

__all__ = ["meshgrid", "repeat_interleave", "tile"]

Shape = tuple[int, ...]


def repeat(input: Tensor, *counts: Any, repeats: Sequence[int] | None = None) -> Tensor:
    """Copies side by side, `repeats[i]` times along dim i; more repeats than dims add dims in front."""
    shape_of("repeat", input)
    if repeats is not None or not counts:
        counts = listed("repeat", "repeats", counts, repeats)
    counts = whole_numbers("repeat", counts)
    if len(counts) < input.ndim:
        raise ShapeError(f"repeat: expected at least {input.ndim} repeats for shape {input.shape}, got {counts}")
    return _tile("repeat", input, counts)


def tile(input: Tensor, *counts: Any, dims: Sequence[int] | None = None) -> Tensor:
    """As repeat; fewer repeats than dims count for the last dims."""
    shape_of("tile", input)
    if dims is not None or not counts:
        counts = listed("tile", "dims", counts, dims)
    counts = whole_numbers("tile", counts)
    return _tile("tile", input, (*(1,) * (input.ndim - len(counts)), *counts))


def _tile(name: str, input: Tensor, counts: Shape) -> Tensor:
    if any(n < 0 for n in counts):
        raise ArgumentError(f"{name}: repeats must not be negative, got {counts}")
    if not counts:
        return apply(E.copy, input)
    if len(counts) > input.ndim:
        input = apply(S.reshape, input, shape=(*(1,) * (len(counts) - input.ndim), *input.shape))
    return apply(S.tile, input, repeats=counts)


def repeat_interleave(
    input: Tensor | None = None, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Every element `repeats` times in a row along `dim`; without a dim, of the flattened tensor.

    `repeats`: a number, or a tensor of integers, one for each element along the dim or a single one; on CUDA the host
    waits for it. Without `repeats`, `input` is that tensor, and the result the positions that are repeated: [1, 2]
    gives [0, 1, 1]. `output_size`: the size of the dim that the result must have, which is checked.
    """
    if input is None:
        input, repeats = repeats, None
    shape = shape_of("repeat_interleave", input)
    if repeats is None:
        if len(shape) != 1:
            raise ShapeError(f"repeat_interleave: repeats must be 1-d, got shape {shape}")
        return cast(_repeated_places(input, shape[0], input.device, output_size), input.dtype)
    if dim is not None and not shape:
        raise BoundsError(f"repeat_interleave: a 0-d tensor has no dim {dim}; leave it out")
    source = flatten(input) if dim is None else input
    axis = normalize_dim("repeat_interleave", 0 if dim is None else dim, source.ndim)
    if isinstance(repeats, Variable):
        places = _repeated_places(repeats, source.shape[axis], input.device, output_size)
        return apply(I.take, source, places, axis=axis)
    repeats = as_integer("repeat_interleave", repeats)
    if repeats < 0:
        raise ArgumentError(f"repeat_interleave: repeats must be at least 0, got {repeats}")
    if output_size is not None:
        _check_output_size(source.shape[axis] * repeats, output_size)
    return apply(S.repeat, source, repeats=repeats, axis=axis)


def _repeat_interleave(
    self: Tensor, repeats: int | Tensor, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Every element `repeats` times in a row along `dim`; see `tg.repeat_interleave`."""
    return repeat_interleave(self, repeats, dim, output_size=output_size)


def _repeated_places(repeats: Variable, size: int, device: Device, output_size: int | None) -> Tensor:
    """0, 1, ... below `size`, each as often as `repeats` says."""
    if repeats.dtype not in (int64, int32):
        raise DTypeError(f"repeat_interleave: repeats must be int64 or int32, got {repeats.dtype}; use .long()")
    counts = repeats.device.backend.to_numpy(repeats.array)
    if counts.ndim > 1 or (counts.size != size and counts.size != 1):
        raise ShapeError(f"repeat_interleave: expected one of repeats, or {size} in a row, got shape {counts.shape}")
    if counts.size and counts.min() < 0:
        raise ArgumentError(f"repeat_interleave: repeats must be at least 0, got {counts.min()}")
    places = np.repeat(np.arange(size), counts)
    if output_size is not None:
        _check_output_size(places.size, output_size)
    return new_tensor(device.backend.asarray(places), device)


def _check_output_size(size: int, output_size: int) -> None:
    if as_integer("repeat_interleave", output_size) != size:
        raise ShapeError(f"repeat_interleave: output_size must be {size}, the sum of the repeats, got {output_size}")


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Grids of the coordinates in 1-d (or 0-d) tensors: of shape (n0, n1, ...), or (n1, n0, ...) with
    indexing="xy"; None is "ij".
    """
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if indexing not in ("ij", "xy", None):
        raise ArgumentError(f'meshgrid: indexing must be "ij" or "xy", got {indexing!r}')
    if not parts:
        raise ArgumentError("meshgrid: expected at least one tensor, got none")
    if any(len(shape_of("meshgrid", x)) > 1 for x in parts):
        raise ShapeError(f"meshgrid: expected 1-d tensors, got shapes {', '.join(str(x.shape) for x in parts)}")
    if any(x.dtype != parts[0].dtype for x in parts):
        raise DTypeError(f"meshgrid: all tensors must have one dtype, got {', '.join(str(x.dtype) for x in parts)}")
    shape = tuple(prod(x.shape) for x in parts)
    n = len(shape)
    grids = [
        apply(S.broadcast_to, reshape(x, *(1,) * i, -1, *(1,) * (n - 1 - i)), shape=shape) for i, x in enumerate(parts)
    ]
    return tuple(transpose(g, 0, 1) for g in grids) if indexing == "xy" and n > 1 else tuple(grids)


class RepeatingMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    repeat = repeat
    repeat_interleave = _repeat_interleave
    tile = tile
