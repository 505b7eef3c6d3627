"""The CUDA device of these tests: a GPU where there is one, else CuPy's stand-in with the kernels on the emulator."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda import make_backend
from tensorgrad.backends.device import register_backend
from tests.cupy_standin import installed, uninstall
from tests.cupy_standin.plugin import EMULATED, cuda_kind, prepare_cuda


@pytest.fixture(scope="session")
def cuda_device() -> Iterator[tg.Device]:
    if cuda_kind() == EMULATED and shutil.which("g++") is None:
        pytest.skip("the emulator needs g++")
    prepare_cuda()
    register_backend("cuda", make_backend, numbered=True)  # forget that there was none
    yield tg.device("cuda")
    if installed():
        uninstall()
        register_backend("cuda", make_backend, numbered=True)


@pytest.fixture
def cuda(cuda_device: tg.Device) -> Iterator[tg.Device]:
    """The device, as the default one; what it found wrong and nobody waited for fails the test."""
    before = tg.get_default_device()
    tg.set_default_device(cuda_device)
    try:
        yield cuda_device
        cuda_device.backend.synchronize()  # type: ignore[attr-defined]
    finally:
        tg.set_default_device(before)
