"""Cases of the cross-entropy of labels."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from bench.gpu_parts.case import Case, Prepared, Shape, check_error, sampled_rows
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.activation import SoftmaxKernels
from tensorgrad.backends.cuda.loss import LossKernels
from tests.composition import COMPOSITION as B
from tests.kernels.oracles import losses_of, probabilities_of

__all__ = ["CASES"]

Array = Any


def cross_entropy(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    x, labels = device.normal(shape, dtype, 4.0), device.integers(shape[:1], shape[1])
    losses, out = device.empty(shape[:1], dtype), device.empty(shape, dtype)

    def check() -> None:
        at = sampled_rows(device, shape[0])
        given = device.values(x, at), device.values(labels, at)
        check_error(device.values(out, at), dtype, probabilities_of, *given)
        check_error(device.values(losses, at), dtype, losses_of, *given, size=16.0)

    run = partial(LossKernels(device.launcher).cross_entropy, x, labels, losses, out)
    return Prepared(run, 2 * math.prod(shape) * x.dtype.itemsize, [losses, out], check)


def cross_entropy_backward(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    x, labels = device.normal(shape, dtype, 4.0), device.integers(shape[:1], shape[1])
    scale, kept, out = device.normal((shape[0], 1), dtype), device.empty(shape, dtype), device.empty(shape, dtype)
    SoftmaxKernels(device.launcher).softmax(x, kept)

    def check() -> None:
        at = sampled_rows(device, shape[0])
        scales, probabilities, targets = (device.values(a, at) for a in (scale, kept, labels))
        compute = B.softmax_cross_entropy_backward
        check_error(device.values(out, at), dtype, compute, scales, probabilities, targets)

    run = partial(LossKernels(device.launcher).cross_entropy_backward, scale, kept, labels, out)
    return Prepared(run, 2 * math.prod(shape) * x.dtype.itemsize, [out], check)


CASES = [
    Case("softmax_cross_entropy", cross_entropy),
    Case("softmax_cross_entropy_backward", cross_entropy_backward),
]
