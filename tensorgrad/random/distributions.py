"""Random tensors of the usual distributions.

Everywhere: `generator=None` is the default generator of the device, `device=None` the generator's device or else the
default device, `dtype=None` the default floating dtype unless said otherwise; `size` is `f(2, 3)` or `f((2, 3))`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.creation import as_size
from tensorgrad.dtypes import (
    DType,
    as_dtype,
    float32,
    float64,
    get_default_dtype,
    int64,
    is_floating,
    result_type,
    shown,
    uint64,
)
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, ShapeError
from tensorgrad.functional.dims import as_integer
from tensorgrad.functional.index_key import broadcast_shapes
from tensorgrad.host_data import number
from tensorgrad.random.generator import Generator, default_generator

__all__ = [
    "bernoulli",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "uniform",
]


# ---------------------------------------------------------------------- from a given distribution
@hinted
def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers uniform in [0, 1)."""
    source, kind = _source("rand", generator, device), _floating("rand", dtype)
    return _leaf(_uniform(source, as_size("rand", size), kind), source, requires_grad)


@hinted
def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers of the normal distribution with mean 0 and variance 1."""
    source, kind = _source("randn", generator, device), _floating("randn", dtype)
    return _leaf(_normal(source, as_size("randn", size), kind), source, requires_grad)


@hinted
def randint(
    low: int = 0,
    high: Any = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: object = int64,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers uniform in [low, high): `randint(high, size)` or `randint(low, high, size)`; int64 unless
    `dtype`.

    Raises ArgumentError where low >= high, and where the dtype does not hold every integer of that range; DTypeError
    for bounds that are no integers.
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not type(low) is type(high) is int:
        low, high = (as_integer("randint", n) for n in (low, high))
    if size is None or not low < high:
        raise ArgumentError(f"randint: expected low < high and a size, got low={low}, high={high}, size={size}")
    kind = as_dtype(dtype)
    _check_range("randint", low, high, kind)
    source, shape = _source("randint", generator, device), as_size("randint", (size,))
    backend = source.device.backend
    key = source.next_key(backend.random_blocks(math.prod(shape), uint64))
    drawn = backend.random_integers(key, shape, low, high)
    return _leaf(drawn if kind == int64 else backend.astype(drawn, kind), source, requires_grad)


@hinted
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: object = int64,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers 0 to n - 1 in random order: the order of n random 64-bit numbers, so the same on every
    device. Raises ArgumentError where the dtype does not hold them all."""
    (count,) = as_size("randperm", (n,))
    source, kind = _source("randperm", generator, device), as_dtype(dtype)
    _check_range("randperm", 0, count, kind)
    backend = source.device.backend
    key = source.next_key(backend.random_blocks(count, uint64))
    order = backend.argsort(backend.random_words64(key, count), 0)
    return _leaf(order if kind == int64 else backend.astype(order, kind), source, requires_grad)


@hinted
def uniform(
    low: Tensor | float = 0.0,
    high: Tensor | float = 1.0,
    size: Sequence[int] = (),
    *,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers uniform in [low, high). Raises ArgumentError where low > high, or one of them is not finite in the
    dtype."""
    source, kind = _source("uniform", generator, device), _floating("uniform", dtype)
    shape = as_size("uniform", (size,))
    return _leaf(_uniform_between(source, shape, kind, low, high, "uniform"), source, requires_grad)


@hinted
def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers with these means and standard deviations: two floats and a `size`, or a Tensor or two.

    Not differentiable in mean and std. Raises ArgumentError where two floats come without a size, or a standard
    deviation is negative or nan: those of a Tensor on CUDA when the host next waits.
    """
    given = [x for x in (mean, std) if isinstance(x, Variable)]
    if not given:
        if size is None:
            raise ArgumentError("normal: a size must be given where mean and std are numbers, e.g. size=(2, 3)")
        source, kind = _source("normal", generator, device), _floating("normal", dtype)
        shape = as_size("normal", (size,))
    else:
        source = _source("normal", generator, given[0].device if device is None else device)
        kind = _floating("normal", result_type(given) if dtype is None else dtype)
        shape = broadcast_shapes("normal", [t.shape for t in given])
    shift, scale = (source.device.backend.astype(v.array, kind) if isinstance(v, Variable) else v for v in (mean, std))
    if isinstance(std, Variable):
        source.device.backend.check_range(scale, 0.0, math.inf, what="normal: std")
    elif not std >= 0:
        raise ArgumentError(f"normal: std must not be negative, got {std}")
    return _leaf(_affine(source.device, _normal(source, shape, kind), shift, scale), source, requires_grad)


@hinted
def bernoulli(input: Tensor, p: Tensor | float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability in `input`, else 0, elementwise in its dtype; with `p`, a number or a Tensor that
    broadcasts, with that probability.

    Raises DTypeError for probabilities in a Tensor that is not floating, and ArgumentError for those not in [0, 1]: for
    a Tensor on CUDA when the host next waits.
    """
    source = _source("bernoulli", generator, input.device)
    chance = input if p is None else p
    if not isinstance(chance, Variable):
        if not 0 <= chance <= 1:
            raise ArgumentError(f"bernoulli: p must be in [0, 1], got {chance}")
        return new_tensor(_coin(source, input.shape, input.dtype, chance), source.device)
    if not is_floating(chance.dtype):
        raise DTypeError(f"bernoulli: probabilities must be floating, got {chance.dtype}; convert them with .float()")
    if broadcast_shapes("bernoulli", [input.shape, chance.shape]) != input.shape:
        raise ShapeError(f"bernoulli: p of shape {chance.shape} does not broadcast to {input.shape}")
    source.device.backend.check_range(chance.array, 0.0, 1.0, what="bernoulli: probabilities")
    return new_tensor(_coins(source, input.shape, input.dtype, chance), source.device)


# ---------------------------------------------------------------------- like another tensor
@hinted
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`rand` with the shape, dtype and device of `input`."""
    kind, place = _like(input, dtype, device)
    return rand(input.shape, generator=generator, dtype=kind, device=place, requires_grad=requires_grad)


@hinted
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`randn` with the shape, dtype and device of `input`."""
    kind, place = _like(input, dtype, device)
    return randn(input.shape, generator=generator, dtype=kind, device=place, requires_grad=requires_grad)


@hinted
def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`randint` with the shape, dtype and device of `input`: `randint_like(x, high)` or `randint_like(x, low,
    high)`."""
    kind, place = _like(input, dtype, device)
    return randint(low, high, input.shape, generator=generator, dtype=kind, device=place, requires_grad=requires_grad)


# ---------------------------------------------------------------------- pieces
def _source(name: str, generator: Generator | None, device: DeviceLike) -> Generator:
    if generator is None:
        return default_generator(device)
    if device is not None and as_device(device) is not generator.device:
        raise DeviceError(f"{name}: the generator is on {generator.device}, the tensor on {as_device(device)}")
    return generator


def _floating(name: str, dtype: object) -> DType:
    kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    if not is_floating(kind):
        raise DTypeError(f"{name}: expected a floating dtype, got {kind}")
    return kind


def _check_range(name: str, low: int, high: int, dtype: DType) -> None:
    if dtype.kind == "f":
        most = 2 ** (np.finfo(dtype).nmant + 1)
        least = -most
    else:
        least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if low < least or high - 1 > most:
        raise ArgumentError(
            f"{name}: {dtype} holds the integers from {least} to {most}, got low={shown(low)}, high={shown(high)}; "
            "choose a wider dtype"
        )


def _like(input: Tensor, dtype: object, device: DeviceLike) -> tuple[object, DeviceLike]:
    return input.dtype if dtype is None else dtype, input.device if device is None else device


def _leaf(array: Array, source: Generator, requires_grad: bool) -> Tensor:
    made = new_tensor(array, source.device)
    if requires_grad:
        made.requires_grad = True
    return made


def _uniform(source: Generator, shape: Shape, dtype: DType) -> Array:
    backend = source.device.backend
    return backend.random_uniform(source.next_key(backend.random_blocks(math.prod(shape), dtype)), shape, dtype)


def _normal(source: Generator, shape: Shape, dtype: DType) -> Array:
    backend = source.device.backend
    return backend.random_normal(source.next_key(backend.random_blocks(math.prod(shape), dtype)), shape, dtype)


def _uniform_between(source: Generator, shape: Shape, dtype: DType, low: Any, high: Any, name: str) -> Array:
    low, high = (number(name, n) for n in (low, high))
    if not low <= high:
        raise ArgumentError(f"{name}: expected low <= high, got low={low}, high={high}")
    greatest = float(np.finfo(dtype).max)
    if low < -greatest or high > greatest:
        raise ArgumentError(f"{name}: low and high must be finite in {dtype}, got low={low}, high={high}")
    drawn = _uniform(source, shape, dtype)
    if high - low <= greatest:
        return _affine(source.device, drawn, low, high - low)
    halves = _affine(source.device, drawn, low / 2, high / 2 - low / 2)
    return source.device.backend.multiply(halves, 2, out=halves)


def _affine(device: Device, x: Array, shift: Any, scale: Any) -> Array:
    """x * scale + shift, in the memory of x."""
    device.backend.multiply(x, scale, out=x)
    return device.backend.add(x, shift, out=x)


def _coin(source: Generator, shape: Shape, dtype: DType, p: float) -> Array:
    backend, kind = source.device.backend, float64 if dtype == float64 else float32
    key = source.next_key(backend.random_blocks(math.prod(shape), kind))
    return backend.random_bernoulli(key, shape, float(p), dtype)


def _coins(source: Generator, shape: Shape, dtype: DType, p: Tensor) -> Array:
    backend, kind = source.device.backend, float64 if float64 in (dtype, p.dtype) else float32
    return backend.astype(backend.less(_uniform(source, shape, kind), backend.astype(p.array, kind)), dtype)
