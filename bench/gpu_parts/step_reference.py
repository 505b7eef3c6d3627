"""The hand-written step in float64: on the CPU, or, where that would take too long, on the GPU."""

from __future__ import annotations

from typing import Any

from bench.gpu_parts.setting import open_cupy
from bench.gpu_parts.step_cases import find_case
from bench.mlp import numpy_step
from bench.mlp.numpy_step import NumpyTraining
from bench.mlp.problem import CASES, Array

__all__ = ["make"]


class CupyTraining(NumpyTraining):
    """The text of `bench.mlp.numpy_step` with CuPy in NumPy's place, which this process then has there for good."""

    def __init__(self, case: str, cupy: Any) -> None:
        super().__init__(case, "float64")
        vars(numpy_step)["np"] = self._cupy = cupy
        for arrays in (self._parameters, self.means, self._squares):
            arrays[:] = [cupy.asarray(array) for array in arrays]

    def step(self, inputs: Array, labels: Array) -> Any:
        return super().step(self._cupy.asarray(inputs), self._cupy.asarray(labels))

    def parameters(self) -> list[Array]:
        return [self._cupy.asarray(parameter).get() for parameter in self._parameters]


def make(case: str, on_gpu: bool, dry_run: bool = False) -> NumpyTraining:
    CASES[case] = find_case(case, dry_run)  # NumpyTraining looks its case up by name; this process does nothing else
    return CupyTraining(case, open_cupy(dry_run)) if on_gpu else NumpyTraining(case, "float64")
