"""Reductions and scans of many floats, over any dims and in any layout, as accurate as pairwise sums: on CUDA.

The stand-in for CuPy adds as NumPy does, with larger errors than CuPy's own; the kernels are the real ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.ops.sum_cases import check_reduction, check_scan

DTYPES = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "norm", "logsumexp"])
@pytest.mark.parametrize("shape", [(5003,), (2000, 3), (3, 701, 2), (70_001,)], ids=str)
def test_reductions_over_any_dims(shape: tuple[int, ...], name: str, dtype: Any, cuda_device: tg.Device) -> None:
    for kind in ("counting", "positive"):
        check_reduction(cuda_device, name, dtype, kind, shape)


@pytest.mark.parametrize("dtype", DTYPES[:2], ids=lambda d: d.__name__)
@pytest.mark.parametrize("shape", [(5003,), (2000, 3), (3, 701, 2)], ids=str)
def test_running_sums_along_any_dim(shape: tuple[int, ...], dtype: Any, cuda_device: tg.Device) -> None:
    """Not of float64, which CuPy scans in blocks and the stand-in one by one."""
    for kind in ("counting", "positive"):
        check_scan(cuda_device, dtype, kind, shape)


@pytest.mark.parametrize("activation", ["relu", "tanh", None])
def test_the_gradient_of_a_bias_over_many_rows(activation: str | None, cuda_device: tg.Device) -> None:
    rows = 200_000
    g = np.random.default_rng(1).uniform(0, 1, (rows, 3)).astype(np.float32)
    bias = tg.ones(3, device=cuda_device, requires_grad=True)
    x, weight = tg.zeros(rows, 2, device=cuda_device), tg.zeros(3, 2, device=cuda_device)
    y = F.linear(x, weight, bias) if activation is None else F.linear_act(x, weight, bias, activation)
    (y * tg.from_numpy(g).to(cuda_device)).sum().backward()
    slope = 1 - np.tanh(1) ** 2 if activation == "tanh" else 1
    assert bias.grad is not None
    assert bias.grad.tolist() == pytest.approx(slope * g.astype(np.float64).sum(0), rel=5e-7)
