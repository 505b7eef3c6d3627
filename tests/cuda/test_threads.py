"""What threads share, on the CUDA device."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.test_threads import CHECKS, often

__all__ = ["often"]


@pytest.mark.parametrize("check", CHECKS)
def test_threads(check: str, cuda: tg.Device) -> None:
    CHECKS[check](cuda)
