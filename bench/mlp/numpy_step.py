"""The step as one writes it by hand in NumPy: clear, unfused, nothing reused. In float64: the reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.mlp.problem import BETA1, BETA2, CASES, EPSILON, LEARNING_RATE, Array, weights
from bench.mlp.training import Training

__all__ = ["NumpyTraining", "make"]


class NumpyTraining(Training):
    """Every formula spelled out; `dtype` is that of parameters and inputs."""

    def __init__(self, case: str, dtype: str = "float32", learning_rate: float = LEARNING_RATE) -> None:
        super().__init__(CASES[case], lambda inputs: inputs.astype(dtype), lambda labels: labels)
        self._parameters = [array.astype(dtype) for array in weights(CASES[case])]
        self.means = [np.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [np.zeros_like(parameter) for parameter in self._parameters]
        self._learning_rate = learning_rate
        self._steps = 0

    def step(self, inputs: Array, labels: Array) -> Any:
        layers = list(zip(self._parameters[::2], self._parameters[1::2], strict=True))
        activations = [inputs]
        for weight, bias in layers[:-1]:
            activations.append(np.maximum(activations[-1] @ weight.T + bias, 0))
        weight, bias = layers[-1]
        loss, gradient = cross_entropy(activations[-1] @ weight.T + bias, labels)
        self._adam(backward(gradient, activations, self._parameters[::2]))
        return loss

    def parameters(self) -> list[Array]:
        return self._parameters

    def _adam(self, gradients: list[Array]) -> None:
        """Kingma and Ba, 2015, algorithm 1."""
        self._steps += 1
        mean_scale, square_scale = 1 - BETA1**self._steps, 1 - BETA2**self._steps
        for index, gradient in enumerate(gradients):
            self.means[index] = BETA1 * self.means[index] + (1 - BETA1) * gradient
            self._squares[index] = BETA2 * self._squares[index] + (1 - BETA2) * gradient**2
            mean, square = self.means[index] / mean_scale, self._squares[index] / square_scale
            self._parameters[index] -= self._learning_rate * mean / (np.sqrt(square) + EPSILON)


def cross_entropy(logits: Array, labels: Array) -> tuple[Any, Array]:
    """The mean loss, and its gradient by the logits."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])
    gradient = exponentials / sums
    gradient[rows, labels] -= 1
    return loss, gradient / len(labels)


def backward(gradient: Array, activations: list[Array], matrices: list[Array]) -> list[Array]:
    """The gradients of [weight, bias] of each layer in turn."""
    gradients: list[Array] = []
    for layer in reversed(range(len(matrices))):
        gradients = [gradient.T @ activations[layer], gradient.sum(axis=0), *gradients]
        if layer:
            gradient = (gradient @ matrices[layer]) * (activations[layer] > 0)
    return gradients


def make(case: str, dtype: str = "float32", learning_rate: float = LEARNING_RATE) -> NumpyTraining:
    return NumpyTraining(case, dtype, learning_rate)
