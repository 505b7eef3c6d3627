"""Composite primitives of the activations and of softmax, with the gradients a device may make in one pass.

`g` is the gradient of the result. Nothing here may overflow into nan: exponents are negative, also in the compositions
that the tape differentiates again. Float16 is computed in float32 throughout (`half.py`).
"""

from __future__ import annotations

import math

from tensorgrad.backends.primitives.basic import Array, Primitives

__all__ = ["TANH_CUBE", "TANH_SCALE", "ActivationPrimitives"]

_SQRT_HALF = math.sqrt(0.5)
_DENSITY_AT_ZERO = 1 / math.sqrt(2 * math.pi)
_NO_DENSITY = 40  # from here on it, and the distribution of the negative, are 0 in every dtype
# tanh(k (x + c x^3)) is within 1e-3 of erf(x / sqrt(2)): D. Hendrycks & K. Gimpel, "Gaussian error linear
# units", 2016.
TANH_SCALE = math.sqrt(2 / math.pi)
TANH_CUBE = 0.044715


class ActivationPrimitives(Primitives, composes=True):
    """Default compositions out of basic primitives."""

    def relu(self, x: Array, *, out: Array | None = None) -> Array:
        """max(x, 0)."""
        return self.maximum(x, 0, out=out)

    def relu_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        """0 where y <= 0, whatever g, else g, also where y is nan; y is the result of relu (or its input)."""
        return self.where(self.less_equal(y, 0), self.full((), 0, g.dtype), g, out=out)

    def leaky_relu(self, x: Array, slope: float, *, out: Array | None = None) -> Array:
        """x where x > 0, else slope x."""
        return self.where(self.greater(x, 0), x, self.multiply(x, slope), out=out)

    def leaky_relu_backward(self, g: Array, x: Array, slope: float, *, out: Array | None = None) -> Array:
        """g where x > 0, else slope g; the result of leaky_relu serves for x where slope >= 0."""
        return self.where(self.greater(x, 0), g, self.multiply(g, slope), out=out)

    def tanh_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        """g (1 - y^2), for y = tanh(x)."""
        return self.multiply(g, self.subtract(1, self.square(y)), out=out)

    def sigmoid(self, x: Array, *, out: Array | None = None) -> Array:
        """1 / (1 + exp(-x)), as exp(x) / (1 + exp(x)) where x is not positive."""
        positive = self.greater(x, 0)
        e = self.exp(self.where(positive, self.negative(x), x))  # not -|x|, whose slope at 0 would be taken for 0
        above = self.where(positive, self.full((), 1, x.dtype), e)
        return self.divide(above, self.add(e, 1), out=out)

    def sigmoid_backward(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        """g y (1 - y), for y = sigmoid(x)."""
        return self.multiply(self.multiply(g, y), self.subtract(1, y), out=out)

    def silu(self, x: Array, *, out: Array | None = None) -> Array:
        """x sigmoid(x). S. Elfwing, E. Uchibe, K. Doya, 2017."""
        return self.multiply(x, self.sigmoid(x), out=out)

    def silu_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        """g s (1 + x (1 - s)), for s = sigmoid(x)."""
        s = self.sigmoid(x)
        slope = self.multiply(s, self.add(self.multiply(x, self.subtract(1, s)), 1))
        return self.multiply(g, slope, out=out)

    def softplus(self, x: Array, *, out: Array | None = None) -> Array:
        """log(1 + exp(x)), as max(x, 0) + log1p(exp(-|x|))."""
        tail = self.log1p(self.exp(self.negative(self.absolute(x))))
        return self.add(self.maximum(x, 0), tail, out=out)

    def elu(self, x: Array, alpha: float, *, out: Array | None = None) -> Array:
        """x where x > 0, else alpha (exp(x) - 1). D. Clevert, T. Unterthiner, S. Hochreiter, 2015."""
        below = self.multiply(self.expm1(self.minimum(x, 0)), alpha)
        return self.where(self.greater(x, 0), x, below, out=out)

    def elu_backward(self, g: Array, x: Array, alpha: float, *, out: Array | None = None) -> Array:
        """g where x > 0, else g alpha exp(x)."""
        below = self.multiply(g, self.multiply(self.exp(self.minimum(x, 0)), alpha))
        return self.where(self.greater(x, 0), g, below, out=out)

    def gelu(self, x: Array, *, out: Array | None = None) -> Array:
        """x P(x), for the normal distribution P(x) = (1 + erf(x / sqrt(2))) / 2."""
        return self.multiply(self.maximum(x, -_NO_DENSITY), self._normal_distribution(x), out=out)

    def gelu_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        """g (P(x) + x p(x)), for the normal density p."""
        near = self.maximum(self.minimum(x, _NO_DENSITY), -_NO_DENSITY)
        density = self.multiply(self.exp(self.multiply(self.square(near), -0.5)), _DENSITY_AT_ZERO)
        slope = self.add(self._normal_distribution(x), self.multiply(near, density))
        return self.multiply(g, slope, out=out)

    def gelu_tanh(self, x: Array, *, out: Array | None = None) -> Array:
        """x (1 + tanh(u)) / 2 = x sigmoid(2 u), for u = sqrt(2 / pi) (x + 0.044715 x^3)."""
        return self.multiply(x, self.sigmoid(self._gelu_argument(x)), out=out)

    def gelu_tanh_backward(self, g: Array, x: Array, *, out: Array | None = None) -> Array:
        """g s (1 + x (1 - s) 2 u'), for s = sigmoid(2 u)."""
        x = self.maximum(self.minimum(x, 30), -30)  # s is 0 or 1 beyond, and x^2 must not become inf
        s = self.sigmoid(self._gelu_argument(x))
        slope = self.multiply(self.add(self.multiply(self.square(x), 3 * TANH_CUBE), 1), 2 * TANH_SCALE)
        bend = self.multiply(self.multiply(x, self.subtract(1, s)), slope)
        return self.multiply(g, self.multiply(s, self.add(bend, 1)), out=out)

    def softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array:
        """exp(x) / sum(exp(x)) along `axis`, with the greatest element drawn out. A row of -inf only is
        nan."""
        if 0 in x.shape:
            return self.copy(x, out=out)
        e = self.exp(self.subtract(x, self.max(x, axis=axis, keepdims=True)))
        return self.divide(e, self.sum(e, axis=axis, keepdims=True), out=out)

    def softmax_backward(self, g: Array, y: Array, *, axis: int | None, out: Array | None = None) -> Array:
        """y (g - sum(g y)), for y = softmax(x)."""
        mean = self.sum(self.multiply(g, y), axis=axis, keepdims=True)
        return self.multiply(y, self.subtract(g, mean), out=out)

    def log_softmax(self, x: Array, *, axis: int | None, out: Array | None = None) -> Array:
        """x - log(sum(exp(x))) along `axis`, with the greatest element drawn out."""
        if 0 in x.shape:
            return self.copy(x, out=out)
        shifted = self.subtract(x, self.max(x, axis=axis, keepdims=True))
        total = self.log(self.sum(self.exp(shifted), axis=axis, keepdims=True))
        return self.subtract(shifted, total, out=out)

    def log_softmax_backward(self, g: Array, y: Array, *, axis: int | None, out: Array | None = None) -> Array:
        """g - exp(y) sum(g), for y = log_softmax(x)."""
        total = self.sum(g, axis=axis, keepdims=True)
        return self.subtract(g, self.multiply(self.exp(y), total), out=out)

    # ------------------------------------------------------------------ slopes that may be infinite
    # A gradient of exactly 0 comes from a value that was not chosen: `where(x > 0, sqrt(x), 0)` at 0. Times the
    # infinite slope there it would be nan. The tape runs these as ops (`ops/guarded.py`), so a second derivative at
    # g = 0 is that of the product.
    def multiply_unless_zero(self, g: Array, slope: Array, *, out: Array | None = None) -> Array:
        """g * slope, but 0 where g is 0, whatever the slope; they broadcast."""
        return self._unless_zero(g, self.multiply(g, slope), out)

    def divide_unless_zero(self, g: Array, y: Array, *, out: Array | None = None) -> Array:
        """g / y, but 0 where g is 0, whatever y; they broadcast."""
        return self._unless_zero(g, self.divide(g, y), out)

    def multiply_both_unless_zero(self, g: Array, a: Array, b: Array, *, out: Array | None = None) -> Array:
        """(g * a) * b, but 0 where g is 0, whatever a and b, which broadcast to the shape of g.

        For a slope that is a product: a * b may overflow where the result does not.
        """
        return self._unless_zero(g, self.multiply(self.multiply(g, a), b), out)

    def divide_backward(self, g: Array, x: Array, y: Array, *, out: Array | None = None) -> Array:
        """-g x / y^2, the gradient of x / y by y, but 0 where g is 0, whatever x and y, which broadcast to its shape.

        As the numerator's gradient, g / y, times the quotient: both fit, x / y^2 need not.
        """
        return self.multiply_both_unless_zero(g, self.divide(-1, y), self.divide(x, y), out=out)

    # ------------------------------------------------------------------ pieces
    def _unless_zero(self, g: Array, product: Array, out: Array | None) -> Array:
        return self.where(self.equal(g, 0), self.full((), 0, g.dtype), product, out=out)

    def _normal_distribution(self, x: Array) -> Array:
        return self.multiply(self.add(self.erf(self.multiply(x, _SQRT_HALF)), 1), 0.5)

    def _gelu_argument(self, x: Array) -> Array:
        """2 u of `gelu_tanh`."""
        cubic = self.add(self.multiply(self.square(x), TANH_CUBE), 1)
        return self.multiply(self.multiply(x, 2 * TANH_SCALE), cubic)
