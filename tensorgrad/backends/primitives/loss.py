"""Composite primitives of the losses: the softmax, its logarithm and the choice of a label's entry in one; the
cross-entropy of two classes."""

from __future__ import annotations

from tensorgrad.backends.primitives.activation import ActivationPrimitives
from tensorgrad.backends.primitives.basic import Array

__all__ = ["LossPrimitives"]


class LossPrimitives(ActivationPrimitives, composes=True):
    """Default compositions out of basic primitives. Logits are (rows, classes), labels (rows,) and in
    range."""

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        """(losses, probabilities): -log softmax(logits)[row, labels[row]] for each row, and
        softmax(logits)."""
        losses, probabilities = out or (None, None)
        if 0 in logits.shape:
            return self.sum(logits, axis=1, out=losses), self.copy(logits, out=probabilities)
        shifted = self.subtract(logits, self.max(logits, axis=1, keepdims=True))
        e = self.exp(shifted)
        total = self.sum(e, axis=1, keepdims=True)
        log_total = self.reshaped(self.log(total), labels.shape)
        losses = self.subtract(log_total, self.pick_labels(shifted, labels), out=losses)
        return losses, self.divide(e, total, out=probabilities)

    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array:
        """scale[row] * (probabilities - one-hot label), for each row's factor `scale` (rows, 1)."""
        one_hot = self.astype(self.one_hot_rows(labels, probabilities.shape[1]), probabilities.dtype)
        return self.multiply(self.subtract(probabilities, one_hot), scale, out=out)

    def bce_with_logits(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        """-(y log s + (1 - y) log(1 - s)) for s = sigmoid(x), elementwise.

        As max(x, 0) (1 - y) - min(x, 0) y + log1p(exp(-|x|)): for y in [0, 1] no term is negative, so nothing cancels.
        A factor of exactly 0 makes its term 0, whatever x: an infinite logit is right or wrong without doubt.
        """
        above = self.multiply_unless_zero(self.subtract(1, y), self.maximum(x, 0))
        below = self.multiply_unless_zero(y, self.minimum(x, 0))
        tail = self.log1p(self.exp(self.negative(self.absolute(x))))
        return self.add(self.subtract(above, below), tail, out=out)

    def bce_with_logits_backward(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        """The derivative by x, sigmoid(x) - y: (1 - y) - sigmoid(-x) where x is positive, so that it keeps its bits
        where the sigmoid rounds to 1."""
        positive = self.greater(x, 0)
        rest = self.sigmoid(self.where(positive, self.negative(x), x))
        above = self.subtract(self.subtract(1, y), rest)
        return self.where(positive, above, self.subtract(rest, y), out=out)

    def pick_labels(self, x: Array, labels: Array, *, out: Array | None = None) -> Array:
        """x[row, labels[row]] for each row: (rows,)."""
        rows, classes = x.shape
        starts = self.arange(0, rows * classes, max(classes, 1), labels.dtype)
        return self.take(self.reshaped(x, (rows * classes,)), self.add(labels, starts), 0, out=out)

    def one_hot_rows(self, labels: Array, classes: int, *, out: Array | None = None) -> Array:
        """bool (rows, classes): True at each row's label."""
        every = self.arange(0, classes, 1, labels.dtype)
        return self.equal(self.reshaped(labels, (labels.shape[0], 1)), every, out=out)
