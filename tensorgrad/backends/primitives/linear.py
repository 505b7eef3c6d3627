"""Composite primitives of the linear layer, alone and with the activation after it."""

from __future__ import annotations

import math

from tensorgrad.backends.primitives.activation import ActivationPrimitives
from tensorgrad.backends.primitives.basic import Array, delivered

__all__ = ["ACTIVATIONS_OF_RESULT", "LinearPrimitives"]

# The activations whose slope can be told from their result (leaky_relu's where its own slope is not negative): what
# they are given need not be kept, and may be overwritten.
ACTIVATIONS_OF_RESULT = ("relu", "leaky_relu", "sigmoid", "tanh")


class LinearPrimitives(ActivationPrimitives, composes=True):
    """Default compositions out of basic primitives."""

    def linear(self, x: Array, weight: Array, bias: Array | None, *, out: Array | None = None) -> Array:
        """x @ weight.T + bias: x (..., in), weight (out, in), bias (out,) or None; result (..., out)."""
        if x.ndim > 2:  # one product of all rows, not one for each matrix
            rows = self.linear(self.reshaped(x, (math.prod(x.shape[:-1]), x.shape[-1])), weight, bias)
            return delivered(self, self.reshaped(rows, (*x.shape[:-1], weight.shape[0])), out)
        product = self.matmul(x, self.transpose(weight), out=out)
        return product if bias is None else self.add(product, bias, out=out)

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
        """act(linear(x, weight, bias)), for one of ACTIVATIONS_OF_RESULT; `negative_slope` is leaky_relu's."""
        return self._act(self.linear(x, weight, bias), activation, negative_slope, out)

    def act_backward(
        self, g: Array, y: Array, activation: str, negative_slope: float = 0.0, *, out: Array | None = None
    ) -> Array:
        """g act'(x), for y = act(x) and one of ACTIVATIONS_OF_RESULT; `negative_slope` is leaky_relu's."""
        if activation == "leaky_relu":
            return self.leaky_relu_backward(g, y, negative_slope, out=out)
        gradient: Array = getattr(self, f"{activation}_backward")(g, y, out=out)
        return gradient

    def act_backward_bias_grad(
        self,
        g: Array,
        y: Array,
        activation: str,
        negative_slope: float = 0.0,
        *,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array]:
        """(dz, its sum over the rows), for dz = g act'(z) and y = act(z), all (rows, columns)."""
        dz, db = out or (None, None)
        dz = self.act_backward(g, y, activation, negative_slope, out=dz)
        return dz, self.sum(dz, axis=0, out=db)

    # ------------------------------------------------------------------ pieces
    def _act(self, x: Array, activation: str, negative_slope: float, out: Array | None) -> Array:
        if activation == "leaky_relu":
            return self.leaky_relu(x, negative_slope, out=out)
        result: Array = getattr(self, activation)(x, out=out)
        return result
