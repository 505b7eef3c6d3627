"""The step in PyTorch: eager, with any of its three forms of Adam, or compiled."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch

from bench.mlp.problem import CASES, LEARNING_RATE, Array, Case, weights
from bench.mlp.training import Training

__all__ = ["ADAMS", "make"]

ADAMS: dict[str, dict[str, bool]] = {
    "default": {},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


class TorchTraining(Training):
    def __init__(self, case: str, adam: str, compiled: bool) -> None:
        super().__init__(CASES[case], torch.from_numpy, torch.from_numpy)
        self._model = mlp(CASES[case])
        loss_of = self._loss
        self._loss_of = torch.compile(loss_of) if compiled else loss_of
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=LEARNING_RATE, **ADAMS[adam])

    def _loss(self, inputs: Any, labels: Any) -> Any:
        return torch.nn.functional.cross_entropy(self._model(inputs), labels)

    def step(self, inputs: Any, labels: Any) -> Any:
        self._optimizer.zero_grad()
        loss = self._loss_of(inputs, labels)
        loss.backward()
        self._optimizer.step()
        return loss

    def parameters(self) -> list[Array]:
        return [parameter.detach().numpy() for parameter in self._model.parameters()]


def mlp(case: Case) -> Any:
    """The case's network, with its starting weights."""
    layers: list[Any] = []
    for inputs, outputs in pairwise(case.widths):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, start in zip(model.parameters(), weights(case), strict=True):
            parameter.copy_(torch.from_numpy(start))
    return model


def make(case: str, adam: str = "default", compiled: bool = False) -> TorchTraining:
    return TorchTraining(case, adam, compiled)
