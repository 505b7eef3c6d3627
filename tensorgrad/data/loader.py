"""Batches of a data set: one gather each, shuffled by tensorgrad's own generator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorgrad.arguments import hinted
from tensorgrad.data.dataset import as_dataset, gather_within, has_bare_samples
from tensorgrad.errors import ArgumentError
from tensorgrad.random import Generator, randperm
from tensorgrad.ranges import arange
from tensorgrad.tensor import Tensor

__all__ = ["DataLoader"]


class DataLoader:
    """Iterates over `dataset` in batches: tuples of tensors of shape `(batch_size, ...)`, or one such tensor where a
    sample is no tuple. Python's floats become float64, as in PyTorch.

    The last batch holds what is left, unless `drop_last`. With `shuffle` each pass draws a new order from
    `generator` (the default generator of the data's device if None): the same seed gives the same orders,
    pass after pass. A batch is a copy, never a view: writing to it leaves the data alone.

    `dataset` is a Dataset, a Table, or anything with `__len__` and `__getitem__`, such as a list of (input, label)
    pairs; samples are then stacked one by one, and those of a Tensor are its rows. Batches are on
    `dataset.device`.

    `num_workers=0` and `pin_memory` are accepted for PyTorch programs and change nothing: a batch is gathered where the
    data lie, in this process.

    Raises: ArgumentError for a batch size below 1 and for any other `num_workers`, DTypeError for a data set without
    samples by number.
    """

    @hinted
    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: Generator | None = None,
        *,
        num_workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ArgumentError(f"DataLoader: batch_size must be at least 1, got {batch_size}")
        if num_workers != 0:
            raise ArgumentError(
                f"DataLoader: num_workers must be 0, got {num_workers}; batches are gathered in this process, "
                "and no others are started for it"
            )
        self.dataset = as_dataset("DataLoader", dataset)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = generator
        self._bare: bool | None = None  # whether a sample is no tuple; looked at when there is a batch of one field

    def __len__(self) -> int:
        """The number of batches in one pass."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self) -> Iterator[Any]:
        order = self._order()
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            fields = gather_within(self.dataset, order[start : start + self.batch_size], len(order))
            yield fields[0] if len(fields) == 1 and self._has_bare_samples() else fields

    def _has_bare_samples(self) -> bool:
        if self._bare is None:
            self._bare = has_bare_samples(self.dataset)
        return self._bare

    def _order(self) -> Tensor:
        count, device = len(self.dataset), self.dataset.device
        if self.shuffle:
            return randperm(count, generator=self.generator, device=device)
        return arange(count, device=device)
