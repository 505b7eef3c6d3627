"""The step in tensorgrad on CUDA, as its users write it."""

from __future__ import annotations

from typing import Any

import tensorgrad as tg
from bench.gpu_parts.setting import open_cupy
from bench.gpu_parts.step_cases import find_case
from bench.mlp.problem import LEARNING_RATE, Array, Case, weights
from bench.mlp.training import Training

__all__ = ["make"]


class CudaTraining(Training):
    def __init__(self, case: Case, cupy: Any) -> None:
        tg.set_strict_device(True)
        self._cupy = cupy
        self._device = tg.device("cuda")
        super().__init__(case, self._here, self._here)
        self._model = tg.nn.MLP(list(case.widths)).to(self._device)
        with tg.no_grad():
            for parameter, start in zip(self._model.parameters(), weights(case), strict=True):
                parameter.copy_(self._here(start))
        self._optimizer = tg.optim.Adam(self._model.parameters(), lr=LEARNING_RATE)

    def _here(self, array: Array) -> tg.Tensor:
        return tg.tensor(array, device=self._device)

    def step(self, inputs: tg.Tensor, labels: tg.Tensor) -> tg.Tensor:
        self._optimizer.zero_grad()
        loss = tg.nn.functional.cross_entropy(self._model(inputs), labels)
        loss.backward()
        self._optimizer.step()
        return loss

    def wait(self) -> None:
        self._cupy.cuda.get_current_stream().synchronize()

    def parameters(self) -> list[Array]:
        return [parameter.detach().cpu().numpy() for parameter in self._model.parameters()]


def make(case: str, dry_run: bool = False) -> CudaTraining:
    return CudaTraining(find_case(case, dry_run), open_cupy(dry_run))
