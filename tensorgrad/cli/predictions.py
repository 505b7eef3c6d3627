"""A file of predictions: its rows, and how it is told from other tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TextIO

from tensorgrad.cli.model_file import TrainedModel
from tensorgrad.tensor import Tensor

__all__ = ["is_predictions", "prediction_rows", "write_rows"]

# Nine digits say all that a float32 knows.
_DIGITS = 9
_LOOKED_AT = 100
_CHANCE = re.compile(r"[01]\.\d{4}")


def prediction_rows(model: TrainedModel, outputs: Tensor, probabilities: bool) -> Iterable[Sequence[object]]:
    """The names of the columns, then one row for each sample."""
    if model.recipe.task == "regression":
        return _number_rows(model, outputs)
    return _class_rows(model, outputs, probabilities)


def write_rows(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write them as CSV."""
    csv.writer(file, lineterminator="\n").writerows(rows)


def is_predictions(path: str, model: TrainedModel) -> bool:
    """Whether there is a file that `write_rows` may have written for a model with these targets: named alike, and its
    numbers written as those of a network are.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = islice(csv.reader(file), _LOOKED_AT)
    except (OSError, ValueError, csv.Error):
        return False
    if not rows or any(len(row) != len(header) for row in rows):
        return False
    if model.recipe.task == "classification":
        alike = header in (_class_names(model, False), _class_names(model, True))
        return alike and all(_CHANCE.fullmatch(row[1]) for row in rows)
    return header == _number_names(model) and _are_outputs([cell for row in rows for cell in row])


def _are_outputs(cells: Sequence[str]) -> bool:
    """Written by `_number_rows`, and most of them with all its digits, of which one in ten ends in 0: prices and
    measurements of people have fewer.
    """
    try:
        alike = all(_written(float(cell)) == cell for cell in cells)
    except ValueError:
        return False
    full = sum(len(re.sub(r"e.*|\D", "", cell).lstrip("0")) == _DIGITS for cell in cells)
    return alike and full >= 0.7 * len(cells)


def _written(value: float) -> str:
    return f"{value:.{_DIGITS}g}"


def _number_names(model: TrainedModel) -> list[str]:
    target, outputs = model.recipe.target, model.recipe.sizes[-1]
    return [f"{target}_{i}" for i in range(outputs)] if outputs > 1 else [target]


def _class_names(model: TrainedModel, probabilities: bool) -> list[str]:
    more = [f"p({name})" for name in model.recipe.classes] if probabilities else []
    return [model.recipe.target, "probability", *more]


def _number_rows(model: TrainedModel, outputs: Tensor) -> Iterator[Sequence[object]]:
    values = outputs if model.targets is None else model.targets.inverse(outputs.double())
    yield _number_names(model)
    yield from ([_written(value) for value in row] for row in values.tolist())


def _class_rows(model: TrainedModel, outputs: Tensor, probabilities: bool) -> Iterator[Sequence[object]]:
    classes = model.recipe.classes
    chances = outputs.double().softmax(1)
    labels = outputs.argmax(1).tolist()
    yield _class_names(model, probabilities)
    for label, row in zip(labels, chances.tolist(), strict=True):
        yield [classes[label], f"{row[label]:.4f}", *([f"{p:.6f}" for p in row] if probabilities else [])]
