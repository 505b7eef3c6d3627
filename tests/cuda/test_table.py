"""The whole table of cases a second time, with every tensor on the CUDA device."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.ops.table import CHECKS, Case, DType, checks_of
from tests.ops.test_table import ALL


@pytest.mark.parametrize(
    ("case", "dtype", "check"),
    [
        pytest.param(case, dtype, check, id=f"{case.name}-{dtype}-{check}")
        for case in ALL
        for dtype, check in checks_of(case)
    ],
)
def test_case(case: Case, dtype: DType, check: str, cuda: tg.Device) -> None:
    CHECKS[check](case, dtype, str(cuda))
