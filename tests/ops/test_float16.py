"""Whatever is composed is computed in float32 for float16: every op of the table, forward, first and second gradient.

The oracle is the same program in float64 on the same numbers, which the table itself holds against NumPy's formulas and
finite differences. A new case of the table, so a new op or function, is held to it too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.ops.table import Case, families, inputs_of

Array = Any
HALF = np.dtype(np.float16)
EPS = 2.0**-10
LEAST = 2.0**-14  # normal

# What rounds more than once by what it says: the operands of one op are the rounded results of others.
OFF_THE_TAPE = "norm-nuc"  # whose gradient is made by the host
OF_SEVERAL = ("add-alpha", "sub-alpha", "index_add")


def _cases() -> list[Case]:
    return [
        case
        for cases in families().cases.values()
        for case in cases
        if tg.float64 in case.dtypes and any(a.dtype == HALF for a in inputs_of(case, HALF))
    ]


def _listed(results: Any) -> list[tg.Tensor]:
    return [results] if isinstance(results, tg.Tensor) else list(results)


def _tensors(arrays: list[Array], dtype: Any, device: str = "cpu") -> list[tg.Tensor]:
    floats = [a.dtype.kind == "f" for a in arrays]
    made = [tg.tensor(a.astype(dtype) if f else a, device=device) for a, f in zip(arrays, floats, strict=True)]
    return [t.requires_grad_(f) for t, f in zip(made, floats, strict=True)]


def _programs(function: Callable[..., Any], arrays: list[Array], dtype: Any, orders: int) -> list[list[Array]]:
    """The values, the gradients of a weighted sum of them, and those of the sum of these."""
    inputs = _tensors(arrays, dtype)
    results = _listed(function(*inputs))
    found = [[r.detach().numpy() for r in results]]
    outputs = [r for r in results if r.requires_grad]
    wanted = [t for t in inputs if t.requires_grad]
    for _ in range(orders):
        if not outputs:
            break
        rng = np.random.default_rng(zlib.crc32(b"weights"))
        weights = [tg.tensor(rng.uniform(0.5, 1.5, o.shape).astype(HALF).astype(o.dtype)) for o in outputs]
        gradients = tg.autograd.grad(outputs, wanted, weights, create_graph=True, allow_unused=True)
        found.append([np.zeros(0) if g is None else g.detach().numpy() for g in gradients])
        outputs = [g for g in gradients if g is not None and g.requires_grad]
    return found


def _spacing(exact: Array) -> Array:
    return np.spacing(np.maximum(np.abs(exact), LEAST).astype(HALF)).astype(np.float64)


def _assert_rounded(got: Array, exact: Array, units: float, of_greatest: float = 0.0) -> None:
    """Within so many units in the last place of each element, and of the greatest one."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(HALF)
        finite = np.isfinite(rounded)
        slack = units * _spacing(np.where(finite, exact, 0))
        slack += of_greatest * EPS * float(np.abs(exact[finite]).max(initial=0))
        wrong = np.abs(got.astype(np.float64) - exact) > slack
    np.testing.assert_array_equal(got[~finite], rounded[~finite])
    assert not (wrong & finite).any(), (got[wrong & finite], exact[wrong & finite])


@pytest.mark.parametrize("case", _cases(), ids=lambda c: c.name)
def test_every_case_of_the_table(case: Case) -> None:
    arrays = inputs_of(case, HALF)
    orders = 2 if case.gradient and case.second else int(case.gradient)
    if case.name.startswith(OFF_THE_TAPE):
        orders = 0
    found, exact = (_programs(case.function, arrays, dtype, orders) for dtype in (HALF, np.float64))
    value = 2.1 if case.name.startswith(OF_SEVERAL) else 1.0
    # Where a gradient is told from the result (sigmoid, softmax, norm), that is the rounded one, as in PyTorch.
    for got, right, units, of_greatest in zip(found, exact, (value, 2, 2), (0, 2, 8), strict=False):
        for a, b in zip(got, right, strict=True):
            if a.dtype == HALF:
                _assert_rounded(a, b, units, of_greatest)
