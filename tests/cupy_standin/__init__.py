"""A stand-in for CuPy on NumPy, so that everything for CUDA but the hardware itself is tested on any machine.

It refuses what CuPy refuses, lacks what CuPy lacks, behaves as CuPy where that differs from NumPy, leaves open what
CuPy leaves open (with values that nobody can rely on), and checks kernel launches, which CuPy does not. Kernels run on
the emulator of tests/emulator.

Installed over a real CuPy only while it lasts: `uninstall` puts back what was there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tests.cupy_standin import device, surface
from tests.cupy_standin.modules import build
from tests.cupy_standin.raw import use_emulator

__all__ = ["install", "installed", "installing", "uninstall", "use_emulator"]

_replaced: dict[str, ModuleType] | None = None
_built: dict[str, ModuleType] = {}  # made once: whoever imported it keeps it when it is not installed


def install(device_count: int = 1) -> ModuleType:
    """Put the stand-in into `sys.modules` as cupy and cupyx, with so many devices, and give it back."""
    global _replaced
    device.set_device_count(device_count)
    if _replaced is None:
        found = surface.current()
        _replaced = {name: module for name, module in sys.modules.items() if _is_cupys(name)}
        for name in _replaced:
            del sys.modules[name]
        if not _built:
            _built.update(build(found, found["version"]))
        sys.modules.update(_built)
    return sys.modules["cupy"]


def uninstall() -> None:
    """Put back what was there before `install`."""
    global _replaced
    if _replaced is None:
        return
    for name in [name for name in sys.modules if _is_cupys(name)]:
        del sys.modules[name]
    sys.modules.update(_replaced)
    _replaced = None


def installed() -> bool:
    """Whether `import cupy` gives the stand-in."""
    return _replaced is not None


@contextmanager
def installing() -> Iterator[ModuleType]:
    """The stand-in as `cupy`; put away afterwards unless it had been installed before."""
    before = installed()
    yield install()
    if not before:
        uninstall()


def _is_cupys(name: str) -> bool:
    return name.partition(".")[0] in ("cupy", "cupyx", "cupy_backends")
