"""The step in PyTorch on CUDA: eager, or its loss compiled into CUDA graphs."""

from __future__ import annotations

import os
from typing import Any

import torch

from bench.gpu_parts.step_cases import find_case
from bench.mlp.problem import LEARNING_RATE, Array, Case
from bench.mlp.torch_step import ADAMS, mlp
from bench.mlp.training import Training

__all__ = ["make"]


class TorchCudaTraining(Training):
    def __init__(self, case: Case, adam: str, compiled: bool, device: str) -> None:
        super().__init__(case, self._here(device), self._here(device))
        self._device, self._compiled = device, compiled
        self._model = mlp(case).to(device)
        loss_of = self._loss
        # Without a GPU the compiler's front end is all that can be tried in the time.
        how: dict[str, Any] = {"mode": "reduce-overhead"} if device == "cuda" else {"backend": "eager"}
        self._loss_of = torch.compile(loss_of, **how) if compiled else loss_of
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=LEARNING_RATE, **ADAMS[adam])

    @staticmethod
    def _here(device: str) -> Any:
        return lambda array: torch.from_numpy(array).to(device)

    def _loss(self, inputs: Any, labels: Any) -> Any:
        return torch.nn.functional.cross_entropy(self._model(inputs), labels)

    def step(self, inputs: Any, labels: Any) -> Any:
        if self._compiled:
            torch.compiler.cudagraph_mark_step_begin()
        self._optimizer.zero_grad()
        loss = self._loss_of(inputs, labels)
        loss.backward()
        self._optimizer.step()
        return loss

    def wait(self) -> None:
        if self._device == "cuda":
            torch.cuda.synchronize()

    def parameters(self) -> list[Array]:
        return [parameter.detach().cpu().numpy() for parameter in self._model.parameters()]


def make(case: str, adam: str = "default", compiled: bool = False, dry_run: bool = False) -> TorchCudaTraining:
    """ModuleNotFoundError where torch cannot use the GPU."""
    if not dry_run and not torch.cuda.is_available():
        raise ModuleNotFoundError("torch finds no CUDA device it can use")
    tf32 = os.environ.get("BENCH_PRECISION") == "tf32"
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    device = "cpu" if dry_run else "cuda"
    if compiled:
        torch.compiler.reset()  # it compiles one function for few sizes only, and then runs it eagerly without a word
    return TorchCudaTraining(find_case(case, dry_run), adam, compiled, device)
