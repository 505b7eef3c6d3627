"""Cases of the kernels that take many arrays at once: optimizer steps, norms, clipping.

Each is given a large array and a small one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Prepared, Shape, sampled_rows, total
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.optimizer import ClipKernels, OptimizerKernels, Tables
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import EPS, expect

__all__ = ["CASES"]

Array = Any

# name: method, columns of state (None: not given; else whether never negative), options, bytes over the itemsize.
STEPS: dict[str, tuple[str, tuple[bool | None, ...], dict[str, Any], int]] = {
    "sgd": ("sgd_step", (None,), {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.1, "nesterov": False}, 3),
    "sgd momentum": (
        "sgd_step", (False,), {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": True}, 5,
    ),
    "adam": (
        "adam_step", (False, True, None),
        {"beta1": 0.9, "beta2": 0.999, "eps": 1e-4, "weight_decay": 0.1, "decoupled": True}, 7,
    ),
    "adam amsgrad": (
        "adam_step", (False, True, True),
        {"beta1": 0.9, "beta2": 0.999, "eps": 1e-4, "weight_decay": 0.0, "decoupled": False}, 9,
    ),
    "rmsprop": (
        "rmsprop_step", (True, None, None), {"alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1, "momentum": 0.0}, 5,
    ),
    "rmsprop momentum": (
        "rmsprop_step", (True, None, False), {"alpha": 0.9, "eps": 1e-4, "weight_decay": 0.0, "momentum": 0.9}, 7,
    ),
    "rmsprop centered": (
        "rmsprop_step", (True, False, None), {"alpha": 0.9, "eps": 1e-2, "weight_decay": 0.0, "momentum": 0.0}, 7,
    ),
    "rmsprop centered momentum": (
        "rmsprop_step", (True, False, False), {"alpha": 0.9, "eps": 1e-2, "weight_decay": 0.0, "momentum": 0.9}, 9,
    ),
    "adagrad": ("adagrad_step", (True,), {"lr_decay": 0.1, "eps": 1e-4, "weight_decay": 0.1}, 5),
}  # fmt: skip
LR = 0.01
NONNEGATIVE, SMALL = 4.0, 0.1  # sizes of second and first moments: a variance stays positive


def step(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    method, state, options, each = STEPS[name]
    columns: list[list[Array] | None] = [pair(device, dtype, shape), pair(device, dtype, shape)]
    columns += [None if kind is None else moments(device, dtype, shape, kind) for kind in state]
    lr, steps, error = device.scalar(LR), device.scalar(2.0), device.filled((8,), "int64", np.zeros(8, np.int64))
    at = sampled_rows(device, shape[0])
    before = [None if column is None else [device.values(column[0], at)] for column in columns]
    optimizer = OptimizerKernels(Tables(device.launcher), error)
    run = partial(getattr(optimizer, method), *columns, lr, steps, **options, maximize=False)

    def contents() -> list[bytes]:
        return [steps.get().tobytes(), *(device.values(column[0], at).tobytes() for column in columns if column)]

    def check() -> None:
        assert columns[0] is not None
        exact = composition(method, before, options, np.float64)
        precise = composition(method, before, options, np.dtype(dtype))
        theirs = float(np.abs(precise.astype(np.float64) - exact).max())
        own = float(np.abs(device.values(columns[0][0], at).astype(np.float64) - exact).max())
        units = 64 if dtype == "float64" else 1
        allowed = 2 * theirs + units * EPS[dtype] * float(np.abs(exact).max())
        expect(own <= allowed, f"error {own:.2g}, allowed {allowed:.2g}")
        expect(float(steps.get()) == 3.0, f"the step count is {float(steps.get())}, expected 3")
        error.fill(1)  # a check has failed
        kept = contents()
        run()
        expect(contents() == kept, "a step after a failed check changes something")
        error.fill(0)

    count, itemsize = math.prod(shape) + shape[1], columns[0][0].dtype.itemsize  # type: ignore[index]
    return Prepared(run, each * count * itemsize, [], check)


def pair(device: KernelDevice, dtype: str, shape: Shape) -> list[Array]:
    return [device.normal(shape, dtype), device.normal(shape[1:], dtype)]


def moments(device: KernelDevice, dtype: str, shape: Shape, nonnegative: bool) -> list[Array]:
    """Random state; the nonnegative kind is far from the square of the other."""
    made = []
    for part in (shape, shape[1:]):
        drawn = device.rng.uniform(0.5, 1.0, min(math.prod(part), device.drawn))
        drawn = drawn * NONNEGATIVE if nonnegative else (drawn - 0.75) * SMALL
        made.append(device.from_host(part, dtype, drawn))
    return made


def composition(method: str, columns: list[list[Array] | None], options: dict[str, Any], dtype: Any) -> Array:
    """The first parameter after the composition's step in `dtype`."""
    copies = [None if column is None else [x.astype(dtype) for x in column] for column in columns]
    with np.errstate(all="ignore"):
        getattr(B, method)(*copies, np.array(LR), np.array(2.0), **options, maximize=False)
    assert copies[0] is not None
    return copies[0][0]


# ---------------------------------------------------------------------- norms, clipping
def norm(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    arrays, kernels = pair(device, dtype, shape), ClipKernels(Tables(device.launcher))
    found: list[Array] = []

    def run() -> None:
        found[:] = [kernels.total_norm(arrays, 2.0)]

    def check() -> None:
        squares = [np.square(device.first(x).astype(np.float64)) for x in arrays]
        right = math.sqrt(sum(float(total(x.size, p)) for x, p in zip(arrays, squares, strict=True)))
        error = abs(float(found[0].get()) / right - 1)
        expect(error < (1e-12 if dtype == "float64" else 2e-6), f"relative error {error:.2g}")

    return Prepared(run, size_of(arrays), [], check)


def size_of(arrays: list[Array]) -> float:
    return float(sum(x.size * x.dtype.itemsize for x in arrays))


def clamp(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    kernels = ClipKernels(Tables(device.launcher))
    return in_place(
        device, dtype, shape, lambda arrays: kernels.clip_grads_by_value(arrays, 0.5), lambda x: np.clip(x, -0.5, 0.5)
    )


def scale(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    tables, factor = Tables(device.launcher), device.scalar(0.96875)
    return in_place(
        device, dtype, shape, lambda arrays: tables.launch("scale_tensors", [arrays], factor), lambda x: x * 0.96875
    )


def in_place(
    device: KernelDevice,
    dtype: str,
    shape: Shape,
    launch: Callable[[list[Array]], None],
    right: Callable[[Array], Array],
) -> Prepared:
    arrays, at = pair(device, dtype, shape), sampled_rows(device, shape[0])
    before = device.values(arrays[0], at).astype(np.float64)

    def check() -> None:
        error = float(np.abs(device.values(arrays[0], at).astype(np.float64) - right(before)).max())
        allowed = EPS[dtype] * float(np.abs(before).max())
        expect(error <= allowed, f"error {error:.2g}, allowed {allowed:.2g}")

    return Prepared(lambda: launch(arrays), 2 * size_of(arrays), [], check)


CASES = [
    *(Case(name, partial(step, name)) for name in STEPS),
    Case("norm", norm),
    Case("scale_tensors", scale),
    Case("clamp_tensors", clamp),
]
