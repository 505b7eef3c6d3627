"""Kernels that are wrong on purpose: each must be caught, in every kind of run that promises it, with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.emulator import EmulatedModule, EmulationError, SanitizerError, available, build
from tests.emulator.module import Sanitizer

pytestmark = pytest.mark.skipif(not available(), reason="the emulator needs g++")

FAULTS = Path(__file__).parent / "faults"

Modes = tuple[Sanitizer | None, ...]

ADDRESS: Modes = ("address,undefined",)
THREAD: Modes = ("thread",)
PLAIN_AND_ADDRESS: Modes = (None, "address,undefined")
EVERY: Modes = (None, "address,undefined", "thread")

# The label of a marked line -> what must be reported there, and by which builds.
EXPECTED: dict[str, tuple[str, Modes]] = {
    "early": ("data race", THREAD),
    "overwritten": ("data race", THREAD),
    "shuffled": ("data race", THREAD),
    "global": ("out of bounds in global memory", ADDRESS),
    "before": ("out of bounds in global memory", ADDRESS),
    "shared": ("index out of bounds", ADDRESS),
    "pointer": ("out of bounds in shared memory", ADDRESS),
    "dynamic": ("out of bounds in shared memory", ADDRESS),
    "local": ("index out of bounds", ADDRESS),
    "exit": ("barrier divergence", EVERY),
    "branch": ("barrier divergence", EVERY),
    "deadlock": ("deadlock", EVERY),
    "load": ("misaligned access", PLAIN_AND_ADDRESS),
    "store": ("misaligned access", PLAIN_AND_ADDRESS),
    "vector": ("misaligned access", PLAIN_AND_ADDRESS),
    "sum": ("data race", THREAD),
    "barrier": ("data race", THREAD),
    "fence": ("data race", THREAD),
    "exited": ("shuffle from an inactive lane", EVERY),
    "unnamed": ("shuffle from an inactive lane", EVERY),
    "mask": ("warp divergence", EVERY),
    "mixed": ("warp divergence", EVERY),
    "read": ("uninitialised shared memory", ADDRESS),
    "atomic": ("uninitialised shared memory", ADDRESS),
    "overflow": ("undefined behaviour", ADDRESS),
    "shift": ("undefined behaviour", ADDRESS),
    "null": ("null pointer", PLAIN_AND_ADDRESS),
    "assert": ("assertion", EVERY),
}


def floats(count: int) -> np.ndarray[Any, Any]:
    return np.ones(count, np.float32)


def ints(count: int, value: int = 1) -> np.ndarray[Any, Any]:
    return np.full(count, value, np.int32)


@dataclass(frozen=True)
class Fault:
    """A launch of `kernel` that must be caught at a line of its file marked `// FAULT label`."""

    file: str
    kernel: str
    label: str
    args: Callable[[], tuple[Any, ...]]
    block: int
    grid: int = 1
    shared_mem: int = 0

    def __str__(self) -> str:
        return f"{self.file}-{self.kernel}"

    @property
    def source(self) -> Path:
        return FAULTS / f"{self.file}.cu"

    def marked_lines(self) -> set[int]:
        lines = enumerate(self.source.read_text().splitlines(), start=1)
        return {number for number, line in lines if line.endswith(f"// FAULT {self.label}")}


FAULTY = [
    Fault("missing_barrier", "read_too_early", "early", lambda: (floats(64), floats(64)), 64, shared_mem=256),
    Fault("missing_barrier", "overwrite_too_early", "overwritten", lambda: (floats(256), floats(64), 4), 64, 1, 256),
    Fault("missing_barrier", "shuffle_is_no_barrier", "shuffled", lambda: (floats(32), floats(32)), 32),
    Fault("out_of_bounds", "beyond_global", "global", lambda: (floats(63), 63), 64),
    Fault("out_of_bounds", "before_global", "before", lambda: (floats(64), floats(64)), 64),
    Fault("out_of_bounds", "beyond_shared", "shared", lambda: (floats(64), floats(64)), 64),
    Fault("out_of_bounds", "beyond_shared_by_pointer", "pointer", lambda: (floats(64), floats(64)), 64),
    Fault("out_of_bounds", "beyond_dynamic", "dynamic", lambda: (floats(64), floats(64)), 64, shared_mem=256),
    Fault("out_of_bounds", "beyond_local", "local", lambda: (ints(2, 4), floats(1)), 1),
    Fault("barrier_divergence", "early_exit", "exit", lambda: (floats(64), 63), 64),
    Fault("barrier_divergence", "two_branches", "branch", lambda: (floats(64),), 64),
    Fault("barrier_divergence", "half_a_warp", "deadlock", lambda: (floats(32),), 32),
    Fault("misaligned", "misaligned_load", "load", lambda: (floats(8), floats(1)), 1),
    Fault("misaligned", "misaligned_store", "store", lambda: (np.ones(4),), 1),
    Fault("misaligned", "misaligned_shared", "vector", lambda: (floats(8),), 8),
    Fault("race_between_blocks", "plain_sum", "sum", lambda: (floats(2), floats(1)), 32, grid=2),
    Fault("race_between_blocks", "before_a_barrier", "barrier", lambda: (floats(2), floats(65)), 32, grid=2),
    Fault(
        "race_between_blocks", "no_fence", "fence", lambda: (floats(2), floats(2), floats(1), ints(1, 0)), 32, grid=2
    ),
    Fault("lanes", "shuffle_from_exited", "exited", lambda: (floats(32), floats(32), 31), 32),
    Fault("lanes", "shuffle_from_unnamed", "unnamed", lambda: (floats(32), floats(32)), 32),
    Fault("lanes", "not_in_own_mask", "mask", lambda: (ints(32),), 32),
    Fault("lanes", "different_collectives", "mixed", lambda: (floats(32), floats(32)), 32),
    Fault("uninitialised", "partly_written", "read", lambda: (floats(64), floats(64)), 64),
    Fault("uninitialised", "counted_by_the_block_before", "atomic", lambda: (ints(2),), 32, grid=2),
    Fault("undefined", "overflow", "overflow", lambda: (ints(4),), 4),
    Fault("undefined", "shift_too_far", "shift", lambda: (ints(4, 33),), 4),
    Fault("undefined", "null_pointer", "null", lambda: (0,), 1),
    Fault("undefined", "failed_assertion", "assert", lambda: (ints(4, 0),), 4),
]


@cache
def module(source: Path, sanitizer: Sanitizer | None) -> EmulatedModule:
    return build(source, sanitizer=sanitizer)


def check(fault: Fault, sanitizer: Sanitizer | None) -> None:
    launch = module(fault.source, sanitizer).launch
    marked = fault.marked_lines()
    with pytest.raises(EmulationError) as raised:
        launch(fault.kernel, (fault.grid,), (fault.block,), fault.args(), shared_mem=fault.shared_mem)
    error = raised.value
    assert (error.kernel, error.kind) == (fault.kernel, EXPECTED[fault.label][0])
    assert (Path(error.file), error.line in marked) == (fault.source, True)
    if isinstance(error, SanitizerError) and error.kind == "data race":
        assert set(error.lines[:2]) <= marked


@pytest.mark.parametrize("fault", [fault for fault in FAULTY if None in EXPECTED[fault.label][1]], ids=str)
def test_caught_without_a_sanitizer(fault: Fault) -> None:
    check(fault, None)


@pytest.mark.sanitizer
@pytest.mark.parametrize(
    ("fault", "sanitizer"),
    [pytest.param(fault, mode, id=f"{fault}-{mode}") for fault in FAULTY for mode in EXPECTED[fault.label][1] if mode],
)
def test_caught_by_a_sanitizer(fault: Fault, sanitizer: Sanitizer) -> None:
    check(fault, sanitizer)


@pytest.mark.parametrize("kernel", ["read_too_early", "overwrite_too_early"])
def test_a_missing_barrier_gives_wrong_results_in_random_order(kernel: str) -> None:
    rounds, threads = 4, 64
    x = np.arange(rounds * threads, dtype=np.float32)
    read_early = kernel == "read_too_early"
    right = x[:threads][::-1] if read_early else x.reshape(rounds, threads)[:, ::-1].sum(0)
    wrong = 0
    for seed in range(20):
        out = np.zeros(threads, np.float32)
        args = (x, out) if read_early else (x, out, rounds)
        launched = module(FAULTS / "missing_barrier.cu", None)
        launched.launch(kernel, (1,), (threads,), args, shared_mem=4 * threads, seed=seed)
        wrong += not np.array_equal(out, right)
    assert wrong == 20


def test_unwritten_shared_memory_is_nan() -> None:
    out = floats(64)
    module(FAULTS / "uninitialised.cu", None).launch("partly_written", (1,), (64,), (floats(64), out))
    assert np.array_equal(np.isnan(out), np.arange(64) % 2 == 1)


def test_a_failed_launch_leaves_the_module_usable() -> None:
    launched = module(FAULTS / "barrier_divergence.cu", None)
    for _ in range(3):
        with pytest.raises(EmulationError):
            launched.launch("early_exit", (1,), (64,), (floats(64), 63))
        x = floats(64)
        launched.launch("early_exit", (1,), (64,), (x, 64))
        assert x[0] == 4
