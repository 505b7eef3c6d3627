"""`tensorgrad data`: a table that comes with the package, as a CSV file."""

from __future__ import annotations

import argparse
import csv
import io

from tensorgrad.cli.files import Result, check_results
from tensorgrad.cli.sources import TABLES
from tensorgrad.data import Table

__all__ = ["run_data"]


def run_data(arguments: argparse.Namespace) -> int:
    """Write it; return the exit code."""
    path = arguments.output or f"{arguments.table}.csv"
    table = TABLES[arguments.table]()
    content = _as_csv(table).encode()

    def is_it(path: str) -> bool:
        with open(path, "rb") as file:
            return file.read(len(content) + 1) == content

    check_results([Result(path, "--output", "this table", is_it)], [], arguments.overwrite)
    with open(path, "wb") as file:
        file.write(content)
    print(f"{len(table)} samples written to {path}; now: tensorgrad train {path}")
    return 0


def _as_csv(table: Table) -> str:
    assert table.targets is not None
    labels = [table.classes[label] for label in table.targets.tolist()]
    rows = ([f"{x:g}" for x in values] + [label] for values, label in zip(table.inputs.tolist(), labels, strict=True))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*table.feature_names, table.target_name], *rows])
    return text.getvalue()
