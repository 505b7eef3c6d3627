"""Launches every kernel in every dtype at a few sizes and offsets, and checks its results:
`python -m bench.gpu_parts.kernel_driver FILE END [--watched] [--dry-run]`. For compute-sanitizer to watch, and without
it a test of the kernels. Nothing is launched after END (seconds since 1970): a sanitizer of a killed program is silent.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import time
from typing import Any, TypeAlias

from bench.gpu_parts.case import Case, Shape
from bench.gpu_parts.kernel_cases import CASES, checked
from bench.gpu_parts.kernel_device import KernelDevice
from bench.gpu_parts.setting import open_cupy, write_json

__all__ = ["SHAPES", "Run", "all_launches", "wanted_launches"]

Placed: TypeAlias = tuple[Shape, int]
Launch: TypeAlias = tuple[Case, str, Placed]

# (rows, columns) and the offset of all arrays from a 16-byte boundary, in elements.
SHAPES: tuple[Placed, ...] = (((1, 1), 0), ((3, 31), 1), ((9, 33), 3), ((5, 1030), 0), ((130, 10), 2), ((40, 257), 1))
QUICK = (SHAPES[1], SHAPES[3], SHAPES[4])
# More than all threads take in one round, and out of step with vectors; too long for the emulator.
LONG: tuple[Placed, ...] = (((3001, 1030), 1),)
FIRST = ("float32", "uint32", "uint64", "int64")


def all_launches(shapes: Sequence[Placed]) -> Iterator[Launch]:
    """Every kernel in every dtype at the first shape, then at the next."""
    return ((case, dtype, placed) for placed in shapes for case in CASES for dtype in case.dtypes)


def wanted_launches() -> Iterator[Launch]:
    """The most wanted ones first: one dtype at three shapes, then the others at one."""
    yield from (launch for launch in all_launches(QUICK) if launch[1] in FIRST)
    yield from (launch for launch in all_launches(QUICK[:1]) if launch[1] not in FIRST)


class Run:
    """What came of the launches so far."""

    def __init__(self, device: KernelDevice, file: Path | None = None, end: float = math.inf) -> None:
        self.device = device
        self.runs = 0
        self.left_out = 0
        self.faults: list[str] = []
        self._file = file
        self._start = time()
        self._end = end

    def launch_all(self, launches: Iterable[Launch]) -> None:
        """As many as there is time for; no more of them once the device has failed."""
        usable = True
        for launch in launches:
            if usable and time() < self._end:
                usable = self._launch(*launch)
                self.save()
            else:
                self.left_out += 1
        self.save()

    def _launch(self, case: Case, dtype: str, placed: Placed) -> bool:
        """Whether the device can go on: after some errors every call on it fails."""
        shape, self.device.offset = placed
        try:
            fault = checked(case, self.device, dtype, shape)[1]
            self.device.cupy.cuda.Device().synchronize()
        except Exception as error:
            self.faults.append(f"{case.name} {dtype} {shape}: {type(error).__name__}: {error}")
            return "CUDA" not in type(error).__name__
        if fault:
            self.faults.append(f"{case.name} {dtype} {shape}: {fault}")
        self.runs += 1
        return True

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "left out": self.left_out,
            "faults": self.faults,
            "kernels": sorted(self.device.launched),
            "seconds": time() - self._start,
        }

    def save(self) -> None:
        if self._file is not None:
            write_json(self._file, self.as_json())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("end", type=float)
    parser.add_argument("--watched", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    cupy = open_cupy(options.dry_run)
    if options.watched:
        cupy.cuda.set_allocator(None)  # each array an allocation of its own, so that its end can be watched
    run = Run(KernelDevice(cupy), options.file, options.end)
    run.launch_all(wanted_launches() if options.watched or options.dry_run else all_launches(SHAPES + LONG))
    print(f"{run.runs} launches checked, {len(run.faults)} wrong, {run.left_out} left out")
    return 1 if run.faults else 0


if __name__ == "__main__":
    sys.exit(main())
