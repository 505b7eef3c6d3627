"""How long a user waits for the first training step: with no kernel compiled yet, and with all of them on disk. Then
every kernel in every dtype is compiled, so that the parts that follow wait no more.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

from bench.gpu_parts.setting import Finding, Setting, open_cupy
from bench.kernel_table import kernel_files
from bench.machine import usable_cores
from bench.processes import begin, result
from bench.report import table
from tensorgrad.backends.kernel_files import FLOATS, INTEGERS, SUFFIXES, compile_options, kernel_source

__all__ = ["run"]

Job = tuple[str, str]
STAGES = ("import", "device", "first step", "second step")
MOST_PROCESSES = 8
FEW = 2  # parts of sources that a dry run compiles
SHARE = 0.45  # of the time, for each of the two first steps


def run(setting: Setting, finding: Finding) -> None:
    cache, rows = str(setting.folder / "cache-of-first-use"), []
    for state in ("none compiled", "on disk"):
        if seconds := first_steps(setting, finding, state, cache):
            rows.append([state, *(f"{seconds[stage]:.2f}" for stage in STAGES)])
    finding.say(
        "Seconds of a fresh process: to import tensorgrad, to open the device (CuPy and one kernel), and for two steps "
        "of an MLP in float32 with dropout, cross-entropy and Adam. The kernels, and CuPy's own, are compiled in the "
        "first of them, or come from the disk."
    )
    finding.say(table(["kernels", *STAGES], rows))
    compile_everything(setting, finding)


def first_steps(setting: Setting, finding: Finding, state: str, cache: str) -> dict[str, float]:
    """Seconds of each stage; nothing where they failed."""
    file = setting.folder / "first-steps.log"
    command = [sys.executable, "-m", "bench.gpu_parts.first_steps", *(["--dry-run"] if setting.dry_run else [])]
    code = result(begin(command, file, os.environ | {"CUPY_CACHE_DIR": cache}), SHARE * setting.seconds)
    last = (file.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]
    if code != 0:
        finding.fail(f"first step, {state}: {'time ran out' if code is None else last}")
        return {}
    seconds: dict[str, float] = json.loads(last)
    finding.raw[state] = seconds
    return seconds


# ---------------------------------------------------------------------- all kernels
def compile_everything(setting: Setting, finding: Finding) -> None:
    """In several processes, into the cache that the later parts use."""
    jobs = list(all_jobs())[: FEW if setting.dry_run else None]
    processes = min(MOST_PROCESSES, max(1, usable_cores() // 2))
    start = perf_counter()
    with ProcessPoolExecutor(processes, get_context("spawn"), open_cupy, (setting.dry_run,)) as pool:
        errors = [error for error in pool.map(compiled, jobs) if error]
    seconds = perf_counter() - start
    finding.raw["all kernels"] = {"parts": len(jobs), "processes": processes, "seconds": seconds, "errors": errors}
    finding.say(f"All kernels, {len(jobs)} parts of sources, {processes} at a time: {seconds:.1f} s.")
    for error in errors:
        finding.fail(error)


def all_jobs() -> Iterator[Job]:
    """(file, suffix of a dtype) of everything that is ever compiled."""
    for file in kernel_files():
        dtypes = FLOATS + INTEGERS if "FOR_ALL_INTEGERS" in kernel_source(file) else FLOATS
        yield from ((file, suffix) for suffix in ("", *(SUFFIXES[dtype] for dtype in dtypes)))


def compiled(job: Job) -> str:
    """What is wrong with a part of a source; nothing if it compiles."""
    from cupy import RawModule

    file, suffix = job
    try:
        RawModule(code=kernel_source(file), options=compile_options(suffix)).compile()
    except Exception as error:
        return f"{file} for {suffix or 'no dtype'}: {type(error).__name__}: {error}"
    return ""
