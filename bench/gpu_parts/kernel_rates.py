"""Every kernel against the card's copy bandwidth, with the bytes that its source says it moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, TypeAlias

import numpy as np

from bench.gpu_parts.case import Case, Shape
from bench.gpu_parts.clock import Clock
from bench.gpu_parts.kernel_cases import CASES, checked
from bench.gpu_parts.kernel_device import KernelDevice
from bench.gpu_parts.roofs import MIB, copy_bandwidth
from bench.gpu_parts.setting import Finding, Setting, read_finding
from bench.report import table

__all__ = ["run"]

Entry: TypeAlias = dict[str, Any]
Work: TypeAlias = tuple[Case, str, Shape]
Measure: TypeAlias = Callable[[Case, str, Shape, KernelDevice, Clock, Finding], None]

GOAL = 0.85
COLUMNS = 1024
# Bytes of one array, the first that the memory has room for: far more than any cache, and enough work that the host is
# done with a launch before the device is.
LARGE = (1024 * MIB, 256 * MIB, 32 * MIB)
SMALL = ((64, 128), (512, 1024))
ARRAYS = 5  # the most that any case makes of the size, but for one or two
SHARE_OF_MEMORY = 0.7
RESERVE = 2.0  # seconds that the report of this part needs


def run(setting: Setting, finding: Finding) -> None:
    cupy = setting.cupy()
    roof = measured_roof(cupy, setting)
    finding.raw |= {"copy bytes per second": roof, "goal": GOAL, "large": [], "small": []}
    device = KernelDevice(cupy)
    clock = Clock(cupy, budget=0.0, least=2, most=2) if setting.dry_run else Clock(cupy, budget=0.04)
    left_out = 0
    for measure, (case, dtype, shape) in all_work(cupy, setting):
        if setting.left() > RESERVE:
            measure(case, dtype, shape, device, clock, finding)
            cupy.get_default_memory_pool().free_all_blocks()
        else:
            left_out += 1
    describe(setting, finding, roof)
    if left_out:
        finding.fail(f"{left_out} measurements were left out for lack of time")


def measured_roof(cupy: Any, setting: Setting) -> float:
    """What the part for roofs found; measured now where it found nothing."""
    found = read_finding(setting.folder / "roofs.json")["raw"].get("best copy")
    if found is not None:
        return float(found)
    clock = Clock(cupy, budget=0.2, least=3)
    return max(copy_bandwidth(cupy, clock, (MIB,) if setting.dry_run else LARGE[1:2]).values())


def all_work(cupy: Any, setting: Setting) -> Iterator[tuple[Measure, Work]]:
    """What to measure, the most wanted first: large arrays of each kernel's first dtype (float32 where it has that),
    small ones, then large ones of all other dtypes."""
    if setting.dry_run:
        yield from ((measure_large, (case, case.dtypes[0], (48, 64))) for case in CASES)
        yield from ((measure_small, (case, case.dtypes[0], SMALL[0])) for case in CASES)
        return
    free = cupy.cuda.runtime.memGetInfo()[0]
    size = next((size for size in LARGE if ARRAYS * size < SHARE_OF_MEMORY * free), LARGE[-1])
    yield from ((measure_large, (case, case.dtypes[0], shape_of(case.dtypes[0], size))) for case in CASES)
    yield from ((measure_small, (case, case.dtypes[0], shape)) for case in CASES for shape in SMALL)
    yield from ((measure_large, (case, dtype, shape_of(dtype, size))) for case in CASES for dtype in case.dtypes[1:])


def shape_of(dtype: str, size: int) -> Shape:
    return size // (np.dtype(dtype).itemsize * COLUMNS), COLUMNS


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
        seconds = clock.back_to_back(prepared.run)
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
    if setting.dry_run:
        finding.say(counted([*large, *small], 2 * len(CASES)))
        return
    finding.say(
        f"Share of the measured copy bandwidth ({roof / 1e9:.0f} GB/s), with the bytes that the top of each source "
        "file counts; a kernel that only reads may go beyond it. Results were poisoned before the first launch and "
        "checked after it."
    )
    headers = ["kernel", "dtype", "MiB moved", "GB/s", "share", "other dtypes"]
    finding.say(table(headers, [large_row(entries) for entries in by_kernel(large)]))
    finding.say("Microseconds a call at small sizes, called back to back from Python: the host's part counts.")
    finding.say(table(["kernel", "dtype", *map(text_of, SMALL)], [small_row(e, SMALL) for e in by_kernel(small)]))
    short = [e for e in large if e["share"] < GOAL]
    finding.raw["below goal"] = [f"{e['kernel']} {e['dtype']}" for e in short]
    names = ", ".join(f"{e['kernel']} {e['dtype']} ({e['share']:.0%})" for e in short) or "none"
    finding.say(f"Below {GOAL:.0%} of the copy bandwidth: {names}.")


def counted(entries: list[Entry], planned: int) -> str:
    """In place of rates that mean nothing: how many measurements were made, of results that are right."""
    right = sum(not entry["fault"] for entry in entries)
    said = "all right" if right == planned else f"{right} of them made and right"
    return f"{planned} measurements of {len(CASES)} kernels, whose results are checked: {said}."


def by_kernel(entries: list[Entry]) -> list[list[Entry]]:
    """The entries of each kernel, in the order in which they were measured."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry["kernel"], []).append(entry)
    return list(found.values())


def large_row(entries: list[Entry]) -> list[str]:
    first, *others = entries
    shares = [f"{entry['share']:.0%}" for entry in entries]
    rest = ", ".join(f"{entry['dtype']} {share}" for entry, share in zip(others, shares[1:], strict=True)) or "-"
    moved, rate = math.ceil(first["bytes"] / MIB), first["bytes_per_second"] / 1e9
    return [first["kernel"], first["dtype"], str(moved), f"{rate:.0f}", shares[0], rest]


def small_row(entries: list[Entry], shapes: Sequence[Shape]) -> list[str]:
    times = {tuple(entry["shape"]): f"{entry['seconds'] * 1e6:.1f}" for entry in entries}
    return [entries[0]["kernel"], entries[0]["dtype"], *(times.get(shape, "-") for shape in shapes)]


def text_of(shape: Shape) -> str:
    return " x ".join(map(str, shape))
