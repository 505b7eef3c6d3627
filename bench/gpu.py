"""One command for a machine with a GPU: is everything right there, and how fast is it?

    python -m bench.gpu --out FOLDER [--parts machine,kernels] [--minutes 8]
    python -m bench.gpu --out FOLDER --dry-run

It needs this checkout (nothing installed), NumPy, CuPy and safetensors, and SciPy for the tests; pytest, torch, JAX and
compute-sanitizer take part where they are. Every part runs in a process of its own; one that fails or takes too long is
reported, and the rest goes on. The report is written after every part, so that whoever ends this command early keeps
what was found. The first GPU is used, and compilers' caches are empty at the start. `--dry-run` goes through all of it
on the emulated device, at tiny sizes: its times mean nothing.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

from bench.gpu_parts.setting import read_finding
from bench.machine import ROOT
from bench.processes import Process, begin, end_all, result
from bench.report import Report, table
from tensorgrad.backends.device import why_unusable

__all__ = ["PARTS", "Outcome", "clean", "main"]

MINUTES, DRY_MINUTES = 8.0, 3.0
OUR_SHARE = 0.97  # of the minutes, for the parts; the rest is this process's own
GRACE = 3.0
EMULATED = "Emulated device, tiny sizes: this shows that the command works, and says nothing about speed."
LOG_END = 4000
SHOWN = 30
# Settings of whoever calls that would change what is measured.
MISLEADING = ("NVIDIA_TF32_OVERRIDE", "CUPY_ACCELERATORS", "CUPY_COMPILE_WITH_PTX", "CUDA_LAUNCH_BLOCKING")


@dataclass(frozen=True)
class Part:
    """module: of bench.gpu_parts. seconds: of eight minutes; what earlier parts leave over is added."""

    module: str
    title: str
    seconds: float


PARTS = {
    "machine": Part("device_info", "The machine", 30),
    "first-use": Part("first_use", "How long a first step takes", 40),
    "tests": Part("device_tests", "Tests on the CUDA device", 90),
    "sanitizers": Part("sanitizers", "Every kernel, launched and checked", 65),
    "roofs": Part("roofs", "What the card can do", 15),
    "kernels": Part("kernel_rates", "Kernels against the card", 65),
    "steps": Part("mlp_steps", "One training step of an MLP", 150),
    "digits": Part("digits_curve", "Training on digits, against the CPU", 20),
}


class Interrupted(Exception):
    """Somebody wants this command to end."""


class Ending:
    """SIGTERM, SIGHUP and SIGINT, as an exception where a part is waited for and nowhere else, so that none is left
    running: what comes earlier counts there too."""

    def __init__(self) -> None:
        self.asked = self.waiting = False

    def signalled(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if number == signal.SIGHUP:
            leave_terminal()
        if self.waiting:
            self.waiting = False  # once is enough: what was found is yet to be written
            raise Interrupted

    def wait_for(self, process: Process, seconds: float) -> int | None:
        """`result`, or Interrupted; the process has ended either way."""
        try:
            self.waiting = True
            if self.asked:
                raise Interrupted
            return result(process, seconds)
        finally:
            self.waiting = False
            end_all(process)


ENDING = Ending()
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def leave_terminal() -> None:
    """Print to nowhere: a terminal that has hung up refuses what is printed, and the report is yet to be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):  # isatty no longer knows
            os.dup2(null, descriptor)
    os.close(null)


@contextmanager
def signals_handled() -> Iterator[None]:
    """Signals go to ENDING, but for those that whoever calls has had ignored (nohup)."""
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, ENDING.signalled) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Outcome:
    """What came of a part. `stopped`: its time ran out, or (`interrupted`) the whole command was ended."""

    finding: dict[str, Any]
    seconds: float
    stopped: bool
    log: str
    interrupted: bool = False

    @property
    def failures(self) -> list[str]:
        found: list[str] = list(self.finding["failures"])
        if self.stopped:
            found.append(f"stopped {'from outside ' if self.interrupted else ''}after {self.seconds:.0f} seconds")
        elif not self.finding["complete"] and not found:
            found.append(f"ended without a result: {(self.log.strip().splitlines() or ['no output'])[-1]}")
        return found

    @property
    def state(self) -> str:
        if self.stopped:
            return "stopped"
        return "failed" if not self.finding["complete"] else "with failures" if self.failures else "passed"


def run_part(part: Part, folder: Path, seconds: float, dry_run: bool) -> Outcome:
    """Run a part in a session of its own, and end all that belongs to it when its time is over."""
    command = [sys.executable, "-m", "bench.gpu_parts.part", part.module, str(folder), f"{seconds:.1f}"]
    log, start = folder / f"{part.module}.log", monotonic()
    process = begin([*command, *(["--dry-run"] if dry_run else [])], log, environment(folder), session=True)
    interrupted = False
    try:
        stopped = ENDING.wait_for(process, seconds + GRACE) is None
    except Interrupted:
        stopped = interrupted = True
    finding = read_finding(folder / f"{part.module}.json")
    return Outcome(finding, monotonic() - start, stopped, log.read_text(errors="replace"), interrupted)


def environment(folder: Path) -> dict[str, str]:
    """One GPU, numbered as nvidia-smi does; tf32 off where nobody turns it on; caches of compiled kernels of our own,
    empty at first, and kept from part to part."""
    ours = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUPY_TF32": "0", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
    caches = ("CUPY_CACHE_DIR", "CUDA_CACHE_PATH", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")
    ours |= {name: str(folder / name.lower()) for name in caches}
    ours["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return {name: value for name, value in os.environ.items() if name not in MISLEADING} | ours


# ---------------------------------------------------------------------- the report
def clean(value: Any) -> Any:
    """Without host names and absolute paths, in all texts of a nested value."""
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return without_places(value) if isinstance(value, str) else value


def without_places(text: str) -> str:
    text = text.replace(f"{ROOT}/", "").replace(str(ROOT), ".")
    text = re.sub(r"(?<![\w./])(?:/[\w.+~-]+)+/([\w.+~-]+)", r"\1", text)
    host = socket.gethostname()
    return re.sub(rf"\b{re.escape(host)}\b", "this host", text) if len(host) > 2 else text


def add(report: Report, name: str, outcome: Outcome, dry_run: bool) -> None:
    """A part's section."""
    report.say(f"## {PARTS[name].title}")
    if dry_run:
        report.say(EMULATED)
    for paragraph in outcome.finding["paragraphs"]:
        report.say(clean(paragraph))
    if failures := [clean(one_line(failure)) for failure in outcome.failures]:
        more = [f"- and {len(failures) - SHOWN} more, which the JSON file names"] if len(failures) > SHOWN else []
        report.say("\n".join([*(f"- **failed**: {failure}" for failure in failures[:SHOWN]), *more]))
    report.raw[name] = {"state": outcome.state, "seconds": round(outcome.seconds, 1)}
    report.raw[name] |= {"failures": clean(outcome.failures)} | clean(outcome.finding["raw"])
    if outcome.state != "passed":
        report.raw[name]["log"] = clean(outcome.log[-LOG_END:])


def one_line(text: str) -> str:
    return " ".join(text.split())[:400]


def new_report(machine: Outcome, dry_run: bool) -> Report:
    gpu = str(machine.finding["raw"].get("gpu", "unknown GPU"))
    slug = re.sub(r"[^a-z0-9]+", "-", gpu.lower()).strip("-")
    report = Report("gpu-emulated" if dry_run else f"gpu-{slug}", f"CUDA on {gpu}")
    report.ending = datetime.now(UTC).strftime("-%H%M")
    report.raw |= {"gpu": gpu, "emulated": dry_run}
    return report


def summary(outcomes: dict[str, Outcome]) -> str:
    rows = [[name, o.state, str(len(o.failures)), f"{o.seconds:.0f}"] for name, o in outcomes.items()]
    rows.append(["all", "", str(sum(len(o.failures) for o in outcomes.values())), f"{sum_of(outcomes):.0f}"])
    return table(["part", "state", "failures", "seconds"], rows)


def sum_of(outcomes: dict[str, Outcome]) -> float:
    return sum(outcome.seconds for outcome in outcomes.values())


# ---------------------------------------------------------------------- the command
def main(arguments: Sequence[str] | None = None) -> int:
    """0: all passed; 1: something failed; 2: there is no GPU to use; 3: it was ended early."""
    options = parse(arguments)
    names = ["machine", *(name for name in PARTS if name in options.parts and name != "machine")]
    with signals_handled(), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        outcomes = run_all(names, Path(folder), options)
    if outcomes is None:
        return 2
    if any(outcome.interrupted for outcome in outcomes.values()):
        return 3
    return 0 if all(outcome.state == "passed" for outcome in outcomes.values()) else 1


def run_all(names: Sequence[str], folder: Path, options: argparse.Namespace) -> dict[str, Outcome] | None:
    """The outcome of each part, of fewer than all if somebody ends the command; None where there is no GPU."""
    outcomes: dict[str, Outcome] = {}
    start, report = monotonic(), None
    for name, deadline in deadlines(names, options.minutes).items():
        seconds = max(1.0, start + deadline - monotonic())
        outcomes[name] = outcome = run_part(PARTS[name], folder, seconds, options.dry_run)
        if report is None:
            if not outcome.finding["raw"] and not outcome.stopped and not options.dry_run:
                why = why_unusable("cuda") or one_line(outcome.failures[0])
                print(f"no GPU can be used: {why}", file=sys.stderr)
                print("--dry-run goes through everything on the emulated device", file=sys.stderr)
                return None
            report = new_report(outcome, options.dry_run)
        add(report, name, outcome, options.dry_run)
        report.lead = f"{EMULATED}\n\n{summary(outcomes)}" if options.dry_run else summary(outcomes)
        report.write(options.out)
        if outcome.interrupted:
            break
    assert report is not None
    print(report.lead, end="\n\n")
    report.save(options.out)
    return outcomes


def deadlines(names: Sequence[str], minutes: float) -> dict[str, float]:
    """Seconds from the start by which each part must end: the minutes, dealt out as PARTS says."""
    whole = sum(PARTS[name].seconds for name in names)
    ends, end = {}, 0.0
    for name in names:
        end += PARTS[name].seconds
        ends[name] = end / whole * minutes * 60 * OUR_SHARE
    return ends


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the JSON and the Markdown file")
    parser.add_argument("--dry-run", action="store_true", help="on the emulated device; needs g++, no GPU and no CuPy")
    parser.add_argument("--parts", type=part_list, default=list(PARTS), metavar="A,B", help=", ".join(PARTS))
    how_many = f"at most (default {MINUTES:g}, dry run {DRY_MINUTES:g})"
    parser.add_argument("--minutes", type=positive, metavar="N", help=how_many)
    options = parser.parse_args(arguments)
    if options.minutes is None:
        options.minutes = DRY_MINUTES if options.dry_run else MINUTES
    return options


def positive(text: str) -> float:
    """ValueError where it is no number."""
    if not 0 < (minutes := float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: it must be greater than 0 and finite")
    return minutes


def part_list(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
