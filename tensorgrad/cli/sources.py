"""Where data comes from on the command line: the name digits, a CSV file or an NPZ file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tensorgrad.data import Table, digits_table, read_csv, read_csv_inputs, read_npz
from tensorgrad.data.table import Array, Task
from tensorgrad.errors import ArgumentError, FormatError

__all__ = ["read_inputs", "read_table"]


def read_table(source: str, target: str | None, task: Task | None, header: bool | None, ignore: Sequence[str]) -> Table:
    """The samples to train on. Raises FormatError where they have no targets."""
    kind = _kind(source)
    if kind != "csv" and (target is not None or ignore):
        raise ArgumentError(f"--target and --ignore name columns of a CSV file, got {source}")
    if kind == "csv":
        return read_csv(source, target=target, task=task, header=header, ignore=ignore)
    table = digits_table() if kind == "digits" else read_npz(source, task=task)
    if table.targets is None:
        raise FormatError(f"{source} has inputs and no targets; training needs both")
    if task is not None and task != table.task:
        raise ArgumentError(f"--task {task} does not fit {source}, which asks for {table.task}")
    return table


def read_inputs(source: str, features: Sequence[str], columns: Sequence[str], header: bool | None) -> Array:
    """The features of the samples to predict, float64 of shape (n, features); targets, if any, are not
    read.
    """
    kind = _kind(source)
    if kind == "csv":
        return read_csv_inputs(source, features, columns, header=header)
    inputs = digits_table().inputs if kind == "digits" else read_npz(source).inputs
    if inputs.shape[1] != len(features):
        raise FormatError(f"{source} has {inputs.shape[1]} features a sample, the model was trained on {len(features)}")
    return inputs


def _kind(source: str) -> str:
    if source == "digits":
        return source
    extension = os.path.splitext(source)[1].lower()
    if extension == ".npz":
        return "npz"
    if extension in (".csv", ".tsv", ".txt", ".data"):
        return "csv"
    raise ArgumentError(f"data must be digits, FILE.csv or FILE.npz, got {source!r}")
