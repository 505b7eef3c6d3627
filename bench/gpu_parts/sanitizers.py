"""Part 3: every kernel launched and checked at odd sizes, plainly and under compute-sanitizer where it is found."""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.gpu_parts.setting import Finding, Setting
from bench.machine import ROOT
from bench.report import table

__all__ = ["find_sanitizer", "run"]

TOOLS = {"memcheck": ["--leak-check", "no"], "racecheck": ["--racecheck-report", "all"]}
# Of the time that is left when its turn comes.
SHARES = {"plain": 0.4, "memcheck": 0.5, "racecheck": 1.0}
SUMMARY = re.compile(r"(ERROR|RACECHECK) SUMMARY: (.*)")
SHOWN = 10
MARGIN = 3.0


def run(setting: Setting, finding: Finding) -> None:
    tool = None if setting.dry_run else find_sanitizer()
    finding.raw["compute-sanitizer"] = "found" if tool else "not found"
    rows = [watched(setting, finding, "plain", [])]
    for name, options in TOOLS.items():
        if tool is not None:
            command = [str(tool), "--tool", name, *options, "--error-exitcode", "9"]
            rows.append(watched(setting, finding, name, command))
    finding.say(table(["run", "launches", "wrong", "kernels", "tool says"], rows))
    if tool is None:
        why = "It plays no part on the emulated device" if setting.dry_run else "compute-sanitizer was not found"
        finding.say(f"{why}: the kernels ran without memcheck and racecheck.")


def watched(setting: Setting, finding: Finding, name: str, prefix: list[str]) -> list[str]:
    """Run the driver under a tool; the row of the table."""
    file = setting.folder / f"kernels-{name}.json"
    driver = [sys.executable, "-m", "bench.gpu_parts.kernel_driver", str(file)]
    driver += ["--dry-run"] if setting.dry_run else []
    driver += ["--quick"] if setting.dry_run or prefix else []
    output, code = output_within([*prefix, *driver], max(1.0, SHARES[name] * setting.left() - MARGIN))
    result: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    summaries = [text for _, text in SUMMARY.findall(output)]
    finding.raw[name] = {"exit code": code, "tool": summaries, **result}
    for fault in result.get("faults", [])[:SHOWN]:
        finding.fail(f"{name}: {fault}")
    if code is None:
        finding.fail(f"{name}: time ran out")
    elif code and not result.get("faults"):
        finding.raw[name]["output"] = output[-8000:]
        finding.fail(f"{name}: exit code {code}: {last_line(summaries, output)}")
    wrong = str(len(result["faults"])) if result else "-"
    numbers = [str(result.get("runs", "-")), wrong, str(len(result.get("kernels", ())) or "-")]
    return [name, *numbers, "; ".join(summaries) or ("-" if code is not None else "stopped")]


def last_line(summaries: list[str], output: str) -> str:
    return summaries[-1] if summaries else (output.strip().split("\n") or [""])[-1]


def output_within(command: list[str], seconds: float) -> tuple[str, int | None]:
    """What a command printed, and its exit code; None where it had to be stopped."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as stopped:
        text = stopped.stdout or b""
        return text if isinstance(text, str) else text.decode(errors="replace"), None
    return done.stdout, done.returncode


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
