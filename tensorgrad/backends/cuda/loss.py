"""Losses: their kernels' launches, and their primitives (see `activation.py` for what both ask of arrays)."""

from __future__ import annotations

from tensorgrad.backends.cuda.launch import Launcher, check_arrays, check_dtype, matrix, suffix_of, suits
from tensorgrad.backends.cuda.override import KernelOverrides, or_composition
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.dtypes import int64
from tensorgrad.errors import ShapeError

__all__ = ["CudaLoss", "LossKernels"]


class LossKernels:
    """The cross-entropy of labels. `out` may be any of the inputs of its shape."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def cross_entropy(self, logits: Array, labels: Array, losses: Array, probabilities: Array) -> None:
        """losses (rows,) and probabilities of logits (rows, columns), for int64 labels (rows,); nan for a label out of
        range."""
        name = "softmax_cross_entropy"
        rows, columns = self._loss_shapes(name, logits, labels, losses, probabilities)
        args = (logits, labels, losses, probabilities, rows, columns)
        self._launcher.rows(f"{name}_{suffix_of(logits)}", rows, columns, *args)

    def cross_entropy_backward(self, scale: Array, probabilities: Array, labels: Array, out: Array) -> None:
        """out = scale (probabilities - one-hot label), for a `scale` of each row (rows elements) or of all (one)."""
        name = "softmax_cross_entropy_backward"
        rows, columns = self._loss_shapes(name, probabilities, labels, None, out)
        stride = _scale_stride(name, probabilities, scale, rows)
        args = (scale, stride, probabilities, labels, out, rows, columns)
        self._launcher.rows(f"{name}_{suffix_of(out)}", rows, columns, *args)

    def _loss_shapes(self, name: str, x: Array, labels: Array, losses: Array | None, out: Array) -> tuple[int, int]:
        op = f"{name} kernel"
        check_dtype(op, "the rows", x)
        rows, columns = matrix(op, x)
        check_arrays(op, x.dtype, x.shape, x=x, out=out)
        check_arrays(op, int64, (rows,), labels=labels)
        if losses is not None:
            check_arrays(op, x.dtype, (rows,), losses=losses)
        return rows, columns


def _scale_stride(name: str, x: Array, scale: Array, rows: int) -> int:
    check_arrays(f"{name} kernel", x.dtype, None, scale=scale)
    if scale.size not in (1, rows):
        raise ShapeError(f"{name} kernel: scale must have one element or {rows}, got shape {scale.shape}")
    return 0 if scale.size == 1 else 1


class CudaLoss(KernelOverrides, LossPrimitives):
    """Mixin of CudaBackend."""

    _loss: LossKernels

    @or_composition(LossPrimitives.softmax_cross_entropy)
    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array] | None:
        logits, labels = self._contiguous(logits), self._contiguous(labels)
        losses, probabilities = out or (None, None)
        if 0 in logits.shape or labels.dtype != int64 or not suits(logits, losses, probabilities):
            return None
        if losses is None or probabilities is None:
            losses, probabilities = self.empty(labels.shape, logits.dtype), self.empty(logits.shape, logits.dtype)
        self._loss.cross_entropy(logits, labels, losses, probabilities)
        return losses, probabilities

    @or_composition(LossPrimitives.softmax_cross_entropy_backward)
    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array | None:
        scale, labels = self._contiguous(scale), self._contiguous(labels)
        if 0 in probabilities.shape or labels.dtype != int64 or not suits(probabilities, scale, out):
            return None
        out = self._like(probabilities, out)
        self._loss.cross_entropy_backward(scale, probabilities, labels, out)
        return out
