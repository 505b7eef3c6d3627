"""The cases of the training step, and what its contenders share: the precision they compute in, their environment."""

from __future__ import annotations

from itertools import pairwise

from bench.mlp.problem import CASES, Case

__all__ = ["ALL", "LIMITS", "PRECISIONS", "environment", "find_case", "memory_of"]

HUGE = Case("huge", (8192, 8192, 8192, 8192, 10), 4096)
ALL = {**CASES, HUGE.name: HUGE}
PRECISIONS = ("fp32", "tf32")

# Allowed relative differences from float64 of the losses and of the parameters' moves. tf32 keeps 10 bits.
LIMITS = {"fp32": (1e-4, 1e-2), "tf32": (2e-3, 1e-1)}
SMALL_WIDTH, SMALL_BATCH = 12, 8


def find_case(name: str, dry_run: bool) -> Case:
    """The case; on the emulated device one of the same depth and tiny widths."""
    case = ALL[name]
    if not dry_run:
        return case
    return Case(case.name, (*(min(width, SMALL_WIDTH) for width in case.widths[:-1]), case.widths[-1]), SMALL_BATCH)


def memory_of(case: Case) -> int:
    """Bytes that a contender needs, roughly: parameters, gradients, two moments and something made on the way;
    activations with their gradients; eight batches."""
    parameters = sum(inputs * outputs for inputs, outputs in pairwise(case.widths))
    activations = 4 * case.batch * sum(case.widths) + 8 * case.batch * case.widths[0]
    return 4 * (5 * parameters + activations)


def environment(precision: str) -> dict[str, str]:
    """tf32 is on or off for everyone: by CuPy's switch, NVIDIA's override (which can only turn it off), and, for torch
    and JAX, by what their steps read here."""
    shared = {"BENCH_PRECISION": precision, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if precision == "tf32":
        return shared | {"CUPY_TF32": "1"}
    return shared | {"CUPY_TF32": "0", "NVIDIA_TF32_OVERRIDE": "0"}
