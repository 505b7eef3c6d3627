"""The fused primitives of the CUDA backend: one kernel each where the arrays suit it, else the composition.

A kernel takes C-contiguous arrays of one floating dtype. Inputs that are not are made contiguous; an `out` that is
not, or a dtype without a kernel, goes the way of the composition. Random numbers and indices have no such way: there an
`out` that does not suit is an error.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.backends.checks import CheckPrimitives
from tensorgrad.backends.cuda_errors import DeferredErrors
from tensorgrad.backends.cuda_kernels import ActivationKernels, CheckKernels, RandomKernels, RowKernels, SumKernels
from tensorgrad.backends.cuda_launch import Launcher, has_kernels, suits
from tensorgrad.backends.cuda_optimizers import Arrays, NormKernels, OptimizerKernels, Tables
from tensorgrad.backends.fused import FusedPrimitives
from tensorgrad.backends.indexing import IndexingPrimitives
from tensorgrad.backends.optimizer_steps import OptimizerSteps
from tensorgrad.backends.philox import RandomPrimitives
from tensorgrad.backends.primitives import Array, Axis, Shape
from tensorgrad.dtypes import DType, int64, uint32, uint64
from tensorgrad.errors import BoundsError

__all__ = ["FusedKernels"]


class FusedKernels(FusedPrimitives, IndexingPrimitives, CheckPrimitives, OptimizerSteps, RandomPrimitives):
    """Mixin of CudaBackend, which calls `_start_kernels` when it is made."""

    def _start_kernels(self, launcher: Launcher) -> None:
        tables = Tables(launcher)
        self._activation = ActivationKernels(launcher)
        self._sums = SumKernels(launcher)
        self._rows = RowKernels(launcher)
        self._random = RandomKernels(launcher)
        self._norms = NormKernels(tables)
        self.errors = DeferredErrors(CheckKernels(launcher), self.full((8,), 0, int64))
        self._optimizers = OptimizerKernels(tables, self.errors.word)

    def _contiguous(self, x: Array) -> Array:
        return x if self.is_contiguous(x) else self.copy(x)

    def _like(self, x: Array, out: Array | None) -> Array:
        return self.empty(x.shape, x.dtype) if out is None else out

    # ------------------------------------------------------------------ activations
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

    def relu(self, x: Array, *, out: Array | None = None) -> Array:
        done = self._activated("relu", x, out)
        return super().relu(x, out=out) if done is None else done

    def relu_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        done = self._slope("relu", g, y, out)
        return super().relu_backward(g, y, out=out) if done is None else done

    def leaky_relu(self, x: Array, slope: float, *, out: Array | None = None) -> Array:
        done = self._activated("leaky_relu", x, out, slope)
        return super().leaky_relu(x, slope, out=out) if done is None else done

    def leaky_relu_backward(self, g: Array, x: Array, slope: float, *, out: Array | None = None) -> Array:
        done = self._slope("leaky_relu", g, x, out, slope)
        return super().leaky_relu_backward(g, x, slope, out=out) if done is None else done

    def tanh_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        done = self._slope("tanh", g, y, out)
        return super().tanh_backward(g, y, out=out) if done is None else done

    def sigmoid(self, x: Array, *, out: Array | None = None) -> Array:
        done = self._activated("sigmoid", x, out)
        return super().sigmoid(x, out=out) if done is None else done

    def sigmoid_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        done = self._slope("sigmoid", g, y, out)
        return super().sigmoid_backward(g, y, out=out) if done is None else done

    def silu(self, x: Array, *, out: Array | None = None) -> Array:
        done = self._activated("silu", x, out)
        return super().silu(x, out=out) if done is None else done

    def silu_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        done = self._slope("silu", g, x, out)
        return super().silu_backward(g, x, out=out) if done is None else done

    def gelu(self, x: Array, *, out: Array | None = None) -> Array:
        done = self._activated("gelu", x, out)
        return super().gelu(x, out=out) if done is None else done

    def gelu_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        done = self._slope("gelu", g, x, out)
        return super().gelu_backward(g, x, out=out) if done is None else done

    def gelu_tanh(self, x: Array, *, out: Array | None = None) -> Array:
        done = self._activated("gelu_tanh", x, out)
        return super().gelu_tanh(x, out=out) if done is None else done

    def gelu_tanh_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        done = self._slope("gelu_tanh", g, x, out)
        return super().gelu_tanh_backward(g, x, out=out) if done is None else done

    # ------------------------------------------------------------------ linear
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

    def act_backward_bias_grad(
        self,
        g: Array,
        y: Array,
        activation: str,
        negative_slope: float = 0.0,
        *,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array]:
        g, y = self._contiguous(g), self._contiguous(y)
        if not g.size or not suits(g, y, *(out or ())):
            return super().act_backward_bias_grad(g, y, activation, negative_slope, out=out)
        dz, db = out or (self.empty(g.shape, g.dtype), self.empty(g.shape[-1:], g.dtype))
        self._activation.backward_bias(activation, g, y, None, dz, db, alpha=negative_slope)
        return dz, db

    def _column_sums(self, x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array | None:
        """The sum over leading axes by the kernel for the columns of a matrix, or None where it cannot do it."""
        axes = (axis,) if isinstance(axis, int) else axis
        if not axes or axes != tuple(range(len(axes))) or not x.size or not suits(x, out):
            return None
        left = x.shape[len(axes) :]
        columns = math.prod(left)
        if columns == 1:
            return None  # one sum over everything, for which the kernel has too few threads
        shape = (1,) * len(axes) + left if keepdims else left
        out = self.empty(shape, x.dtype) if out is None else out
        self._sums.column_sums(self.reshape(x, (x.size // columns, columns)), self.reshape(out, (columns,)))
        return out

    # ------------------------------------------------------------------ rows
    def softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array:
        done = self._by_rows(self._rows.softmax, x, None, axis, out)
        return super().softmax(x, axis=axis, out=out) if done is None else done

    def softmax_backward(self, g: Array, y: Array, *, axis: int | None, out: Array | None = None) -> Array:
        done = self._by_rows(self._rows.softmax_backward, g, y, axis, out)
        return super().softmax_backward(g, y, axis=axis, out=out) if done is None else done

    def log_softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array:
        done = self._by_rows(self._rows.log_softmax, x, None, axis, out)
        return super().log_softmax(x, axis=axis, out=out) if done is None else done

    def log_softmax_backward(self, g: Array, y: Array, *, axis: int | None, out: Array | None = None) -> Array:
        done = self._by_rows(self._rows.log_softmax_backward, g, y, axis, out)
        return super().log_softmax_backward(g, y, axis=axis, out=out) if done is None else done

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

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        logits, labels = self._contiguous(logits), self._contiguous(labels)
        losses, probabilities = out or (None, None)
        if 0 in logits.shape or labels.dtype != int64 or not suits(logits, losses, probabilities):
            return super().softmax_cross_entropy(logits, labels, out=out)
        if losses is None or probabilities is None:
            losses, probabilities = self.empty(labels.shape, logits.dtype), self.empty(logits.shape, logits.dtype)
        self._rows.cross_entropy(logits, labels, losses, probabilities)
        return losses, probabilities

    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array:
        scale, labels = self._contiguous(scale), self._contiguous(labels)
        if 0 in probabilities.shape or labels.dtype != int64 or not suits(probabilities, scale, out):
            return super().softmax_cross_entropy_backward(scale, probabilities, labels, out=out)
        out = self._like(probabilities, out)
        self._rows.cross_entropy_backward(scale, probabilities, labels, out)
        return out

    # ------------------------------------------------------------------ random numbers
    def random_bits(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        out = self.empty((count,), uint32) if out is None else out
        self._random.bits(key, out)
        return out

    def random_words64(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        out = self.empty((count,), uint64) if out is None else out
        self._random.words64(key, out)
        return out

    def random_integers(self, key: Array, shape: Shape, low: int, high: int, *, out: Array | None = None) -> Array:
        out = self.empty(shape, int64) if out is None else out
        self._random.integers(key, out, low, high)
        return out

    def random_uniform(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        out = self.empty(shape, dtype) if out is None else out
        self._random.uniform(key, out)
        return out

    def random_normal(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        out = self.empty(shape, dtype) if out is None else out
        self._random.normal(key, out)
        return out

    def random_bernoulli(self, key: Array, shape: Shape, p: float, dtype: DType, *, out: Array | None = None) -> Array:
        out = self.empty(shape, dtype) if out is None else out
        if not suits(out):
            return super().random_bernoulli(key, shape, p, dtype, out=out)
        self._random.bernoulli(key, out, p)
        return out

    def dropout(self, x: Array, key: Array, p: float, *, out: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        x = self._contiguous(x)
        if not suits(x, *(out or ())) or not 0 <= p < 1:
            return super().dropout(x, key, p, out=out)
        result, mask = out or (self.empty(x.shape, x.dtype), self.empty(x.shape, x.dtype))
        self._random.dropout(x, key, p, result, mask)
        return result, mask

    # ------------------------------------------------------------------ indices
    def check_bounds(self, indices: Array, low: int, high: int, *, what: str) -> None:
        """The device notes an index outside; the host raises when it next waits, or at once where none can be right."""
        if indices.size:
            _refuse_all(low, high, what)
            self.errors.check_bounds(self._contiguous(indices), low, high, what)

    def wrap_indices(self, indices: Array, size: int, *, what: str, out: Array | None = None) -> Array:
        indices = self._contiguous(indices)
        out = self._like(indices, out)
        if indices.size:
            _refuse_all(-size, size, what)
            self.errors.wrap_indices(indices, out, size, what)
        return out

    # ------------------------------------------------------------------ numbers
    def check_range(self, x: Array, low: float, high: float, *, what: str, hint: str = "") -> None:
        """The device notes an element outside; the host raises when it next waits. So does `check_finite`."""
        self.errors.check_range(self._contiguous(x), low, high, what, hint)

    def check_finite(self, x: Array, *, what: str, hint: str = "") -> None:
        self.errors.check_finite(self._contiguous(x), what, hint)

    # ------------------------------------------------------------------ optimizers
    def sgd_step(self, params: Arrays, grads: Arrays, momenta: Any, lr: Array, step: Array, **options: Any) -> None:
        kernel, composition = self._optimizers.sgd_step, super().sgd_step
        self._step(kernel, composition, (params, grads, momenta), lr, step, options)

    def adam_step(
        self, params: Arrays, grads: Arrays, exp_avgs: Arrays, exp_avg_sqs: Arrays, max_exp_avg_sqs: Any, lr: Array,
        step: Array, **options: Any,
    ) -> None:  # fmt: skip
        columns = (params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)
        self._step(self._optimizers.adam_step, super().adam_step, columns, lr, step, options)

    def rmsprop_step(
        self, params: Arrays, grads: Arrays, square_avgs: Arrays, grad_avgs: Any, momenta: Any, lr: Array, step: Array,
        **options: Any,
    ) -> None:  # fmt: skip
        columns = (params, grads, square_avgs, grad_avgs, momenta)
        self._step(self._optimizers.rmsprop_step, super().rmsprop_step, columns, lr, step, options)

    def adagrad_step(self, params: Arrays, grads: Arrays, sums: Arrays, lr: Array, step: Array, **options: Any) -> None:
        kernel, composition = self._optimizers.adagrad_step, super().adagrad_step
        self._step(kernel, composition, (params, grads, sums), lr, step, options)

    def _step(
        self, kernel: Any, composition: Any, columns: tuple[Any, ...], lr: Array, step: Array, options: dict[str, Any]
    ) -> None:
        """Nothing is changed from the failure of a check until its error is raised: the kernel sees to that itself."""
        if suits(*[x for column in columns if column is not None for x in column]):
            kernel(*columns, lr, step, **options)
            self.errors.look_at_the_next_wait()
        else:
            self.errors.raise_pending(always=True)
            composition(*columns, lr, step, **options)

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        if not all(suits(g) for g in grads):
            return super().total_norm(grads, norm_type, out=out)
        norm = self._norms.total_norm(grads, norm_type)
        if out is None:
            return norm
        self.copyto(out, norm)
        return out

    def clip_grads_by_norm(
        self,
        grads: Arrays,
        max_norm: float,
        norm_type: float,
        *,
        if_finite: bool = False,
        out: Array | None = None,
    ) -> Array:
        if not all(suits(g) for g in grads):
            return super().clip_grads_by_norm(grads, max_norm, norm_type, if_finite=if_finite, out=out)
        norm = self._norms.clip_grads_by_norm(grads, max_norm, norm_type, if_finite=if_finite)
        if out is None:
            return norm
        self.copyto(out, norm)
        return out

    def clip_grads_by_value(self, grads: Arrays, limit: float) -> None:
        if all(suits(g) for g in grads):
            self._norms.clip_grads_by_value(grads, limit)
        else:
            super().clip_grads_by_value(grads, limit)


def _refuse_all(low: int, high: int, what: str) -> None:
    """BoundsError where nothing lies in [low, high): going on with an index into nothing would lose the device."""
    if low >= high:
        raise BoundsError(f"{what} must be in [{low}, {high}), so there can be none")
