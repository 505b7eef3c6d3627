"""Part 5: every kernel against the card's copy bandwidth, with the bytes that its source says it moves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Shape
from bench.gpu_parts.clock import Clock
from bench.gpu_parts.kernel_cases import CASES, checked
from bench.gpu_parts.kernel_device import KernelDevice
from bench.gpu_parts.roofs import MIB, copy_bandwidth
from bench.gpu_parts.setting import Finding, Setting, read_finding
from bench.report import table

__all__ = ["run"]

GOAL = 0.85
COLUMNS = 1024
LARGE = (256 * MIB, 1024 * MIB)  # bytes of one array
LARGEST_DTYPES = ("float32",)  # in which the largest size is measured as well
SMALL = ((64, 128), (512, 1024))
ARRAYS = 5  # the most that any case makes of the size, but for one or two
SHARE_OF_MEMORY = 0.7


def run(setting: Setting, finding: Finding) -> None:
    cupy = setting.cupy()
    roof = measured_roof(cupy, setting)
    finding.raw |= {"copy bytes per second": roof, "goal": GOAL, "large": [], "small": []}
    device = KernelDevice(cupy)
    clock = Clock(cupy, budget=0.0, least=2, most=2) if setting.dry_run else Clock(cupy, budget=0.06)
    for case, dtype, shape in large_work(cupy, setting):
        measure_large(case, dtype, shape, device, clock, finding)
        cupy.get_default_memory_pool().free_all_blocks()
    for case in CASES:
        for shape in SMALL[:1] if setting.dry_run else SMALL:
            measure_small(case, case.dtypes[0], shape, device, clock, finding)
    describe(setting, finding, roof)


def measured_roof(cupy: Any, setting: Setting) -> float:
    """What part 4 found; measured now where it found nothing."""
    found = read_finding(setting.folder / "roofs.json")["raw"].get("best copy")
    if found is not None:
        return float(found)
    clock = Clock(cupy, budget=0.2, least=3)
    return max(copy_bandwidth(cupy, clock, (MIB,) if setting.dry_run else LARGE[:1]).values())


def large_work(cupy: Any, setting: Setting) -> Iterator[tuple[Case, str, Shape]]:
    """What to measure, the most wanted first: float32, then all other dtypes, then float32 at the largest size."""
    if setting.dry_run:
        yield from ((case, case.dtypes[0], (48, 64)) for case in CASES)
        return
    sizes = [size for size in LARGE if ARRAYS * size < SHARE_OF_MEMORY * cupy.cuda.runtime.memGetInfo()[0]]
    sizes = sizes or [32 * MIB]
    smallest, largest = sizes[0], sizes[1:]
    yield from ((case, case.dtypes[0], shape_of(case.dtypes[0], smallest)) for case in CASES)
    for size in largest:
        yield from ((c, d, shape_of(d, size)) for c in CASES for d in c.dtypes[:1] if d in LARGEST_DTYPES)
    yield from ((case, dtype, shape_of(dtype, smallest)) for case in CASES for dtype in case.dtypes[1:])


def shape_of(dtype: str, size: int) -> Shape:
    return size // (itemsize_of(dtype) * COLUMNS), COLUMNS


def itemsize_of(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def measure_large(case: Case, dtype: str, shape: Shape, device: KernelDevice, clock: Clock, finding: Finding) -> None:
    entry: dict[str, Any] = {"kernel": case.name, "dtype": dtype, "shape": shape}
    try:
        prepared, fault = checked(case, device, dtype, shape)
        seconds = clock.each(prepared.run)
    except Exception as error:
        finding.fail(f"{case.name} {dtype} {shape}: {type(error).__name__}: {error}")
        return
    if fault:
        finding.fail(f"{case.name} {dtype} {shape}: {fault}")
    rate = prepared.moved / median(seconds)
    entry |= {"fault": fault, "bytes": prepared.moved, "seconds": median(seconds), "bytes_per_second": rate}
    entry |= {"fastest": min(seconds), "measured": len(seconds)}
    entry["share"] = rate / finding.raw["copy bytes per second"]
    finding.raw["large"].append(entry)
    finding.save()


def measure_small(case: Case, dtype: str, shape: Shape, device: KernelDevice, clock: Clock, finding: Finding) -> None:
    try:
        prepared, fault = checked(case, device, dtype, shape)
        seconds = clock.back_to_back(prepared.run, 2 if len(finding.raw["large"]) == 0 else 20)
    except Exception as error:
        finding.fail(f"{case.name} {dtype} {shape}: {type(error).__name__}: {error}")
        return
    if fault:
        finding.fail(f"{case.name} {dtype} {shape}: {fault}")
    entry = {"kernel": case.name, "dtype": dtype, "shape": shape, "fault": fault, "seconds": median(seconds)}
    finding.raw["small"].append(entry)
    finding.save()


def describe(setting: Setting, finding: Finding, roof: float) -> None:
    large, small = finding.raw["large"], finding.raw["small"]
    finding.say(
        f"Share of the measured copy bandwidth ({roof / 1e9:.0f} GB/s), with the bytes that the top of each source "
        "file counts. Results were poisoned before and checked after the first launch."
    )
    headers = ["kernel", "dtype", "MiB moved", "GB/s", "share"]
    ordered = sorted(large, key=lambda e: (e["kernel"], e["dtype"], e["bytes"]))
    finding.say(table(headers, [large_row(entry, setting.dry_run) for entry in ordered]))
    finding.say("Microseconds a call at small sizes, called back to back from Python: the host's part counts.")
    finding.say(table(["kernel", "dtype", "shape", "us"], [small_row(entry) for entry in small]))
    if not setting.dry_run:
        short = [e for e in large if e["share"] < GOAL]
        finding.raw["below goal"] = [f"{e['kernel']} {e['dtype']}" for e in short]
        names = ", ".join(f"{e['kernel']} {e['dtype']} ({e['share']:.0%})" for e in short) or "none"
        finding.say(f"Below {GOAL:.0%} of the copy bandwidth: {names}.")


def large_row(entry: dict[str, Any], dry_run: bool) -> list[str]:
    rate, share = entry["bytes_per_second"] / 1e9, "-" if dry_run else f"{entry['share']:.0%}"
    return [entry["kernel"], entry["dtype"], f"{math.ceil(entry['bytes'] / MIB)}", f"{rate:.0f}", share]


def small_row(entry: dict[str, Any]) -> list[str]:
    return [entry["kernel"], entry["dtype"], " x ".join(map(str, entry["shape"])), f"{entry['seconds'] * 1e6:.1f}"]
