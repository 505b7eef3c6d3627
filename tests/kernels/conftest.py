"""The emulated devices that the kernels are tested on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.kernels.device import EmulatedDevice

SANITIZERS = (
    pytest.param(None, id="plain"),
    pytest.param("address,undefined", id="address", marks=pytest.mark.sanitizer),
    pytest.param("thread", id="thread", marks=pytest.mark.sanitizer),
)


@pytest.fixture(params=SANITIZERS)
def device(request: pytest.FixtureRequest) -> Iterator[EmulatedDevice]:
    """A device of one multiprocessor; after the test nothing around its arrays has changed."""
    if shutil.which("g++") is None:
        pytest.skip("the emulator needs g++")
    emulated = EmulatedDevice(request.param)
    yield emulated
    emulated.check_surroundings()
