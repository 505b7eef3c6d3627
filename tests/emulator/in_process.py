"""Launches in this process: the kernel reads and writes the arrays where they are."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EmulationError

__all__ = ["Launch", "Library"]

_Three = ctypes.c_uint * 3


@dataclass(frozen=True)
class Launch:
    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_mem: int
    order: int
    seed: int


class _Failure(ctypes.Structure):
    """emu::Failure in runtime/failure.h."""

    _fields_ = (
        ("kind", ctypes.c_char * 64),
        ("file", ctypes.c_char * 512),
        ("line", ctypes.c_int),
        ("message", ctypes.c_char * 1024),
    )


class Library:
    """A loaded module. PyDLL keeps the interpreter's lock: the emulator runs one launch at a time."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.PyDLL(str(path))
        self._launch = self._library.emu_launch
        self._descriptors: dict[str, Any] = {}
        self._failure = _Failure()

    def launch(self, launch: Launch, packed: bytes) -> None:
        descriptor = self._descriptors.get(launch.kernel) or self._find(launch.kernel)
        failed = self._launch(
            descriptor,
            _Three(*launch.grid),
            _Three(*launch.block),
            ctypes.c_ulonglong(launch.shared_mem),
            launch.order,
            ctypes.c_ulonglong(launch.seed),
            packed,
            ctypes.byref(self._failure),
        )
        if failed:
            found = self._failure
            raise EmulationError(
                launch.kernel, found.kind.decode(), found.file.decode(), found.line, found.message.decode()
            )

    def _find(self, kernel: str) -> Any:
        descriptor = ctypes.cast(self._library[f"emu_kernel_{kernel}"], ctypes.c_void_p)
        self._descriptors[kernel] = descriptor
        return descriptor
