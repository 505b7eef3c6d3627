"""The whole table of cases a second time, with every tensor on the CUDA device."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.ops.table import CHECKS, Case, DType, all_checks


@pytest.mark.parametrize(("case", "dtype", "check"), [pytest.param(*rest, id=name) for name, *rest in all_checks()])
def test_case(case: Case, dtype: DType, check: str, cuda: tg.Device) -> None:
    CHECKS[check](case, dtype, str(cuda))
