"""Launches every kernel in every dtype at a few sizes and offsets, and checks its results:
`python -m bench.gpu_parts.kernel_driver FILE [--quick] [--dry-run]`. For compute-sanitizer to watch, and without it a
test of the kernels.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from time import monotonic
from typing import Any

from bench.gpu_parts.kernel_cases import CASES, checked
from bench.gpu_parts.kernel_device import KernelDevice
from bench.gpu_parts.setting import open_cupy

__all__ = ["SHAPES", "drive"]

# (rows, columns) and the offset of all arrays from a 16-byte boundary, in elements.
SHAPES = (((1, 1), 0), ((3, 31), 1), ((9, 33), 3), ((5, 1030), 0), ((130, 10), 2), ((40, 257), 1))
QUICK = (SHAPES[1], SHAPES[3], SHAPES[4])
# More than all threads take in one round, and out of step with vectors; too long for the emulator.
LONG = (((3001, 1030), 1),)
EVERYWHERE = ("float32", "uint32", "uint64", "int64")


def drive(device: KernelDevice, shapes: Any, quick: bool = False) -> dict[str, Any]:
    """How many launches were checked, and what was wrong. Quick: the other dtypes in every fourth case only."""
    faults: list[str] = []
    runs = 0
    for number, case in enumerate(CASES):
        for dtype in case.dtypes:
            if quick and dtype not in EVERYWHERE and number % 4:
                continue
            for shape, device.offset in shapes:
                if fault := checked(case, device, dtype, shape)[1]:
                    faults.append(f"{case.name} {dtype} {shape}: {fault}")
                runs += 1
    device.cupy.cuda.Device().synchronize()
    return {"runs": runs, "faults": faults, "kernels": sorted(device.launched)}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    cupy = open_cupy(options.dry_run)
    if not options.dry_run:
        cupy.cuda.set_allocator(None)  # each array an allocation of its own, so that its end can be watched
    start = monotonic()
    shapes = QUICK if options.quick else SHAPES if options.dry_run else SHAPES + LONG
    result = drive(KernelDevice(cupy), shapes, options.quick)
    options.file.write_text(json.dumps(result | {"seconds": monotonic() - start}))
    print(f"{result['runs']} launches checked, {len(result['faults'])} wrong")
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
