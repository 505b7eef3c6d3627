"""The stand-in as `cupy`, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cupy_standin import install, installed, uninstall


@pytest.fixture(scope="package")
def cupy() -> Iterator[Any]:
    """The module; put away afterwards unless it had been installed for the whole suite."""
    before = installed()
    yield install()
    if not before:
        uninstall()
