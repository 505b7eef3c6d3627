"""Forward and backward of the main ops at three sizes, with pytest-benchmark.

pytest bench --benchmark-only [-k "matmul and backward"]
"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import tensorgrad as tg
from bench.op_cases import CASES, SIZES, OpCase

BRIEF: dict[str, Any] = {"max_time": 0.1, "min_rounds": 5, "warmup": True, "warmup_iterations": 3}

pytestmark = [
    pytest.mark.parametrize("n", SIZES),
    pytest.mark.parametrize("case", CASES, ids=lambda case: case.name),
]


def inputs(case: OpCase, n: int) -> list[tg.Tensor]:
    return [tg.tensor(array, requires_grad=True) for array in case.arrays(n)]


@pytest.mark.benchmark(group="forward", **BRIEF)
def test_forward(benchmark: BenchmarkFixture, case: OpCase, n: int) -> None:
    """One recorded call."""
    result = benchmark(case.call, *inputs(case, n))
    assert result.requires_grad


@pytest.mark.benchmark(group="backward", **BRIEF)
def test_backward(benchmark: BenchmarkFixture, case: OpCase, n: int) -> None:
    """The gradients by all inputs; the graph is kept, so that only they are timed."""
    tensors = inputs(case, n)
    result = case.call(*tensors)
    seed = tg.ones_like(result)
    gradients = benchmark(lambda: tg.autograd.grad(result, tensors, seed, retain_graph=True))
    assert [gradient.shape for gradient in gradients] == [tensor.shape for tensor in tensors]
