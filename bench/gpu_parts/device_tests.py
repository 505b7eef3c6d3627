"""Part 2: the tests on the CUDA device, by pytest where it is installed. A runner of our own runs the op table where
pytest is missing, or has not run it on that device.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.gpu_parts.pytest_shard import VARIABLE
from bench.gpu_parts.setting import EMULATE, Finding, Setting
from bench.machine import ROOT, usable_cores
from bench.report import table

__all__ = ["run"]

MOST_SHARDS = 6  # each has a context of its own on the device
ALL, FEW = 1 << 30, 60
SHOWN = 20
FOLDER = "tests/cuda"
TABLE = "tests/cuda/test_table.py"
MARGIN = 5.0


def run(setting: Setting, finding: Finding) -> None:
    limit = FEW if setting.dry_run else ALL
    shards = 1 if setting.dry_run else max(1, min(MOST_SHARDS, usable_cores() // 2))
    outcomes: list[dict[str, str]] = []
    stopped = False
    if find_spec("pytest"):
        outcomes, stopped = run_shards(setting, "pytest", pytest_command(), shards, limit)
    finding.raw["pytest"] = len(outcomes)
    if not stopped and not any(TABLE in outcome["test"] for outcome in outcomes):
        command = [sys.executable, "-m", "bench.gpu_parts.table_runner"]
        table_outcomes, stopped = run_shards(setting, "table", command, shards, limit)
        outcomes += table_outcomes
    finding.raw["built-in runner"] = len(outcomes) - finding.raw["pytest"]
    summarize(finding, outcomes, stopped, limit)


def pytest_command() -> list[str]:
    plugin = ["-p", "bench.gpu_parts.pytest_shard", "-p", "no:cacheprovider"]
    quiet = ["-q", "--no-header", "--tb=line", "--continue-on-collection-errors"]
    return [sys.executable, "-m", "pytest", *plugin, *quiet, FOLDER]


def run_shards(
    setting: Setting, name: str, command: Sequence[str], shards: int, limit: int
) -> tuple[list[dict[str, str]], bool]:
    """All outcomes, and whether time ran out first."""
    files = [setting.folder / f"tests-{name}-{shard}.txt" for shard in range(shards)]
    running = [start(setting, command, file, shard, shards, limit) for shard, file in enumerate(files)]
    stopped = False
    for process in running:
        try:
            process.wait(max(1.0, setting.left() - MARGIN))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            stopped = True
    return [json.loads(line) for file in files if file.exists() for line in complete_lines(file)], stopped


def complete_lines(file: Path) -> list[str]:
    return file.read_text().rpartition("\n")[0].splitlines()


def start(
    setting: Setting, command: Sequence[str], file: Path, shard: int, shards: int, limit: int
) -> subprocess.Popen[str]:
    numbers = [str(n) for n in (shard, shards, limit)]
    environment = os.environ | {VARIABLE: " ".join([str(file), *numbers]), "TENSORGRAD_STRICT_DEVICE": "1"}
    if setting.dry_run:
        environment |= {EMULATE: "1"}
    arguments = [] if "pytest" in command else [str(file), *numbers]
    with file.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            [*command, *arguments], cwd=ROOT, env=environment, text=True, stdout=log, stderr=subprocess.STDOUT
        )


def summarize(finding: Finding, outcomes: list[dict[str, str]], stopped: bool, limit: int) -> None:
    counts = Counter(outcome["outcome"] for outcome in outcomes)
    failed = [outcome for outcome in outcomes if outcome["outcome"] == "failed"]
    finding.raw |= {"counts": dict(counts), "stopped": stopped, "failed": failed}
    finding.raw["skipped"] = [outcome for outcome in outcomes if outcome["outcome"] == "skipped"]
    of = "a sample of " if limit == FEW else "all "
    row: list[Any] = [counts[name] for name in ("passed", "failed", "skipped")]
    by = f"{finding.raw['pytest']} by pytest, {finding.raw['built-in runner']} (the op table) by a runner of our own"
    finding.say(f"The run is {of}the tests of the CUDA device: {by}.")
    finding.say(table(["device", "passed", "failed", "skipped"], [["cuda", *map(str, row)]]))
    for outcome in finding.raw["skipped"]:
        if outcome["test"].startswith("tests.ops."):
            finding.say(f"A family of ops is left out: {outcome['test']} ({outcome['error']}).")
    if not counts["passed"]:
        finding.fail("no test passed")
    if stopped:
        finding.fail("the time for the tests ran out before all of them had run")
    for outcome in failed[:SHOWN]:
        finding.fail(f"{outcome['test']}: {outcome['error'][:200]}")
    if len(failed) > SHOWN:
        finding.fail(f"and {len(failed) - SHOWN} more tests; the JSON file names them all")
