"""What the tape costs: microseconds an op, over the raw NumPy calls in it, on (32, 32) float32 arrays.

    python -m bench.overhead [--quick] [--save]

Forward: one recorded op, result dropped. Backward: a chain of 100 links, per op, less its raw gradient calls.
Everything runs on one thread; torch's recorded op stands beside where torch is installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.comparison import Comparison
from bench.overhead_links import LINKS, Link
from bench.report import Report, add_save_option, table
from bench.timing import SINGLE_THREAD, Contender, Contest

__all__ = ["BUDGET", "Row", "measure"]

BUDGET = 2e-6
DIRECTIONS = ("forward", "backward")
HEADERS = ["op", "NumPy us", "tensorgrad us", "tape us an op", "quartiles", "torch us"]


@dataclass(frozen=True)
class Row:
    """One link in one direction."""

    link: Link
    comparison: Comparison

    @property
    def tape(self) -> float:
        """Seconds an op above raw NumPy."""
        return self.comparison.difference("tensorgrad", "NumPy").median / self.link.ops

    def cells(self) -> list[str]:
        spread, ops = self.comparison.difference("tensorgrad", "NumPy"), self.link.ops
        quartiles = f"{microseconds(spread.low / ops)} - {microseconds(spread.high / ops)}"
        numpy, ours, torch = (self._median(name) for name in ("NumPy", "tensorgrad", "torch"))
        return [self.link.name, numpy, ours, microseconds(self.tape), quartiles, torch]

    def _median(self, name: str) -> str:
        seconds = self.comparison.seconds
        return microseconds(median(seconds[name])) if name in seconds else "-"


def contenders(direction: str, index: int) -> list[Contender]:
    taped = f"bench.overhead_taped:{direction}"
    return [
        Contender("NumPy", f"bench.overhead_links:numpy_{direction}", {"link": index}, SINGLE_THREAD),
        Contender("tensorgrad", taped, {"module": "tensorgrad", "link": index}, SINGLE_THREAD),
        Contender("torch", taped, {"module": "torch", "link": index}, SINGLE_THREAD),
    ]


def measure(direction: str, links: Sequence[Link], rounds: int, turn: float) -> list[Row]:
    """Time each link in one direction (`"forward"` or `"backward"`), in the same worker processes."""
    rows = []
    with Contest(contenders(direction, LINKS.index(links[0]))) as contest:
        for link in links:
            contest.remake(contenders(direction, LINKS.index(link)))
            rows.append(Row(link, contest.time(rounds, turn)))
    return rows


def verdict(direction: str, rows: Sequence[Row]) -> str:
    """One sentence: the median and the worst op, and whether the worst keeps the budget."""
    worst = max(rows, key=lambda row: row.tape)
    kept = "kept" if worst.tape <= BUDGET else "NOT kept"
    return (
        f"Tape, {direction}: median {microseconds(median(row.tape for row in rows))} us an op, worst "
        f"{microseconds(worst.tape)} us ({worst.link.name}); budget {microseconds(BUDGET)} us: {kept}."
    )


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.2f}"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (default 15)")
    parser.add_argument("--turn", type=float, default=0.02, help="seconds a turn (default 0.02)")
    parser.add_argument("--quick", action="store_true", help="smoke run: two ops, three short rounds")
    add_save_option(parser)
    options = parser.parse_args(arguments)
    options.links = LINKS[:2] if options.quick else LINKS
    if options.quick:
        options.rounds, options.turn = 3, 0.002
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables and verdicts. A missed budget is said, not raised: the exit code is 0."""
    options = parse(arguments)
    report = Report("overhead", "Cost of the tape")
    for direction in DIRECTIONS:
        rows = measure(direction, options.links, options.rounds, options.turn)
        report.say(f"## {direction.capitalize()}")
        report.say(table(HEADERS, [row.cells() for row in rows]))
        report.say(verdict(direction, rows))
        report.raw[direction] = {row.link.name: row.comparison.to_json("NumPy") for row in rows}
        report.warn_if_busy(loads(rows))
    report.save(options.save)
    return 0


def loads(rows: Sequence[Row]) -> float | None:
    """The median foreign load of the rows' runs."""
    known = [row.comparison.foreign_load for row in rows if row.comparison.foreign_load is not None]
    return median(known) if known else None


if __name__ == "__main__":
    sys.exit(main())
