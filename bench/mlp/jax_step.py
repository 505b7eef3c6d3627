"""The step in JAX: one jitted function, parameters and optimizer state donated, Adam written out."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.mlp.problem import BETA1, BETA2, CASES, EPSILON, LEARNING_RATE, Array, weights
from bench.mlp.training import Training

__all__ = ["make"]


class JaxTraining(Training):
    def __init__(self, case: str) -> None:
        super().__init__(CASES[case], jnp.asarray, lambda labels: jnp.asarray(labels.astype(np.int32)))
        self._parameters = [jnp.array(array) for array in weights(CASES[case])]
        zeros = [jnp.zeros_like(parameter) for parameter in self._parameters]
        self._state: Any = (jnp.zeros((), jnp.int32), zeros, [jnp.copy(zero) for zero in zeros])
        self._update = jax.jit(update, donate_argnums=(0, 1))

    def step(self, inputs: Any, labels: Any) -> Any:
        self._parameters, self._state, loss = self._update(self._parameters, self._state, inputs, labels)
        return loss

    def wait(self) -> None:
        jax.block_until_ready((self._parameters, self._state))

    def parameters(self) -> list[Array]:
        # A copy: the next step is given these buffers to overwrite.
        return [np.array(parameter) for parameter in self._parameters]


def loss_of(parameters: list[Any], inputs: Any, labels: Any) -> Any:
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    for weight, bias in layers[:-1]:
        inputs = jax.nn.relu(inputs @ weight.T + bias)
    weight, bias = layers[-1]
    logs = jax.nn.log_softmax(inputs @ weight.T + bias)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


def update(parameters: list[Any], state: Any, inputs: Any, labels: Any) -> tuple[list[Any], Any, Any]:
    """One step; Kingma and Ba, 2015, algorithm 1."""
    loss, gradients = jax.value_and_grad(loss_of)(parameters, inputs, labels)
    steps, means, squares = state
    steps = steps + 1
    means = [BETA1 * mean + (1 - BETA1) * gradient for mean, gradient in zip(means, gradients, strict=True)]
    squares = [BETA2 * square + (1 - BETA2) * gradient**2 for square, gradient in zip(squares, gradients, strict=True)]
    mean_scale, square_scale = 1 - BETA1**steps, 1 - BETA2**steps
    parameters = [
        parameter - LEARNING_RATE * (mean / mean_scale) / (jnp.sqrt(square / square_scale) + EPSILON)
        for parameter, mean, square in zip(parameters, means, squares, strict=True)
    ]
    return parameters, (steps, means, squares), loss


def make(case: str) -> JaxTraining:
    return JaxTraining(case)
