"""`tensorgrad data`: a table that comes with the package, as a CSV file."""

from __future__ import annotations

import argparse
import csv

from tensorgrad.cli.files import Result, check_results
from tensorgrad.cli.sources import TABLES
from tensorgrad.data import Table

__all__ = ["run_data"]


def run_data(arguments: argparse.Namespace) -> int:
    """Write it; return the exit code."""
    path = arguments.output or f"{arguments.table}.csv"
    check_results([Result(path, "--output", "empty", lambda _: False)], [], arguments.overwrite)
    table = TABLES[arguments.table]()
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(_rows(table))
    print(f"{len(table)} samples written to {path}: tensorgrad train {path}")
    return 0


def _rows(table: Table) -> list[list[str]]:
    assert table.targets is not None
    labels = [table.classes[label] for label in table.targets.tolist()]
    rows = zip(table.inputs.tolist(), labels, strict=True)
    return [
        [*table.feature_names, table.target_name],
        *([f"{value:g}" for value in values] + [label] for values, label in rows),
    ]
