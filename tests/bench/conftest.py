"""The stand-in as `cupy`, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cupy_standin import installing


@pytest.fixture
def cupy() -> Iterator[Any]:
    with installing() as module:
        yield module
