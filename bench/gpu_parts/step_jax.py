"""The step in JAX on CUDA: that of `bench.mlp.jax_step`, at the precision that all others have."""

from __future__ import annotations

import os

import jax

from bench.gpu_parts.step_cases import find_case
from bench.mlp import jax_step
from bench.mlp.jax_step import JaxTraining
from bench.mlp.problem import CASES

__all__ = ["make"]


def make(case: str, dry_run: bool = False) -> JaxTraining:
    """ModuleNotFoundError where JAX cannot use the GPU."""
    if not dry_run and jax.default_backend() not in ("gpu", "cuda"):
        raise ModuleNotFoundError("JAX finds no CUDA device it can use")
    tf32 = os.environ.get("BENCH_PRECISION") == "tf32"
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")
    CASES[case] = find_case(case, dry_run)  # JaxTraining looks its case up by name; this process times nothing else
    return jax_step.make(case)
