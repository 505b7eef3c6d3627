"""Launches in a process of their own, under a sanitizer.

The sanitizer cannot be loaded into a Python that runs already. So the launch's memory is copied into a small program
(runtime/runner.cpp), the kernel runs there, and what it wrote is copied back.
"""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ArgumentError
from .in_process import Launch
from .regions import Array, Region, Regions, Relocation
from .reports import read_report

__all__ = ["run"]

# exitcode: told apart from a crash; history_size: both stacks of a race are remembered.
_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:exitcode=5:detect_stack_use_after_return=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=0:exitcode=5",
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=5:history_size=4:report_signal_unsafe=0",
}


def run(program: Path, launch: Launch, packed: bytes, args: Sequence[Any], memory: Sequence[Array]) -> None:
    """Runs one launch. Raises SanitizerError with what the sanitizer or the emulator found."""
    arrays = [arg for arg in (*args, *memory) if isinstance(arg, np.ndarray)]
    regions = Regions(arrays)
    words = [relocation for array in arrays for relocation in regions.addresses_in(array)]
    arguments = _relocated_arguments(launch.kernel, packed, args, regions)
    request = _request(launch, packed, regions.regions, [*arguments, *(_shift(word) for word in words)])
    result = _execute(program, launch.kernel, request)
    _copy_back(result[len(packed) :], regions.regions, words)


def _relocated_arguments(kernel: str, packed: bytes, args: Sequence[Any], regions: Regions) -> list[Relocation]:
    """The pointers among the arguments, which are region 0 of the request; the arrays' regions come after it."""
    relocations = []
    for slot, arg in enumerate(args):
        (address,) = struct.unpack_from("=Q", packed, 8 * slot)
        if isinstance(arg, np.ndarray) or (isinstance(arg, int) and regions.find(address)):
            found = regions.find(address)
            if found is None:
                raise ArgumentError(f"{kernel}: argument {slot} lies in no array")
            relocations.append(Relocation(0, 8 * slot, found[0] + 1, found[1]))
    return relocations


def _shift(word: Relocation) -> Relocation:
    return Relocation(word.region + 1, word.offset, word.target + 1, word.target_offset)


def _request(launch: Launch, packed: bytes, regions: list[Region], relocations: list[Relocation]) -> bytes:
    """What runner.cpp reads."""
    name = launch.kernel.encode()
    numbers = (*launch.grid, *launch.block, launch.shared_mem, launch.order, launch.seed)
    parts = [_numbers(len(name)), name, _numbers(*numbers), _numbers(1 + len(regions))]
    parts += [_numbers(len(packed), 0), packed]
    for region in regions:
        parts += [_numbers(region.end - region.start, region.start % 16), region.read()]
    parts.append(_numbers(len(relocations)))
    parts += [_numbers(r.region, r.offset, r.target, r.target_offset) for r in relocations]
    return b"".join(parts)


def _numbers(*values: int) -> bytes:
    return struct.pack(f"={len(values)}Q", *values)


def _execute(program: Path, kernel: str, request: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        asked, answered = Path(scratch) / "request", Path(scratch) / "result"
        asked.write_bytes(request)
        status, said = _run([str(program), str(asked), str(answered)])
        if status:
            raise read_report(kernel, said)
        return answered.read_bytes()


def _run(command: list[str]) -> tuple[int, str]:
    """(exit status, standard error). Where the system scatters memory too widely for ThreadSanitizer: without that."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=os.environ | _OPTIONS)
    if "unexpected memory mapping" in done.stderr and command[0] != "setarch":
        return _run(["setarch", "--addr-no-randomize", *command])
    return done.returncode, done.stderr


def _copy_back(result: bytes, regions: list[Region], words: list[Relocation]) -> None:
    """Words that were addresses keep the parent's."""
    content = bytearray(result)
    starts = list(chain([0], np.cumsum([region.end - region.start for region in regions])))
    for word in words:
        at = int(starts[word.region]) + word.offset
        struct.pack_into("=Q", content, at, regions[word.target].start + word.target_offset)
    for region, start in zip(regions, starts, strict=False):
        region.write(bytes(content[int(start) : int(start) + region.end - region.start]))
