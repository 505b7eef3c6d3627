"""The op table on the CUDA device without pytest: `python -m bench.gpu_parts.table_runner FILE SHARD SHARDS LIMIT`.

FILE gets a line for each check: `{"test": name, "outcome": "passed" | "failed" | "broken", "error": ...}`.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import tensorgrad as tg
from bench.gpu_parts.pytest_shard import FAMILY, share
from bench.gpu_parts.setting import EMULATE, open_cupy
from tests.ops.table import CHECKS, all_checks, families

__all__ = ["checks_in_table", "main"]


def checks_in_table(notes: TextIO) -> Iterator[tuple[str, Any]]:
    """(name, function to call) of every check. A family that cannot be imported (it may need SciPy) is noted."""
    for family, error in families().broken.items():
        note(notes, f"{FAMILY}{family}", "broken", f"{type(error).__name__}: {error}")
    for name, case, dtype, check in all_checks():
        yield name, (CHECKS[check], case, dtype)


def note(notes: TextIO, test: str, outcome: str, error: str = "") -> None:
    print(json.dumps({"test": test, "outcome": outcome, "error": error}), file=notes, flush=True)


def main() -> None:
    file, shard, shards, limit = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    open_cupy(bool(os.environ.get(EMULATE)))
    warnings.simplefilter("ignore")
    tg.set_default_device("cuda")  # for what the cases make themselves
    with file.open("w") as notes:
        chosen = share(list(checks_in_table(notes)), shard, shards, limit)
        print(json.dumps({"planned": len(chosen)}), file=notes, flush=True)
        for name, (check, *arguments) in chosen:
            try:
                check(*arguments, device="cuda")
            except Exception as error:
                note(notes, name, "failed", f"{type(error).__name__}: {error}".split("\n")[0])
            else:
                note(notes, name, "passed")


if __name__ == "__main__":
    main()
