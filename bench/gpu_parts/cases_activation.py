"""Cases of the activations with bias, their gradients, the bias gradient, and softmax along rows."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Prepared, Shape, check_error, sampled_rows
from bench.gpu_parts.cases_reduce import check_sums
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.activation import ACTIVATIONS, ActivationKernels, SoftmaxKernels
from tests.composition import COMPOSITION as B
from tests.kernels.oracles import ALPHA, BACKWARD, FORWARD

__all__ = ["CASES"]

Array = Any


def forward(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    x, bias, out = device.normal(shape, dtype, 3.0), device.normal(shape[1:], dtype), device.empty(shape, dtype)
    kernels = ActivationKernels(device.launcher)

    def check() -> None:
        at = sampled_rows(device, shape[0])
        given = (device.values(x, at), device.values(bias))
        compute = lambda x, b: FORWARD[name](B.add(x, b))  # noqa: E731
        check_error(device.values(out, at), dtype, compute, *given, size=9.0)

    run = partial(kernels.forward, name, x, bias, out, alpha=ALPHA)
    return Prepared(run, 2 * math.prod(shape) * x.dtype.itemsize, [out], check)


def slope(name: str, g: Array, saved: Array, bias: Array) -> Array:
    """The gradient by the activation's argument; kept arguments are without their bias."""
    return BACKWARD[name](g, B.add(saved, bias) if takes_bias(name) else saved)


def takes_bias(name: str) -> bool:
    return ACTIVATIONS[name] == "input"


def backward(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    g, saved, bias, dx = gradient_arrays(device, dtype, shape)
    kernels = ActivationKernels(device.launcher)
    run = partial(kernels.backward, name, g, saved, bias if takes_bias(name) else None, dx, alpha=ALPHA)
    check = partial(check_slope, name, device, dtype, g, saved, bias, dx)
    return Prepared(run, 3 * math.prod(shape) * g.dtype.itemsize, [dx], check)


def backward_bias(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    g, saved, bias, dx = gradient_arrays(device, dtype, shape)
    db = device.empty(shape[1:], dtype)
    kernels = ActivationKernels(device.launcher)

    def check() -> None:
        check_slope(name, device, dtype, g, saved, bias, dx)
        period = slice(0, device.period(shape) // shape[1])
        upstream, kept = (device.values(a, period).astype(np.float64) for a in (g, saved))
        rows = slope(name, upstream, kept, device.values(bias))
        check_sums(device.values(db), dtype, shape[0], rows)

    run = partial(kernels.backward_bias, name, g, saved, bias if takes_bias(name) else None, dx, db, alpha=ALPHA)
    return Prepared(run, 3 * math.prod(shape) * g.dtype.itemsize, [dx, db], check)


def gradient_arrays(device: KernelDevice, dtype: str, shape: Shape) -> tuple[Array, Array, Array, Array]:
    """g, what the forward pass kept, the bias, and room for the result."""
    g, saved = device.normal(shape, dtype), device.normal(shape, dtype)
    return g, saved, device.normal(shape[1:], dtype), device.empty(shape, dtype)


def check_slope(name: str, device: KernelDevice, dtype: str, g: Array, saved: Array, bias: Array, dx: Array) -> None:
    at = sampled_rows(device, g.shape[0])
    given = (device.values(g, at), device.values(saved, at), device.values(bias))
    check_error(device.values(dx, at), dtype, partial(slope, name), *given, size=9.0)


# ---------------------------------------------------------------------- softmax
def softmax(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    x, out = device.normal(shape, dtype, 4.0), device.empty(shape, dtype)

    def check() -> None:
        at = sampled_rows(device, shape[0])
        compute = partial(getattr(B, name), axis=1)
        check_error(device.values(out, at), dtype, compute, device.values(x, at))

    run = partial(getattr(SoftmaxKernels(device.launcher), name), x, out)
    return Prepared(run, 2 * math.prod(shape) * x.dtype.itemsize, [out], check)


def softmax_backward(name: str, device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    kernels = SoftmaxKernels(device.launcher)
    g, x, y, out = (*(device.normal(shape, dtype) for _ in "gx"), *(device.empty(shape, dtype) for _ in "yo"))
    getattr(kernels, name)(x, y)

    def check() -> None:
        at = sampled_rows(device, shape[0])
        given = device.values(g, at), device.values(y, at)
        size = float(np.abs(given[0].astype(np.float64)).sum(1).max()) if name == "log_softmax" else 1.0
        compute = partial(getattr(B, f"{name}_backward"), axis=1)
        check_error(device.values(out, at), dtype, compute, *given, size=size)

    run = partial(getattr(kernels, f"{name}_backward"), g, y, out)
    return Prepared(run, 3 * math.prod(shape) * g.dtype.itemsize, [out], check)


CASES = [
    *(
        Case(f"{name}{ending}", partial(prepare, name))
        for ending, prepare in (("", forward), ("_backward", backward), ("_backward_bias", backward_bias))
        for name in ACTIVATIONS
    ),
    Case("softmax", partial(softmax, "softmax")),
    Case("log_softmax", partial(softmax, "log_softmax")),
    Case("softmax_backward", partial(softmax_backward, "softmax")),
    Case("log_softmax_backward", partial(softmax_backward, "log_softmax")),
]
