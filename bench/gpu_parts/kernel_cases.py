"""All kernels, and running one of them once, checked."""

from __future__ import annotations

import numpy as np

from bench.gpu_parts import (
    cases_activation,
    cases_check,
    cases_loss,
    cases_optimizer,
    cases_random,
    cases_reduce,
)
from bench.gpu_parts.case import Case, Prepared, Shape
from bench.gpu_parts.kernel_device import KernelDevice

__all__ = ["CASES", "checked"]

CASES: list[Case] = [
    *cases_activation.CASES,
    *cases_loss.CASES,
    *cases_random.CASES,
    *cases_reduce.CASES,
    *cases_check.CASES,
    *cases_optimizer.CASES,
]


def checked(case: Case, device: KernelDevice, dtype: str, shape: Shape) -> tuple[Prepared, str]:
    """The launch, run once on poisoned results, and what was wrong with them ("" if nothing)."""
    prepared = case.prepare(device, dtype, shape)
    for output in prepared.outputs:
        device.poison(output)
    with np.errstate(over="ignore"):
        prepared.run()
        try:
            for output in prepared.outputs:
                if left := device.left_unwritten(output):
                    raise AssertionError(f"{left} elements are not written, or are nan")
            prepared.check()
        except AssertionError as error:
            return prepared, str(error)
    return prepared, ""
