"""Random programs for as long as one likes: `python -m tests.against_torch.fuzz --minutes 10 --seed 1`."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter

import torch

from tests.against_torch.fuzz.programs import generated
from tests.against_torch.fuzz.reporting import described
from tests.against_torch.fuzz.shrinking import shrunk


def main() -> int:
    """The number of kinds found is the exit status, 100 at most."""
    parser = argparse.ArgumentParser(prog="python -m tests.against_torch.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first program; the next has the next number")
    parser.add_argument("--shrink", type=int, default=300, help="how many programs may be tried to make one shorter")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    return min(100, search(options.minutes, options.seed, options.shrink))


def search(minutes: float, seed: int, tries: int) -> int:
    kinds: Counter[tuple[str, str]] = Counter()
    differences: Counter[str] = Counter()
    began, first = time.monotonic(), seed
    while time.monotonic() - began < 60 * minutes:
        run = generated(seed)
        differences.update(d.name for d in run.differences)
        for found in run.findings:
            kinds[found.key] += 1
            if kinds[found.key] == 1:
                lines, finding = shrunk(run.lines, found, tries)
                print(f"\n-- seed {seed}\n{described(lines, finding)}", flush=True)
        seed += 1
    elapsed = time.monotonic() - began
    print(f"\n{seed - first} programs in {elapsed:.0f} s: {sum(kinds.values())} findings of {len(kinds)} kinds")
    for name, times in differences.most_common():
        print(f"{times:8d} x {name}")
    return len(kinds)


if __name__ == "__main__":
    sys.exit(main())
