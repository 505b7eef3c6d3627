"""Activations, softmax, and an activation with the layer before it: their kernels' launches, and their primitives.

Launches: each method writes into arrays that it is given (`out`, `dx`, ...) and returns nothing. All arrays are
C-contiguous; any alignment will do (16 bytes, as fresh arrays have it, is the fastest). Wrong arguments raise
DTypeError, ShapeError or ArgumentError before anything is launched. So do those of the other families.

Primitives: a kernel takes C-contiguous arrays of one floating dtype. Inputs that are not are made contiguous, and so is
an `out`, for a while; a dtype without a kernel goes the way of the composition.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.backends.cuda.launch import (
    Launcher,
    check_arrays,
    check_dtype,
    has_kernels,
    optional,
    per_vector,
    suffix_of,
    suits,
)
from tensorgrad.backends.cuda.override import KernelOverrides, or_composition, without_gaps
from tensorgrad.backends.cuda.reduce import ReduceKernels
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.activation import ActivationPrimitives
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.errors import ArgumentError, ShapeError

__all__ = ["ACTIVATIONS", "ActivationKernels", "CudaActivation", "SoftmaxKernels"]

# What each activation's backward is given: its result, or its argument (then also the bias, which is added again).
# Of leaky_relu the result serves as well, where its slope is not negative.
ACTIVATIONS = {
    "relu": "output",
    "sigmoid": "output",
    "tanh": "output",
    "leaky_relu": "input",
    "gelu": "input",
    "gelu_tanh": "input",
    "silu": "input",
}


class ActivationKernels:
    """act(x + bias) and its gradients. Arrays are (..., columns), the bias (columns,) or None."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def forward(self, name: str, x: Array, bias: Array | None, out: Array, *, alpha: float = 0.0) -> None:
        """out = act(x + bias); `out` may be `x` where the gradient needs only the result."""
        op = f"{name} kernel"
        columns = _checked(op, name, x, bias, x=x, out=out)
        bias, has_bias = optional(bias, x)
        args = (x, bias, has_bias, out, x.size, columns, float(alpha))
        self._launcher.flat(f"{name}_{suffix_of(x)}", x.size, per_vector(x), *args)

    def backward(self, name: str, g: Array, saved: Array, bias: Array | None, dx: Array, *, alpha: float = 0.0) -> None:
        """dx = g act'; `saved` is act's result or its argument less `bias` (see ACTIVATIONS). dx may be g or saved."""
        op = f"{name}_backward kernel"
        columns = _checked(op, name, g, bias, g=g, saved=saved, dx=dx)
        bias, has_bias = optional(bias, g)
        args = (g, saved, bias, has_bias, dx, g.size, columns, float(alpha))
        self._launcher.flat(f"{name}_backward_{suffix_of(g)}", g.size, per_vector(g), *args)

    def backward_bias(
        self, name: str, g: Array, saved: Array, bias: Array | None, dx: Array, db: Array, *, alpha: float = 0.0
    ) -> None:
        """As `backward`, and db (columns,) = the sum of dx over all rows, added in float32 (float64 for float64)."""
        op = f"{name}_backward_bias kernel"
        columns = _checked(op, name, g, bias, g=g, saved=saved, dx=dx)
        check_arrays(op, g.dtype, (columns,), db=db)
        bias, has_bias = optional(bias, g)
        sums = ReduceKernels(self._launcher)
        args = (g, saved, bias, has_bias, dx)
        sums.two_stages(f"{name}_backward_bias", g, g.size // max(columns, 1), columns, db, args, (float(alpha),))


class SoftmaxKernels:
    """Softmax along the last axis, and its logarithm. `out` may be any of the inputs."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def softmax(self, x: Array, out: Array) -> None:
        """exp(x) / sum(exp(x)) along the last axis."""
        self._forward("softmax", x, out)

    def log_softmax(self, x: Array, out: Array) -> None:
        """x - log(sum(exp(x))) along the last axis."""
        self._forward("log_softmax", x, out)

    def softmax_backward(self, g: Array, y: Array, out: Array) -> None:
        """y (g - sum(g y)) along the last axis, y = softmax(x)."""
        self._backward("softmax_backward", g, y, out)

    def log_softmax_backward(self, g: Array, y: Array, out: Array) -> None:
        """g - exp(y) sum(g) along the last axis, y = log_softmax(x)."""
        self._backward("log_softmax_backward", g, y, out)

    def _forward(self, name: str, x: Array, out: Array) -> None:
        rows, columns = _rows(name, x, x=x, out=out)
        self._launcher.rows(f"{name}_{suffix_of(x)}", rows, columns, x, out, rows, columns)

    def _backward(self, name: str, g: Array, y: Array, out: Array) -> None:
        rows, columns = _rows(name, g, g=g, y=y, out=out)
        self._launcher.rows(f"{name}_{suffix_of(g)}", rows, columns, g, y, out, rows, columns)


# ---------------------------------------------------------------------- checks
def _checked(op: str, name: str, x: Array, bias: Array | None, /, **arrays: Array) -> int:
    """The number of columns, once everything fits together."""
    if name not in ACTIVATIONS:
        raise ArgumentError(f"{op}: expected one of {', '.join(ACTIVATIONS)}, got {name!r}")
    check_dtype(op, next(iter(arrays)), x)
    check_arrays(op, x.dtype, x.shape, **arrays)
    columns: int = x.shape[-1] if x.shape else 1
    if bias is not None:
        check_arrays(op, x.dtype, (columns,), bias=bias)
    return columns


def _rows(name: str, x: Array, /, **arrays: Array) -> tuple[int, int]:
    op = f"{name} kernel"
    check_dtype(op, next(iter(arrays)), x)
    if not x.shape:
        raise ShapeError(f"{op}: expected at least one dimension, got shape ()")
    check_arrays(op, x.dtype, x.shape, **arrays)
    return math.prod(x.shape[:-1]), x.shape[-1]


# ---------------------------------------------------------------------- primitives
def _forward(name: str) -> Any:
    """The primitive act(x) by its kernel."""

    @or_composition(getattr(ActivationPrimitives, name))
    def primitive(self: CudaActivation, x: Array, alpha: float = 0.0, *, out: Array | None = None) -> Array | None:
        return self._activated(name, x, out, alpha)

    return primitive


def _backward(name: str) -> Any:
    """The primitive g act' by its kernel."""

    @or_composition(getattr(ActivationPrimitives, f"{name}_backward"))
    def primitive(
        self: CudaActivation, g: Array, saved: Array, alpha: float = 0.0, *, out: Array | None = None
    ) -> Array | None:
        return self._slope(name, g, saved, out, alpha)

    return primitive


class CudaActivation(KernelOverrides, LinearPrimitives):
    """Mixin of CudaBackend."""

    _activation: ActivationKernels
    _softmax: SoftmaxKernels

    relu, relu_backward = _forward("relu"), _backward("relu")
    leaky_relu, leaky_relu_backward = _forward("leaky_relu"), _backward("leaky_relu")
    sigmoid, sigmoid_backward = _forward("sigmoid"), _backward("sigmoid")
    tanh_backward = _backward("tanh")
    silu, silu_backward = _forward("silu"), _backward("silu")
    gelu, gelu_backward = _forward("gelu"), _backward("gelu")
    gelu_tanh, gelu_tanh_backward = _forward("gelu_tanh"), _backward("gelu_tanh")

    def _activated(self, name: str, x: Array, out: Array | None, alpha: float = 0.0) -> Array | None:
        """act(x) by the kernel, or None where it cannot take these arrays."""
        if not has_kernels(x.dtype):
            return None
        x = self._contiguous(x)
        if not suits(x, out):
            return None
        out = self._like(x, out)
        self._activation.forward(name, x, None, out, alpha=alpha)
        return out

    def _slope(self, name: str, g: Array, saved: Array, out: Array | None, alpha: float = 0.0) -> Array | None:
        if not has_kernels(g.dtype):
            return None
        g, saved = self._contiguous(g), self._contiguous(saved)
        if not suits(g, saved, out) or g.shape != saved.shape:
            return None
        out = self._like(g, out)
        self._activation.backward(name, g, saved, None, out, alpha=alpha)
        return out

    # ------------------------------------------------------------------ linear
    @without_gaps
    def linear_act(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        activation: str,
        negative_slope: float = 0.0,
        *,
        out: Array | None = None,
    ) -> Array:
        z = self.linear(x, weight, None, out=out)
        if not suits(z, bias):
            return self._act(z if bias is None else self.add(z, bias), activation, negative_slope, out)
        self._activation.forward(activation, z, bias, z, alpha=negative_slope)
        return z

    @or_composition(LinearPrimitives.act_backward_bias_grad)
    def act_backward_bias_grad(
        self,
        g: Array,
        y: Array,
        activation: str,
        negative_slope: float = 0.0,
        *,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array] | None:
        g, y = self._contiguous(g), self._contiguous(y)
        if not g.size or not suits(g, y, *(out or ())):
            return None
        dz, db = out or (self.empty(g.shape, g.dtype), self.empty(g.shape[-1:], g.dtype))
        self._activation.backward_bias(activation, g, y, None, dz, db, alpha=negative_slope)
        return dz, db

    # ------------------------------------------------------------------ softmax, along the last axis
    @or_composition(ActivationPrimitives.softmax)
    def softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array | None:
        return self._by_rows(self._softmax.softmax, x, None, axis, out)

    @or_composition(ActivationPrimitives.softmax_backward)
    def softmax_backward(self, g: Array, y: Array, *, axis: int | None, out: Array | None = None) -> Array | None:
        return self._by_rows(self._softmax.softmax_backward, g, y, axis, out)

    @or_composition(ActivationPrimitives.log_softmax)
    def log_softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array | None:
        return self._by_rows(self._softmax.log_softmax, x, None, axis, out)

    @or_composition(ActivationPrimitives.log_softmax_backward)
    def log_softmax_backward(self, g: Array, y: Array, *, axis: int | None, out: Array | None = None) -> Array | None:
        return self._by_rows(self._softmax.log_softmax_backward, g, y, axis, out)

    def _by_rows(self, kernel: Any, x: Array, y: Array | None, axis: int | None, out: Array | None) -> Array | None:
        if axis is None or not x.ndim or axis % x.ndim != x.ndim - 1:
            return None
        x = self._contiguous(x)
        y = None if y is None else self._contiguous(y)
        if not suits(x, y, out) or (y is not None and y.shape != x.shape):
            return None
        out = self._like(x, out)
        kernel(*(a for a in (x, y) if a is not None), out)
        return out
