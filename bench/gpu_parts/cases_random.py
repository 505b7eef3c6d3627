"""Cases of the random numbers and dropout: their beginning and end against the composition's."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Prepared, Shape
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.random import RandomKernels
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import expect
from tests.kernels.oracles import NORMAL_ERRORS

__all__ = ["CASES"]

Array = Any
Draw = Callable[[Array, int, str], Array]

CHECKED = 4096
P = 0.25
INTEGERS = (7, 1000)


def bits(key: Array, count: int, dtype: str) -> Array:
    return B.random_bits(key, count)


def words64(key: Array, count: int, dtype: str) -> Array:
    return B.random_words64(key, count)


def integers(key: Array, count: int, dtype: str) -> Array:
    return B.random_integers(key, (count,), *INTEGERS)


def uniform(key: Array, count: int, dtype: str) -> Array:
    return B.random_uniform(key, (count,), np.dtype(dtype))


def normal(key: Array, count: int, dtype: str) -> Array:
    return B.random_normal(key, (count,), np.dtype("float64" if dtype == "float64" else "float32"))


def bernoulli(key: Array, count: int, dtype: str) -> Array:
    drawn = B.random_uniform(key, (count,), np.dtype("float64" if dtype == "float64" else "float32"))
    return (drawn < P).astype(np.float32)


# name: what the composition draws, further arguments of the kernel, error allowed.
DRAWS: dict[str, tuple[Draw, tuple[Any, ...]]] = {
    "bits": (bits, ()),
    "words64": (words64, ()),
    "integers": (integers, INTEGERS),
    "uniform": (uniform, ()),
    "normal": (normal, ()),
    "bernoulli": (bernoulli, (P,)),
}


def ends(key: Array, count: int, words: int) -> list[tuple[Array, slice]]:
    """(key, positions) of the first and last numbers, of `words` words of 32 bits each."""
    start = max(0, (count - CHECKED) // 4 * 4)
    later = key.copy()
    later[1] += np.uint64(start * words // 4)
    return [(key, slice(0, min(count, CHECKED))), (later, slice(start, count))]


def draw(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count = math.prod(shape)
    out, key = device.empty((count,), dtype), device.key()
    expected, arguments = DRAWS[name]
    words = 2 if dtype in ("float64", "int64", "uint64") else 1

    def check() -> None:
        for first, at in ends(device.values(key), count, words):
            got, right = device.values(out, at), expected(first, at.stop - at.start, dtype)
            error = float(np.abs(got.astype(np.float64) - right.astype(np.float64)).max(initial=0))
            allowed = NORMAL_ERRORS[dtype] if name == "normal" else 0.0
            expect(error <= allowed, f"differs by {error:.2g} from the composition, allowed {allowed:.2g}")

    with np.errstate(over="ignore"):
        run = partial(getattr(RandomKernels(device.launcher), name), key, out, *arguments)
    return Prepared(run, count * out.dtype.itemsize, [out], check)


def dropout(masked: bool, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count = math.prod(shape)
    x, out, key = device.normal((count,), dtype), device.empty((count,), dtype), device.key()
    mask = device.empty((count,), dtype) if masked else None

    def check() -> None:
        for first, at in ends(device.values(key), count, 1):
            kept = B.random_uniform(first, (at.stop - at.start,), np.dtype("float32")) >= P
            factor = np.where(kept, 1 / (1 - P), 0).astype(dtype)
            if mask is not None:
                expect(np.array_equal(device.values(mask, at), factor), "the mask is another")
            right = device.values(x, at) * factor
            got = device.values(out, at)
            unit = 2.0**-10 if dtype == "float16" else 2.0**-22
            expect(bool((np.abs(got - right) <= unit * np.abs(right)).all()), "the product is another")

    outputs = [out] if mask is None else [out, mask]
    run = partial(RandomKernels(device.launcher).dropout, x, key, P, out, mask)
    return Prepared(run, (3 if masked else 2) * count * out.dtype.itemsize, outputs, check)


CASES = [
    Case("random_bits", partial(draw, "bits"), ("uint32",)),
    Case("random_words64", partial(draw, "words64"), ("uint64",)),
    Case("random_integers", partial(draw, "integers"), ("int64",)),
    Case("random_uniform", partial(draw, "uniform")),
    Case("random_normal", partial(draw, "normal")),
    Case("random_bernoulli", partial(draw, "bernoulli")),
    Case("dropout", partial(dropout, True)),
    Case("dropout without mask", partial(dropout, False)),
]
