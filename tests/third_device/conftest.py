"""The device type is registered for the tests of this folder, and forgotten afterwards."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import tensorgrad as tg
from tests.third_device.backend import register

registry: Any = sys.modules["tensorgrad.backends.device"]


def _keep_registry(patch: pytest.MonkeyPatch) -> None:
    """What is registered or found out from here on is forgotten with `patch`. Devices stay: there is one of a name."""
    for name in ("_factories", "_numbered", "_automatic", "_absent", "_foreign", "_failures", "_warned"):
        patch.setattr(registry, name, copy.copy(getattr(registry, name)))


@pytest.fixture(scope="module", autouse=True)
def third() -> Iterator[tg.Device]:
    with pytest.MonkeyPatch.context() as patch:
        _keep_registry(patch)
        register()
        yield tg.device("third")
    for key in [k for k in registry._devices if k[0] == "third"]:
        del registry._devices[key]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test registers is forgotten after it."""
    _keep_registry(monkeypatch)


@pytest.fixture
def by_default(third: tg.Device) -> Iterator[tg.Device]:
    before = tg.get_default_device()
    tg.set_default_device(third)
    yield third
    tg.set_default_device(before)
