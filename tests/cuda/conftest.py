"""The CUDA device of these tests: a GPU where there is one, else CuPy's stand-in with the kernels on the emulator."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.available import make_backend
from tensorgrad.backends.device import register_backend
from tests.cupy_standin import installed, uninstall
from tests.cupy_standin.plugin import EMULATED, cuda_kind, prepare_cuda

registry: Any = sys.modules["tensorgrad.backends.device"]


@pytest.fixture(scope="module")
def cuda_device() -> Iterator[tg.Device]:
    """The device; an emulated one is gone again for the tests of other files, which may ask for the best there is."""
    if cuda_kind() == EMULATED and shutil.which("g++") is None:
        pytest.skip("the emulator needs g++")
    prepare_cuda()
    register_backend("cuda", make_backend, numbered=True)  # forget that there was none
    yield tg.device("cuda")
    if installed():
        uninstall()
        register_backend("cuda", make_backend, numbered=True)
        for key in [k for k in registry._devices if k[0] == "cuda"]:
            del registry._devices[key]


@pytest.fixture
def cuda(cuda_device: tg.Device) -> Iterator[tg.Device]:
    """The device, as the default one; what it found wrong and nobody waited for fails the test."""
    before = tg.get_default_device()
    tg.set_default_device(cuda_device)
    try:
        yield cuda_device
        cuda_device.backend.synchronize()
    finally:
        tg.set_default_device(before)
