"""The step in tensorgrad, as its users write it."""

from __future__ import annotations

import tensorgrad as tg
from bench.mlp.problem import CASES, LEARNING_RATE, Array, weights
from bench.mlp.training import Training

__all__ = ["make"]


class TensorgradTraining(Training):
    def __init__(self, case: str) -> None:
        super().__init__(CASES[case], tg.tensor, tg.tensor)
        self._model = tg.nn.MLP(list(CASES[case].widths))
        with tg.no_grad():
            for parameter, start in zip(self._model.parameters(), weights(CASES[case]), strict=True):
                parameter.copy_(tg.tensor(start))
        self._optimizer = tg.optim.Adam(self._model.parameters(), lr=LEARNING_RATE)

    def step(self, inputs: tg.Tensor, labels: tg.Tensor) -> tg.Tensor:
        self._optimizer.zero_grad()
        loss = tg.nn.functional.cross_entropy(self._model(inputs), labels)
        loss.backward()
        self._optimizer.step()
        return loss

    def parameters(self) -> list[Array]:
        return [parameter.detach().numpy() for parameter in self._model.parameters()]


def make(case: str) -> TensorgradTraining:
    return TensorgradTraining(case)
