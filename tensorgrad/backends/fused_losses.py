"""Fused primitives of the losses: the softmax, its logarithm and the choice of a label's entry in one."""

from __future__ import annotations

from tensorgrad.backends.primitives import Array, Primitives

__all__ = ["LossPrimitives"]


class LossPrimitives(Primitives):
    """Default compositions out of basic primitives. Logits are (rows, classes), labels (rows,) and in range."""

    def softmax_cross_entropy(self, logits: Array, labels: Array) -> tuple[Array, Array]:
        """(losses, probabilities): -log softmax(logits)[row, labels[row]] for each row, and softmax(logits)."""
        if 0 in logits.shape:
            return self.sum(logits, axis=1), self.copy(logits)
        shifted = self.subtract(logits, self.max(logits, axis=1, keepdims=True))
        e = self.exp(shifted)
        total = self.sum(e, axis=1, keepdims=True)
        losses = self.subtract(self.log(total), self.pick_labels(shifted, labels))
        return self.reshape(losses, labels.shape), self.divide(e, total)

    def softmax_cross_entropy_backward(self, scale: Array, probabilities: Array, labels: Array) -> Array:
        """scale[row] * (probabilities - one-hot label), for each row's factor `scale` (rows, 1)."""
        return self.multiply(self.subtract(probabilities, self.one_hot_rows(labels, probabilities.shape[1])), scale)

    def pick_labels(self, x: Array, labels: Array) -> Array:
        """x[row, labels[row]] as a column (rows, 1)."""
        return self.take_along_axis(x, self.reshape(labels, (labels.shape[0], 1)), 1)

    def one_hot_rows(self, labels: Array, classes: int) -> Array:
        """bool (rows, classes): True at each row's label."""
        return self.equal(self.reshape(labels, (labels.shape[0], 1)), self.arange(0, classes, 1, labels.dtype))
