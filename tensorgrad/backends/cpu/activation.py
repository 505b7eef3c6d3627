"""Activations, and gradients through slopes that may be infinite, on NumPy arrays.

The smooth ones are computed in one array, or two, where their compositions would make one at each step.
"""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu.normal import gelu, gelu_backward
from tensorgrad.backends.cpu.results import boxed, into
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.activation import TANH_CUBE, TANH_SCALE, ActivationPrimitives
from tensorgrad.dtypes import FLOATS, HALF, bool_

__all__ = ["INTEGERS", "MANY", "CpuActivation"]

MANY = 1024  # from here on selecting by bits is faster than `where`
# NumPy takes up an array faster than a number.
_ZERO, _ONE, _MINUS_ONE = ({dtype: np.array(v, dtype) for dtype in FLOATS} for v in (0, 1, -1))
_TWICE_SCALE, _MINUS_TWICE_CUBE = (
    {dtype: np.array(v, dtype) for dtype in FLOATS} for v in (2 * TANH_SCALE, -2 * TANH_SCALE * TANH_CUBE)
)
INTEGERS = {2: np.int16, 4: np.int32, 8: np.int64}


class CpuActivation(ActivationPrimitives):
    """Mixin of `CpuBackend`. That exp overflows far below 0 is meant: divided by infinity, the rest is 0.

    Where slopes may be infinite, the usual case, in which there is nothing to mend, is told by one look for a nan: the
    sum of the squares, which no infinity can cancel, is nan where an element is, and only then unequal to itself.
    """

    # ------------------------------------------------------------------ smooth
    def sigmoid(self, x: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return super().sigmoid(x, out=out)
        e = self._one_and_exp_of_minus(x, self._room(out))
        return _delivered(np.reciprocal(e, e), out)

    def silu(self, x: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return super().silu(x, out=out)
        e = self._one_and_exp_of_minus(x, self._room(out, x))
        return _delivered(np.divide(x, e, e), out)

    def silu_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return super().silu_backward(g, x, out=out)
        one = _ONE[x.dtype]
        s = self._one_and_exp_of_minus(x, self._room(out, g, x))
        np.reciprocal(s, s)
        bend = boxed(np.subtract(one, s, self._spare(out)))
        np.multiply(bend, x, bend)
        np.add(bend, one, bend)
        np.multiply(s, bend, s)
        return _delivered(np.multiply(s, g, s), out)

    def tanh_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        if out is not None or y.dtype.char == HALF:
            return super().tanh_backward(g, y, out=out)
        slope = boxed(np.square(y))
        np.subtract(_ONE[y.dtype], slope, slope)
        return boxed(np.multiply(g, slope, slope if slope.shape == g.shape else None))

    def softplus(self, x: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return super().softplus(x, out=out)
        tail = boxed(np.absolute(x, self._room(out, x)))
        np.multiply(tail, _MINUS_ONE[x.dtype], tail)
        np.exp(tail, tail)
        np.log1p(tail, tail)
        return _delivered(np.add(tail, np.maximum(x, _ZERO[x.dtype], out=self._spare(out)), tail), out)

    def gelu(self, x: Array, *, out: Array | None = None) -> Array:
        return super().gelu(x, out=out) if x.dtype.char == HALF else gelu(self, x, out)

    def gelu_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        return super().gelu_backward(g, x, out=out) if x.dtype.char == HALF else gelu_backward(self, g, x, out)

    def gelu_tanh(self, x: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return super().gelu_tanh(x, out=out)
        e = boxed(np.multiply(x, x, self._room(out, x)))
        np.multiply(e, _MINUS_TWICE_CUBE[x.dtype], e)
        np.subtract(e, _TWICE_SCALE[x.dtype], e)
        np.multiply(e, x, e)
        np.exp(e, e)
        np.add(e, _ONE[x.dtype], e)
        return _delivered(np.divide(x, e, e), out)

    # ------------------------------------------------------------------ the same steps as the compositions
    def leaky_relu(self, x: Array, slope: float, *, out: Array | None = None) -> Array:
        if out is not None or x.dtype.char == HALF:
            return super().leaky_relu(x, slope, out=out)
        return np.where(np.greater(x, _ZERO[x.dtype]), x, np.multiply(x, slope))

    def elu(self, x: Array, alpha: float, *, out: Array | None = None) -> Array:
        if out is not None or x.dtype.char == HALF:
            return super().elu(x, alpha, out=out)
        zero = _ZERO[x.dtype]
        below = boxed(np.minimum(x, zero))
        np.multiply(np.expm1(below, below), alpha, below)
        return np.where(np.greater(x, zero), x, below)

    def softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array:
        if out is not None or x.dtype.char == HALF or not x.size:
            return super().softmax(x, axis=axis, out=out)
        e = boxed(np.subtract(x, self.max(x, axis=axis, keepdims=True)))
        np.exp(e, e)
        return np.divide(e, self.sum(e, axis=axis, keepdims=True), e)

    def log_softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array:
        if out is not None or x.dtype.char == HALF or not x.size:
            return super().log_softmax(x, axis=axis, out=out)
        shifted = boxed(np.subtract(x, self.max(x, axis=axis, keepdims=True)))
        total = self.sum(boxed(np.exp(shifted)), axis=axis, keepdims=True)
        return np.subtract(shifted, np.log(total, total), shifted)

    def _one_and_exp_of_minus(self, x: Array, room: Array | None) -> Array:
        e = boxed(np.multiply(x, _MINUS_ONE[x.dtype], room))  # np.negative: see elementwise.py
        np.exp(e, e)
        return np.add(e, _ONE[x.dtype], e)

    def _room(self, out: Array | None, *inputs: Array) -> Array | None:
        """Where to compute: in `out`, unless it has gaps or shares memory with what is read again after the first step.
        None: NumPy makes the array."""
        if out is None or (out.flags.c_contiguous and not any(np.may_share_memory(out, x) for x in inputs)):
            return out
        return self.scratch(out.shape, out.dtype)

    def _spare(self, out: Array | None) -> Array | None:
        return None if out is None else self.scratch(out.shape, out.dtype)

    # ------------------------------------------------------------------ slopes that may be infinite
    def multiply_unless_zero(self, g: Array, slope: Array, *, out: Array | None = None) -> Array:
        product = boxed(np.multiply(g, slope, self._apart(out, g, slope)))
        total = np.vdot(product, product)
        if total != total:
            self._clear(product, g)
        return product if out is None or product is out else into(out, product)

    def divide_unless_zero(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        quotient = boxed(np.divide(g, y, self._apart(out, g, y)))
        total = np.vdot(quotient, quotient)
        if total != total:
            self._clear(quotient, g)
        return quotient if out is None or quotient is out else into(out, quotient)

    def multiply_both_unless_zero(self, g: Array, a: Array, b: Array, *, out: Array | None = None) -> Array:
        if g.dtype.char == HALF:
            return super().multiply_both_unless_zero(g, a, b, out=out)
        product = boxed(np.multiply(g, a, self._apart(out, g, a, b)))
        np.multiply(product, b, product)
        total = np.vdot(product, product)
        if total != total:
            self._clear(product, g)
        return product if out is None or product is out else into(out, product)

    def divide_backward(self, g: Array, x: Array, y: Array, *, out: Array | None = None) -> Array:
        """With one array less than the composition: so many large ones at a time, and malloc gives their memory back to
        the system, to ask for it again at the next call."""
        if out is not None or g.dtype.char == HALF:
            return super().divide_backward(g, x, y, out=out)
        rest = boxed(np.divide(_MINUS_ONE[y.dtype], y))
        product = boxed(np.multiply(g, rest, rest if rest.shape == g.shape else None))
        np.multiply(product, np.divide(x, y), product)
        total = np.vdot(product, product)
        if total != total:
            self._clear(product, g)
        return product

    def _clear(self, result: Array, g: Array) -> None:
        """0 in `result` where g, which broadcasts, is 0."""
        np.copyto(result, 0, where=np.equal(g, 0, self.scratch(g.shape, bool_)))

    def _apart(self, out: Array | None, *inputs: Array) -> Array | None:
        """`out`, or scratch for it where it shares memory with what is read again after it was written."""
        if out is None or not any(np.may_share_memory(out, x) for x in inputs):
            return out
        return self.scratch(out.shape, out.dtype)

    # ------------------------------------------------------------------ relu
    @staticmethod
    def relu(x: Array, *, out: Array | None = None) -> Array:
        zero = _ZERO.get(x.dtype, 0)
        return boxed(np.maximum(x, zero)) if out is None else np.maximum(x, zero, out=out)

    def relu_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        zero = _ZERO[g.dtype]
        if out is None and g.size <= MANY:
            return np.where(np.less_equal(y, zero), zero, g)
        dropped = np.less_equal(y, zero, None if out is None else self.scratch(y.shape, bool_))
        if g.size > MANY and (out is None or _alike(g, out)):
            return _without(g, dropped, out)
        return self.where(dropped, zero, g, out=out)


def _delivered(result: Array, out: Array | None) -> Array:
    return result if out is None or result is out else into(out, result)


def _alike(g: Array, out: Array) -> bool:
    """Whether both can be looked at as integers of their size, an element each."""
    return bool(out.dtype == g.dtype and out.shape == g.shape)


def _without(g: Array, dropped: Array, out: Array | None) -> Array:
    """0 where dropped, else g, by its bits: ten times as fast as `where`, and right for a g that is not finite."""
    mask = dropped.view(np.int8)
    np.subtract(mask, 1, mask)  # all zeros or all ones
    integers = INTEGERS[g.dtype.itemsize]
    if out is None:
        return np.bitwise_and(g.view(integers), mask).view(g.dtype)
    np.bitwise_and(g.view(integers), mask, out.view(integers))
    return out
