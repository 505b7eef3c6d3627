"""Dividing a data set into parts for training, validation and testing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from numbers import Real
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.data.dataset import Dataset, Subset, as_dataset
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.random import Generator, randperm
from tensorgrad.tensor import Tensor

__all__ = ["random_split", "train_val_test_split"]


@hinted
def train_val_test_split(
    dataset: Any,
    val: float | int = 0.1,
    test: float | int = 0.1,
    seed: int = 0,
    stratify: Tensor | bool | None = None,
) -> tuple[Subset, Subset, Subset]:
    """Three disjoint subsets `(train, val, test)` that together are the whole of `dataset`, in random order.

    `val` and `test` are fractions of the whole (floats in [0, 1), rounded to the nearest count) or counts
    (ints). The same `seed` gives the same split on every device. With `stratify` every class keeps its share
    in each part, to within one sample: pass the labels (integers, shape (len(dataset),)), or True to take the
    last tensor of the data.

    Raises: DTypeError for a size that is no number; ArgumentError if one is negative or nothing is left to train on;
    ShapeError for labels of another shape.
    """
    dataset = as_dataset("train_val_test_split", dataset)
    count = len(dataset)
    n_val, n_test = _size("val", val, count), _size("test", test, count)
    if n_val + n_test >= count:
        raise ArgumentError(
            f"train_val_test_split: val ({n_val}) and test ({n_test}) leave none of the {count} samples to "
            "train on; make them smaller"
        )
    drawn: np.ndarray[Any, Any] = randperm(count, generator=Generator("cpu").manual_seed(seed), device="cpu").numpy()
    labels = _labels(dataset, stratify)
    by_class = drawn if labels is None else drawn[np.argsort(labels[drawn], kind="stable")]
    tested = _evenly_spaced(count, n_test)
    rest = by_class[~tested]
    validated = _evenly_spaced(len(rest), n_val)
    part = np.zeros(count, dtype=np.int8)
    part[rest[validated]], part[by_class[tested]] = 1, 2
    # In the order drawn, not by class: whoever reads the first samples of a part meets all classes.
    train, validation, testing = (Subset(dataset, drawn[part[drawn] == which].tolist()) for which in range(3))
    return train, validation, testing


@hinted
def random_split(dataset: Any, lengths: Sequence[float | int], generator: Generator | None = None) -> list[Subset]:
    """Disjoint subsets of `dataset`, one of each length, that together are the whole of it in random order.

    `lengths` are counts that add up to `len(dataset)`, or fractions that add up to 1: each is rounded down to a count,
    and the samples left over go to the parts one by one, the first part first. Floats are taken for fractions. The
    order comes from `generator` (the default generator if None). PyTorch's function; the orders are tensorgrad's own.

    Raises: DTypeError for lengths that are no numbers; ArgumentError for a negative length, and where the lengths do
    not add up.
    """
    dataset = as_dataset("random_split", dataset)
    if not isinstance(lengths, Iterable) or isinstance(lengths, str):
        raise DTypeError(f"random_split: lengths must be a list of numbers, got {lengths!r}")
    sizes = _counts(list(lengths), len(dataset))
    order = randperm(len(dataset), generator=generator)
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, accumulate(sizes), strict=True)]


def _counts(lengths: list[float | int], count: int) -> list[int]:
    for length in lengths:
        if not isinstance(length, Real):
            raise DTypeError(f"random_split: lengths must be counts or fractions, got {length!r}")
    if any(length < 0 for length in lengths):
        raise ArgumentError(f"random_split: lengths must not be negative, got {lengths}")
    total = sum(lengths)
    fractions = total == 1 or any(isinstance(length, (float, np.floating)) for length in lengths)
    if not (math.isclose(total, 1) if fractions else total == count):
        wanted = "fractions must add up to 1" if fractions else f"lengths must add up to the {count} samples"
        raise ArgumentError(f"random_split: {wanted}, got {lengths}, which add up to {total}")
    if not fractions:
        return [int(length) for length in lengths]
    sizes = [math.floor(count * length) for length in lengths]
    for left in range(count - sum(sizes)):
        sizes[left % len(sizes)] += 1
    return sizes


def _size(name: str, value: float | int, count: int) -> int:
    if not isinstance(value, Real):
        raise DTypeError(f"train_val_test_split: {name} must be a count or a fraction, got {value!r}")
    if isinstance(value, float) and not 0.0 <= value < 1.0:
        raise ArgumentError(f"train_val_test_split: {name} as a fraction must be in [0, 1), got {value}")
    if value < 0:
        raise ArgumentError(f"train_val_test_split: {name} must not be negative, got {value}")
    return round(value * count) if isinstance(value, float) else int(value)


def _labels(dataset: Dataset, stratify: Tensor | bool | None) -> np.ndarray[Any, Any] | None:
    if stratify is None or stratify is False:
        return None
    labels = stratify if isinstance(stratify, Tensor) else _last_field(dataset)
    if labels.shape != (len(dataset),):
        raise ShapeError(
            f"train_val_test_split: labels to stratify by must have shape ({len(dataset)},), "
            f"got {labels.shape}; they name one class for each sample"
        )
    array: np.ndarray[Any, Any] = labels.cpu().numpy()
    return array


def _last_field(dataset: Dataset) -> Tensor:
    fields: tuple[Tensor, ...] | None = getattr(dataset, "tensors", None)
    if fields is None:
        raise ArgumentError("train_val_test_split: stratify=True needs a data set with `tensors`; pass the labels")
    return fields[-1]


def _evenly_spaced(count: int, chosen: int) -> np.ndarray[Any, Any]:
    """A mask of length `count` with exactly `chosen` True, spread so evenly that any stretch of m positions
    holds m * chosen / count of them, rounded down or up: over samples sorted by class this is a stratified
    choice.
    """
    position = np.arange(count, dtype=np.int64)
    mask: np.ndarray[Any, Any] = (position + 1) * chosen // max(count, 1) > position * chosen // max(count, 1)
    return mask
