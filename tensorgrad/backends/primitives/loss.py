"""Composite primitives of the losses: the softmax, its logarithm and the choice of a label's entry in one."""

from __future__ import annotations

from tensorgrad.backends.primitives.basic import Array, Primitives

__all__ = ["LossPrimitives"]


class LossPrimitives(Primitives, composes=True):
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

    def pick_labels(self, x: Array, labels: Array, *, out: Array | None = None) -> Array:
        """x[row, labels[row]] for each row: (rows,)."""
        rows, classes = x.shape
        starts = self.arange(0, rows * classes, max(classes, 1), labels.dtype)
        return self.take(self.reshaped(x, (rows * classes,)), self.add(labels, starts), 0, out=out)

    def one_hot_rows(self, labels: Array, classes: int, *, out: Array | None = None) -> Array:
        """bool (rows, classes): True at each row's label."""
        every = self.arange(0, classes, 1, labels.dtype)
        return self.equal(self.reshaped(labels, (labels.shape[0], 1)), every, out=out)
