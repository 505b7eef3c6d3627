"""The table of primitives against what each primitive does, over random layouts, dtypes and values: on CUDA."""

from __future__ import annotations

from functools import partial

import pytest

import tensorgrad as tg
from tests.backends.primitive_cases import CASES
from tests.backends.primitive_contract import explore, hold


@pytest.mark.parametrize("name", CASES)
def test_the_row_is_what_it_does(name: str, cuda_device: tg.Device) -> None:
    explore(name, 8, partial(hold, cuda_device.backend))
