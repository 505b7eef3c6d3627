"""Every kernel launched and checked at odd sizes, plainly and under compute-sanitizer where it is found."""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

from bench.gpu_parts.setting import Finding, Setting
from bench.processes import begin, result
from bench.report import table

__all__ = ["find_sanitizer", "run"]

# The driver gives each array an allocation of its own; padding keeps them apart. What calls to the driver return is
# CuPy's business.
TOOLS = {
    "memcheck": ["--leak-check", "no", "--padding", "256", "--report-api-errors", "no"],
    "racecheck": ["--racecheck-report", "all"],
}
# Of the time that is left when its turn comes.
SHARES = {"plain": 0.4, "memcheck": 0.5, "racecheck": 1.0}
SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (.*)")
REFUSAL = re.compile(r"=+ (?:Error: )?(.*(?:not supported|before first instrumented API call).*)")
ERRORS_FOUND = 9  # the exit code that we ask for
SHOWN = 10
MARGIN = 3.0
DRIVING = 0.8  # of the time, for the launches; the rest for Python's start and the tool's end
LOG_END = 8000


def run(setting: Setting, finding: Finding) -> None:
    tool = None if setting.dry_run else find_sanitizer()
    finding.raw["compute-sanitizer"] = "found" if tool else "not found"
    rows = [watched(setting, finding, "plain", [])]
    for name, options in TOOLS.items():
        if tool is not None:
            command = [str(tool), "--tool", name, *options, "--error-exitcode", str(ERRORS_FOUND)]
            rows.append(watched(setting, finding, name, command))
    finding.say(table(["run", "launches", "left out", "wrong", "kernels", "tool says"], rows))
    finding.say("A launch is left out where there was no time for it, or after the device has failed.")
    if tool is None:
        why = "It plays no part on the emulated device" if setting.dry_run else "compute-sanitizer was not found"
        finding.say(f"{why}: the kernels ran without memcheck and racecheck.")


def watched(setting: Setting, finding: Finding, name: str, prefix: list[str]) -> list[str]:
    """Run the driver under a tool; the row of the table."""
    file, log = setting.folder / f"kernels-{name}.json", setting.folder / f"kernels-{name}.log"
    seconds = max(2.0, SHARES[name] * setting.left() - MARGIN)
    driver = [sys.executable, "-m", "bench.gpu_parts.kernel_driver", str(file), f"{time() + seconds * DRIVING:.1f}"]
    driver += ["--dry-run"] if setting.dry_run else []
    driver += ["--watched"] if prefix else []
    code = result(begin([*prefix, *driver], log, os.environ), seconds)
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    output = log.read_text(errors="replace")
    summaries = SUMMARY.findall(output)
    finding.raw[name] = {"exit code": code, "tool": summaries, **found}
    refusal = REFUSAL.search(output) if prefix and not found else None
    if refusal is not None:
        finding.say(f"{name} cannot watch programs on this machine: {refusal[1]}")
        return [name, "-", "-", "-", "-", "no part"]
    report(finding, name, code, found, summaries, output)
    counts = [found.get(what, "-") for what in ("runs", "left out", "faults", "kernels")]
    said = "; ".join(summaries) or ("-" if code is not None else "stopped")
    return [name, *(str(len(count) if isinstance(count, list) else count) for count in counts), said]


def report(
    finding: Finding, name: str, code: int | None, found: dict[str, Any], summaries: list[str], output: str
) -> None:
    """Note what went wrong in a run of the driver."""
    faults = found.get("faults", [])
    for fault in faults[:SHOWN]:
        finding.fail(f"{name}: {fault}")
    if found and not found["runs"] and not faults:
        finding.fail(f"{name}: there was no time for a single launch")
    if code is None:
        finding.fail(f"{name}: time ran out after {found.get('runs', 0)} launches")
    elif code == ERRORS_FOUND or (code and not faults):
        finding.raw[name]["output"] = output[-LOG_END:]
        last = summaries[-1] if summaries else (output.strip().splitlines() or ["no output"])[-1]
        finding.fail(f"{name}: exit code {code}: {last}")


def find_sanitizer() -> Path | None:
    """compute-sanitizer: on PATH, in a toolkit, or in the package nvidia-cuda-sanitizer-api."""
    return next((path for path in places() if os.access(path, os.X_OK) and path.is_file()), None)


def places() -> Iterator[Path]:
    if found := shutil.which("compute-sanitizer"):
        yield Path(found)
    roots = [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    roots += sorted(Path("/usr/local").glob("cuda*"), reverse=True)
    for folder in {sysconfig.get_path("purelib"), *site.getsitepackages(), site.getusersitepackages()}:
        roots += sorted(Path(folder).glob("nvidia/*"))
    for root in roots:
        for inner in ("bin", "compute-sanitizer", ""):
            yield root / inner / "compute-sanitizer"
