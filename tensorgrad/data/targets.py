"""From a column of answers to training targets: labels of classes, or numbers."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from tensorgrad.data.table import Array, Task
from tensorgrad.errors import ArgumentError

__all__ = ["check_task", "encode_classes", "infer_task"]

_FEW_CLASSES = 20
_MANY_CLASSES = 1000


def check_task(task: str | None) -> None:
    """Raise ArgumentError unless `task` is None or the name of one."""
    if task is not None and task not in get_args(Task):
        raise ArgumentError(f"task must be {' or '.join(get_args(Task))}, got {task!r}")


def infer_task(numbers: Array) -> Task:
    """What a column of numbers asks for.

    Classification if all are whole and each distinct value occurs at least twice on average, and there are
    either at most 20 distinct values or exactly the values 0, 1, ..., k-1 with k at most 1000. Otherwise
    regression.
    """
    values = np.unique(numbers)
    few = len(values) <= _FEW_CLASSES
    counted = len(values) <= _MANY_CLASSES and np.array_equal(values, np.arange(len(values)))
    whole = numbers.dtype.kind in "biu" or bool(np.all(values == np.floor(values)))
    return "classification" if whole and 2 * len(values) <= numbers.size and (few or counted) else "regression"


def encode_classes(values: Array) -> tuple[Array, tuple[str, ...]]:
    """int64 labels 0..k-1 in sorted order of the values (numbers or strings), and the name of each class.

    Values are told apart in the dtype that they come in: 2**60 and 2**60 + 1 are two classes of int64.
    """
    classes, labels = np.unique(values, return_inverse=True)
    return labels.reshape(-1).astype(np.int64), tuple(_name(value) for value in classes)


def _name(value: Any) -> str:
    """The class as its dtype writes it (float32 has 0.1, no 0.10000000149011612); without a point where it is whole."""
    whole = isinstance(value, np.floating) and value.is_integer()
    return str(int(value)) if whole else str(value)
