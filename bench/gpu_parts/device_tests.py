"""The tests on the CUDA device, by pytest where it is installed. A runner of our own runs the op table where pytest is
missing, or has not run it on that device.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.gpu_parts.pytest_shard import VARIABLE
from bench.gpu_parts.setting import EMULATE, Finding, Setting
from bench.machine import usable_cores
from bench.processes import Process, begin, result
from bench.report import table
from bench.timing import SINGLE_THREAD

__all__ = ["Shards", "run"]

# Each has a context of its own on the device. Most of the time goes to the compiler.
MOST_SHARDS = 12
ALL, FEW = 1 << 30, 60
SHOWN = 20
FOLDER = "tests/cuda"
TABLE = "tests/cuda/test_table.py"
MARGIN = 5.0
# What is noted beside the planned tests. BROKEN: a family of the op table, or a file, that cannot be imported.
BROKEN = "broken"
NO_TESTS = ("warning", BROKEN)


@dataclass
class Shards:
    """What the processes have noted. `lost`: a line for each that ended before it had run all its tests. `uncounted`:
    processes that never said how many they had."""

    outcomes: list[dict[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stopped: bool = False
    planned: int = 0
    done: int = 0
    uncounted: int = 0

    def add(self, number: int, code: int | None, notes: Path, log: Path) -> None:
        lines = complete_lines(notes)
        planned = next((line["planned"] for line in lines if "planned" in line), None)
        outcomes = [line for line in lines if "test" in line]
        self.outcomes += outcomes
        done = len({line["test"] for line in outcomes if line["outcome"] not in NO_TESTS})
        self.planned, self.done = self.planned + (planned or 0), self.done + done
        self.uncounted += planned is None
        self.stopped |= code is None
        if code is not None and (planned is None or done < planned):
            said = (log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]
            self.lost.append(f"process {number} ended with exit code {code} after {done} of {planned} tests: {said}")


def run(setting: Setting, finding: Finding) -> None:
    limit = FEW if setting.dry_run else ALL
    count = 1 if setting.dry_run else max(1, min(MOST_SHARDS, usable_cores() * 3 // 4))
    shards = Shards()
    if find_spec("pytest"):
        run_shards(shards, setting, "pytest", pytest_command(), count, limit)
    finding.raw["pytest"] = ran(shards)
    if not shards.stopped and not any(TABLE in line["test"] and "::" in line["test"] for line in shards.outcomes):
        command = [sys.executable, "-m", "bench.gpu_parts.table_runner"]
        run_shards(shards, setting, "table", command, count, limit)
    finding.raw["built-in runner"] = ran(shards) - finding.raw["pytest"]
    summarize(finding, shards, limit)


def pytest_command() -> list[str]:
    plugin = ["-p", "bench.gpu_parts.pytest_shard", "-p", "no:cacheprovider"]
    # A warning that only this machine's versions give is noted; it is no failure of the device.
    quiet = ["-q", "--no-header", "--tb=line", "--continue-on-collection-errors", "-W", "default"]
    return [sys.executable, "-m", "pytest", *plugin, *quiet, FOLDER]


def run_shards(shards: Shards, setting: Setting, name: str, command: Sequence[str], count: int, limit: int) -> None:
    """Side by side, until the time is over."""
    notes = [setting.folder / f"tests-{name}-{number}.txt" for number in range(count)]
    running = [start(setting, command, file, number, count, limit) for number, file in enumerate(notes)]
    for number, (process, file) in enumerate(zip(running, notes, strict=True)):
        code = result(process, setting.left() - MARGIN)
        shards.add(number, code, file, file.with_suffix(".log"))


def start(setting: Setting, command: Sequence[str], file: Path, number: int, count: int, limit: int) -> Process:
    numbers = [str(n) for n in (number, count, limit)]
    environment = os.environ | {VARIABLE: " ".join([str(file), *numbers]), "TENSORGRAD_STRICT_DEVICE": "1"}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", **SINGLE_THREAD}
    if setting.dry_run:
        environment |= {EMULATE: "1"}
    arguments = [] if "pytest" in command else [str(file), *numbers]
    return begin([*command, *arguments], file.with_suffix(".log"), environment)


def complete_lines(file: Path) -> list[dict[str, Any]]:
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


def ran(shards: Shards) -> int:
    return sum(line["outcome"] in ("passed", "failed", "skipped") for line in shards.outcomes)


def summarize(finding: Finding, shards: Shards, limit: int) -> None:
    outcomes, counts = shards.outcomes, Counter(outcome["outcome"] for outcome in shards.outcomes)
    broken = {line["test"]: line["error"] for line in outcomes if line["outcome"] == BROKEN}  # by pytest, by our runner
    failed, skipped = ([line for line in outcomes if line["outcome"] == kind] for kind in ("failed", "skipped"))
    warnings = Counter(line["error"] for line in outcomes if line["outcome"] == "warning")
    finding.raw |= {"counts": dict(counts), "stopped": shards.stopped, "failed": failed, "skipped": skipped}
    finding.raw |= {"planned": shards.planned, "done": shards.done, "broken": broken}
    finding.raw |= {"lost": shards.lost, "warnings": dict(warnings)}
    by = f"{finding.raw['pytest']} by pytest, {finding.raw['built-in runner']} (the op table) by a runner of our own"
    finding.say(f"The run is {extent(shards, limit)} of the CUDA device: {by}.")
    columns = ("passed", "failed", "skipped", "warning")
    finding.say(table(["device", *columns], [["cuda", *(str(counts[name]) for name in columns)]]))
    for reason, times in Counter(line["error"] for line in skipped).items():
        example = next(line["test"] for line in skipped if line["error"] == reason)
        finding.say(f"Skipped: {times}, as {example}: {reason.removeprefix('Skipped: ') or 'no reason given'}.")
    if not counts["passed"]:
        finding.fail("no test passed")
    if shards.stopped:
        finding.fail("the time for the tests ran out before all of them had run")
    for text in shards.lost:
        finding.fail(text)
    for family, error in broken.items():
        finding.fail(f"{family} and all its tests are missing: {error[:200]}")
    for line in failed[:SHOWN]:
        finding.fail(f"{line['test']}: {line['error'][:200]}")
    if len(failed) > SHOWN:
        finding.fail(f"and {len(failed) - SHOWN} more tests; the JSON file names them all")


def extent(shards: Shards, limit: int) -> str:
    """How much of what was planned has run."""
    if shards.done < shards.planned or shards.uncounted:
        unknown = (
            f" (and those of {shards.uncounted} processes that had not counted theirs)" if shards.uncounted else ""
        )
        return f"{shards.done} of {shards.planned} planned tests{unknown}"
    imported = " that can be imported" if any(line["outcome"] == BROKEN for line in shards.outcomes) else ""
    return f"{'a sample of ' if limit == FEW else 'all '}the tests{imported}"
