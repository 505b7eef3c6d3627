"""`import tensorgrad` against `import numpy`: fresh interpreters, interleaved.

    python -m bench.import_time [--rounds 21] [--save]

Only the import is timed, not the interpreter's start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.comparison import Comparison
from bench.report import Report, add_save_option, table
from bench.timing import ROOT, rotated

__all__ = ["BUDGET", "HEAVY", "fresh", "measure"]

BUDGET = 2.0
MODULES = ("numpy", "tensorgrad")
HEAVY = ("cupy", "rich", "matplotlib", "safetensors", "scipy", "torch")
PROGRAM = """
import json, sys, time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
print(json.dumps([seconds, len(sys.modules), [name for name in {heavy} if name in sys.modules]]))
"""


@dataclass(frozen=True)
class Import:
    """One import in a fresh interpreter: its time, the modules then loaded, and those of HEAVY among them."""

    seconds: float
    modules: int
    heavy: tuple[str, ...]


def fresh(module: str, root: Path = ROOT) -> Import:
    """One import of `module`, as the checkout `root` has it."""
    program = PROGRAM.format(module=module, heavy=HEAVY)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    seconds, modules, heavy = json.loads(done.stdout)
    return Import(seconds, modules, tuple(heavy))


def measure(rounds: int, modules: Sequence[str] = MODULES) -> tuple[Comparison, dict[str, Import]]:
    """All times, and the last import of each module. A first import of each is not counted: it compiles."""
    last = {module: fresh(module) for module in modules}
    seconds: dict[str, list[float]] = {module: [] for module in modules}
    for number in range(rounds):
        for module in rotated(modules, number):
            last[module] = fresh(module)
            seconds[module].append(last[module].seconds)
    return Comparison(seconds, dict.fromkeys(modules, 1), None), last


def row(module: str, comparison: Comparison, found: Import) -> list[str]:
    time, ratio = comparison.spread(module), comparison.ratio(module, "numpy")
    quartiles = f"{time.low * 1e3:.1f} - {time.high * 1e3:.1f}"
    return [module, f"{time.median * 1e3:.1f}", quartiles, f"{ratio.median:.2f}", str(found.modules)]


def verdict(comparison: Comparison, found: Import) -> str:
    ratio = comparison.ratio("tensorgrad", "numpy").median
    kept = "kept" if ratio <= BUDGET else "NOT kept"
    heavy = ", ".join(found.heavy or [f"none of {', '.join(HEAVY)}"])
    budget = f"budget {BUDGET:.0f}: {kept}"
    return f"import tensorgrad takes {ratio:.2f} times import numpy; {budget}. It imports {heavy}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and the verdict. A missed budget is said, not raised: the exit code is 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.import_time", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=21, help="imports of each module (default 21)")
    add_save_option(parser)
    options = parser.parse_args(arguments)
    report = Report("import", "Import time")
    comparison, last = measure(options.rounds)
    rows = [row(module, comparison, last[module]) for module in MODULES]
    report.say(table(["module", "ms", "quartiles", "over numpy", "modules loaded"], rows))
    report.say(verdict(comparison, last["tensorgrad"]))
    report.raw = {**comparison.to_json("numpy"), "heavy": last["tensorgrad"].heavy}
    report.save(options.save)
    return 0


if __name__ == "__main__":
    sys.exit(main())
