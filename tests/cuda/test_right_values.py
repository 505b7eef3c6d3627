"""The calls of `tests/ops/right_values.py` on CUDA. What is found wrong late is raised at the next wait."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.ops.right_values import ERRORS, VALUES


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str, cuda: tg.Device) -> None:
    call, dtype, expected = VALUES[name]
    found = call()
    if isinstance(found, tg.Tensor):
        assert (found.device, found.dtype) == (cuda, dtype)
        found = found.tolist()
    assert str(found) == str(expected)


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str, cuda: tg.Device) -> None:
    call, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):  # noqa: PT012 (the error may come at either)
        call()
        cuda.backend.synchronize()


def test_a_division_by_0_that_is_found_late_is_0_until_then(cuda: tg.Device) -> None:
    quotient = tg.tensor([7, 7]) // tg.tensor([2, 0])
    doubled = quotient * 2
    with pytest.raises(tg.DivisionByZeroError, match="floor_divide: the divisor of integers is 0 at position 1"):
        doubled.tolist()
    assert doubled.tolist() == [6, 0]
