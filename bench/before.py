"""What a change costs: another checkout of tensorgrad against this one, interleaved in one run.

    git worktree add ../before HEAD~5
    python -m bench.before ../before [--parts overhead,steps,import] [--save]

The rows are those of `bench.overhead`, `bench.steps` and `bench.import_time`, with the other checkout in the peers'
place. Each checkout runs its own code, its benchmarks' too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.comparison import Comparison
from bench.import_time import fresh
from bench.mlp.problem import CASES
from bench.overhead import DIRECTIONS
from bench.overhead_links import LINKS
from bench.report import Report, add_save_option, table
from bench.timing import ROOT, SINGLE_THREAD, Contender, Contest, rotated

__all__ = ["PARTS", "compare"]

BEFORE, AFTER = "before", "after"
HEADERS = ["row", "before us", "after us", "after / before", "quartiles"]
Measured = Iterator[tuple[str, Comparison]]


def overhead(roots: dict[str, Path], rounds: int, turn: float) -> Measured:
    """Each op on the tape, in both directions."""
    for direction in DIRECTIONS:
        for index, link in enumerate(LINKS):
            arguments = {"module": "tensorgrad", "link": index}
            factory = f"bench.overhead_taped:{direction}"
            yield f"{link.name}, {direction}", compare(roots, factory, arguments, SINGLE_THREAD, rounds, turn)


def steps(roots: dict[str, Path], rounds: int, turn: float) -> Measured:
    """Each training step of the MLPs."""
    for case in CASES:
        yield f"step, {case}", compare(roots, "bench.mlp.tensorgrad_step:make", {"case": case}, {}, rounds, 10 * turn)


def imports(roots: dict[str, Path], rounds: int, turn: float) -> Measured:
    """`import tensorgrad` in a fresh interpreter."""
    for root in roots.values():
        fresh("tensorgrad", root)  # compiles
    seconds: dict[str, list[float]] = {name: [] for name in roots}
    for number in range(rounds):
        for name in rotated(list(roots), number):
            seconds[name].append(fresh("tensorgrad", roots[name]).seconds)
    yield "import", Comparison(seconds, dict.fromkeys(roots, 1), None)


PARTS = {"overhead": overhead, "steps": steps, "import": imports}


def compare(
    roots: dict[str, Path],
    factory: str,
    arguments: dict[str, object],
    environment: dict[str, str],
    rounds: int,
    turn: float,
) -> Comparison:
    """One workload of both checkouts, a process each."""
    contenders = [Contender(name, factory, arguments, environment, root) for name, root in roots.items()]
    with Contest(contenders) as contest:
        return contest.time(rounds, turn)


def cells(row: str, comparison: Comparison) -> list[str]:
    before, after = (f"{median(comparison.seconds[name]) * 1e6:.2f}" for name in (BEFORE, AFTER))
    ratio = comparison.ratio(AFTER, BEFORE)
    return [row, before, after, f"{ratio.median:.3f}", f"{ratio.low:.3f} - {ratio.high:.3f}"]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.before", description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path, help="the folder of the other checkout")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"which of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=25, help="turns of each checkout (default 25)")
    parser.add_argument("--turn", type=float, default=0.02, help="seconds a turn, ten times as long for a step")
    add_save_option(parser)
    options = parser.parse_args(arguments)
    options.parts = options.parts.split(",")
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not (options.checkout / "tensorgrad").is_dir():
        parser.error(f"{options.checkout} is no checkout of tensorgrad")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each workload, and the worst of them."""
    options = parse(arguments)
    roots = {BEFORE: options.checkout.resolve(), AFTER: ROOT}
    report = Report("before", "This checkout against another")
    measured = {row: c for part in options.parts for row, c in PARTS[part](roots, options.rounds, options.turn)}
    report.say(table(HEADERS, [cells(row, comparison) for row, comparison in measured.items()]))
    worst = max(measured, key=lambda row: measured[row].ratio(AFTER, BEFORE).median)
    report.say(f"The slowest beside before: {worst}, {measured[worst].ratio(AFTER, BEFORE).median:.3f}.")
    report.raw |= {row: comparison.to_json(BEFORE) for row, comparison in measured.items()}
    loads = [c.foreign_load for c in measured.values() if c.foreign_load is not None]
    report.warn_if_busy(median(loads) if loads else None)
    report.save(options.save)
    return 0


if __name__ == "__main__":
    sys.exit(main())
