"""Margins around a tensor, by PyTorch's convention: widths come in pairs, those of the last dim first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, new_tensor
from tensorgrad.backends import Device
from tensorgrad.dtypes import fitting, int64, type_name
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.functional.dims import as_integer
from tensorgrad.functional.promotion import shape_of
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import index as I
from tensorgrad.ops import shape as S

__all__ = ["pad"]


@hinted
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Margins around the last dims: `pad` = (before, after) of the last dim, then of the one before it, and
    so on.

    `mode`: "constant" (filled with `value`, 0 unless given), "reflect" (mirrored without the edge), "replicate" (the
    edge repeated) or "circular" (what is left after cropping, repeated). A negative width crops. ArgumentError for
    widths that are odd in number, too many, or too wide for the mode.
    """
    shape_of("pad", input)
    widths = _widths(input, pad)
    if mode == "constant":
        return _pad_constant(input, widths, 0 if value is None else value)
    if mode not in _MARGINS:
        raise ArgumentError(f'pad: mode must be "constant", "reflect", "replicate" or "circular", got {mode!r}')
    if value:
        raise ArgumentError(f'pad: value is for mode="constant" only, got value={value} with mode={mode!r}')
    result = input
    for axis, (before, after) in enumerate(widths):
        if before or after:
            index = _margin_index(mode, input.shape[axis], before, after, axis, input.device)
            result = apply(I.take, result, index, axis=axis)
    return apply(E.copy, input) if result is input else result


def _widths(input: Tensor, pad: Sequence[int]) -> tuple[tuple[int, int], ...]:
    if type(pad) not in (tuple, list) and (not isinstance(pad, Sequence) or isinstance(pad, str)):
        raise DTypeError(f"pad: expected a sequence of widths, got {type_name(pad)}")
    flat = tuple([n if type(n) is int else as_integer("pad", n) for n in pad])
    if len(flat) % 2 or len(flat) > 2 * input.ndim:
        raise ArgumentError(f"pad: expected two widths a dim for at most {input.ndim} dims, got {flat}")
    given = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    return (*((0, 0),) * (input.ndim - len(given)), *reversed(given))


def _pad_constant(input: Tensor, widths: tuple[tuple[int, int], ...], value: float) -> Tensor:
    if any(b < 0 or a < 0 for b, a in widths):
        for i, (n, (before, after)) in enumerate(zip(input.shape, widths, strict=True)):
            if n + min(before, 0) + min(after, 0) < 0:
                raise ArgumentError(f"pad: widths ({before}, {after}) crop more than dim {i} of size {n} has")
        key = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(input.shape, widths, strict=True))
        input = apply(S.getitem, input, key=key)
        widths = tuple((max(b, 0), max(a, 0)) for b, a in widths)
    return apply(S.pad, input, widths=widths, value=fitting("pad", _filling(value), input.dtype))


def _filling(value: float) -> float:
    """A negative integer as a float, since unsigned dtypes do not wrap around what is padded with (PyTorch's rule)."""
    return float(value) if value < 0 and value >= -(1 << 53) else value


def _reflected(n: int, before: int, after: int) -> list[int]:
    return [abs(i) if i < n else 2 * (n - 1) - i for i in range(-before, n + after)]


def _replicated(n: int, before: int, after: int) -> list[int]:
    return [min(max(i, 0), n - 1) for i in range(-before, n + after)]


def _repeated(n: int, before: int, after: int) -> list[int]:
    left = range(n)[max(-before, 0) : n - max(-after, 0)]
    return [left[i % len(left)] for i in range(-max(before, 0), len(left) + max(after, 0))] if left else []


_MARGINS: dict[str, Callable[[int, int, int], list[int]]] = {
    "reflect": _reflected,
    "replicate": _replicated,
    "circular": _repeated,
}


def _margin_index(mode: str, n: int, before: int, after: int, axis: int, device: Device) -> Tensor:
    """For each place along the padded dim, the place its element comes from."""
    left = n + min(before, 0) + min(after, 0)
    limit = {"reflect": n - 1, "circular": left}.get(mode, max(before, after) if n else 0)
    least = 0 if mode == "circular" else 1
    if max(before, after) > max(limit, 0) or n + before + after < least:
        raise ArgumentError(
            f"pad: with mode={mode!r} widths of dim {axis} (size {n}) must be at most {max(limit, 0)} and leave at "
            f"least {least} of it, got ({before}, {after})"
        )
    return new_tensor(device.backend.asarray(np.array(_MARGINS[mode](n, before, after), int64)), device)
