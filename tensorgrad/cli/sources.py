"""Where data comes from on the command line: a table that comes with the package, a CSV file or an NPZ file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace

from tensorgrad.cli.model_file import Recipe
from tensorgrad.data import Table, digits_table, iris_table, read_csv, read_npz
from tensorgrad.data.csv_reader import read_csv_samples
from tensorgrad.data.text import FileFormat, Missing, Unknown
from tensorgrad.errors import ArgumentError, FormatError

__all__ = ["TABLES", "file_format", "is_file", "read_samples", "read_table"]

TABLES: dict[str, Callable[[], Table]] = {"digits": digits_table, "iris": iris_table}
_CSV = (".csv", ".tsv", ".tab", ".txt", ".data")
_OPTIONS_OF_CSV = "target ignore categorical missing header delimiter encoding decimal"


def is_file(source: str) -> bool:
    """Whether the data come from a file of the user's."""
    return source not in TABLES


def file_format(arguments: argparse.Namespace) -> FileFormat:
    """How the arguments say that a CSV file is written."""
    return FileFormat(arguments.header, arguments.delimiter, arguments.encoding, arguments.decimal)


def read_table(arguments: argparse.Namespace) -> Table:
    """The samples to train on, nan where a missing value is to be filled in. Raises FormatError where they have no
    targets.
    """
    source, kind = arguments.source, _kind(arguments.source)
    if kind == "csv":
        form = file_format(arguments)
        missing: Missing = "nan" if arguments.missing in ("mean", "median") else arguments.missing or "error"
        return read_csv(
            source,
            target=arguments.target,
            task=arguments.task,
            header=form.header,
            delimiter=form.delimiter,
            encoding=form.encoding,
            decimal=form.decimal,
            ignore=arguments.ignore,
            categorical=arguments.categorical,
            missing=missing,
        )
    given = [f"--{name}" for name in _OPTIONS_OF_CSV.split() if getattr(arguments, name) not in (None, [])]
    if given:
        raise ArgumentError(f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} for CSV files, got {source}")
    table = TABLES[kind]() if kind in TABLES else read_npz(source, task=arguments.task)
    if table.targets is None:
        raise FormatError(f"{source} has inputs and no targets; training needs both")
    if arguments.task is not None and arguments.task != table.task:
        raise ArgumentError(f"--task {arguments.task} does not fit {source}, which asks for {table.task}")
    return table


def read_samples(source: str, recipe: Recipe, form: FileFormat, unknown: Unknown, missing: Missing) -> Table:
    """The samples to predict, with the features that the recipe names; targets, if any, are not read."""
    kind = _kind(source)
    if kind == "csv":
        levels = {name: tuple(texts) for name, texts in recipe.levels.items()}
        return read_csv_samples(source, recipe.features, recipe.columns, form, levels, unknown, missing)
    samples = TABLES[kind]() if kind in TABLES else read_npz(source)
    if kind in TABLES and recipe.features and set(recipe.features) <= set(samples.feature_names):
        places = [samples.feature_names.index(name) for name in recipe.features]
        samples = replace(samples, inputs=samples.inputs[:, places], feature_names=tuple(recipe.features))
    elif kind in TABLES and recipe.features and kind != "digits":
        raise FormatError(f"{source} has the columns {', '.join(samples.feature_names)}, not those of the model")
    if samples.inputs.shape[1] != recipe.width():
        raise FormatError(
            f"{source} has {samples.inputs.shape[1]} features a sample, the model was trained on {recipe.width()}"
        )
    return samples


def _kind(source: str) -> str:
    if source in TABLES:
        return source
    extension = os.path.splitext(source)[1].lower()
    if extension == ".npz":
        return "npz"
    if extension in _CSV:
        return "csv"
    raise ArgumentError(f"data must be {', '.join(TABLES)}, FILE.csv or FILE.npz, got {source!r}")
