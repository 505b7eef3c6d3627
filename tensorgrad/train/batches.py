"""From what users hold, arrays and tables too, to the batches that a model is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tensorgrad.creation import as_tensor
from tensorgrad.data import DataLoader, Dataset, Table, TensorDataset
from tensorgrad.data.dataset import is_dataset
from tensorgrad.data.table import Array
from tensorgrad.dtypes import how_to_make_one, type_name
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.random import Generator
from tensorgrad.tensor import Tensor

__all__ = ["Data", "as_batches", "as_field", "as_samples", "beside", "inputs_and_target"]

Data = Dataset | Table | tuple[Tensor | Array, ...] | Iterable[tuple[Tensor, ...]]


def as_field(what: str, given: Any, like: Tensor | None) -> Tensor:
    """A Tensor as it is; a NumPy array as one on the device of `like`, and of its dtype where it holds floats.

    Raises DTypeError, which begins with `what`, for anything else.
    """
    if isinstance(given, Tensor):
        return given
    if not isinstance(given, np.ndarray):
        raise DTypeError(f"{what} must be a Tensor or a NumPy array, got {type_name(given)}; {how_to_make_one(given)}")
    if given.dtype.kind not in "biuf":
        raise DTypeError(f"{what} must hold numbers, got dtype {given.dtype}; encode text as numbers first")
    if like is None:
        return as_tensor(given)
    return as_tensor(given, dtype=like.dtype if given.dtype.kind == "f" else None, device=like.device)


def as_samples(what: str, given: Data, like: Tensor | None) -> Data:
    """A data set of a Table or of a tuple of fields, each as `as_field` makes it; data sets and iterables of batches
    as they are.

    Raises DTypeError, which begins with `what`, for what is none of these.
    """
    if isinstance(given, Table):
        return given.dataset() if like is None else given.dataset(like.device, like.dtype)
    if isinstance(given, tuple):
        return TensorDataset(*(as_field(f"{what}[{i}]", field, like) for i, field in enumerate(given)))
    if is_dataset(given):
        return given
    walked = hasattr(given, "__iter__") or hasattr(given, "__getitem__")
    if not walked or isinstance(given, (Tensor, np.ndarray, str, Mapping, type)):
        raise DTypeError(
            f"{what} must be a tuple (inputs, targets) of tensors or NumPy arrays, a data set, or an iterable of "
            f"batches, got {type_name(given)}"
        )
    return given


def as_batches(
    samples: Any, batch_size: int, seed: int | None = None, shuffle: bool = False
) -> Iterable[tuple[Tensor, ...]]:
    """The batches of what `as_samples` returned: a data set in batches of `batch_size`, an iterable as it is.

    `seed` decides the order of a shuffle; None takes it from the default generator.
    """
    if not is_dataset(samples):
        return samples  # type: ignore[no-any-return]
    generator = None if seed is None else Generator(samples.device).manual_seed(seed)
    return DataLoader(samples, batch_size, shuffle=shuffle, generator=generator)


def inputs_and_target(
    batches: Iterable[tuple[Tensor, ...]], like: Tensor | None
) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
    """Each batch as (inputs, target), on the device of `like`. Raises DTypeError or ArgumentError for one that is not
    at least two tensors.
    """
    for batch in batches:
        if not isinstance(batch, (tuple, list)):
            raise DTypeError(
                f"train: a batch must be a tuple (inputs, target), got {type_name(batch)}; "
                "to pass all samples at once give one tuple of inputs and targets, not a list"
            )
        if len(batch) < 2:
            raise ArgumentError(f"train: a batch must hold inputs and, last, the target; got {len(batch)} tensor")
        fields = [beside(field, like) for field in batch]
        yield tuple(fields[:-1]), fields[-1]


def beside(field: Tensor, like: Tensor | None) -> Tensor:
    """`field`, moved to the device of `like` where it is on another."""
    elsewhere = like is not None and isinstance(field, Tensor) and field.device is not like.device
    return field.to(like.device) if elsewhere and like is not None else field
