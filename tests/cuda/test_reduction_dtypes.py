"""The dtypes of reductions on CUDA, by the rules written out in `tests/ops/reduction_dtypes.py`."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.ops.reduction_dtypes import ASKED, DTYPES, RULES, check_asked, check_rule


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_the_dtype_of_a_reduction(name: str, dtype: str, cuda_device: tg.Device) -> None:
    if name.startswith("einsum ij,ij") and not dtype.startswith("float"):
        pytest.skip("a matrix product of integers")
    check_rule(name, dtype, cuda_device)


@pytest.mark.parametrize("asked", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ASKED)
def test_a_reduction_in_the_dtype_that_is_asked_for(name: str, dtype: str, asked: str, cuda_device: tg.Device) -> None:
    check_asked(name, dtype, asked, cuda_device)
