"""A table of numbers on the host: what every reader returns and what a data set on a device is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tensorgrad.backends import Device
from tensorgrad.creation import tensor
from tensorgrad.data.dataset import TensorDataset

__all__ = ["Array", "Table", "Task", "listed"]

Task = Literal["classification", "regression"]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Table:
    """Samples as rows.

    `inputs`: float64, shape (n, features). `targets`: int64 labels of shape (n,) for classification, float64
    values of shape (n, outputs) for regression, None where the file holds none. `classes[label]` is the class
    as the file writes it. `columns` are all columns of the file in their order, the target and ignored ones
    among them. `alike`: the features are of one kind (pixels), to be scaled together rather than each on its
    own.
    """

    inputs: Array
    targets: Array | None
    task: Task | None
    feature_names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    target_name: str = "target"
    columns: tuple[str, ...] = ()
    alike: bool = False

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        parts = [f"inputs: {_likeness(self.inputs)} of {listed(self.feature_names)}"]
        if self.targets is not None:
            parts.append(f"targets: {_likeness(self.targets)} of {self.target_name}, for {self.task}")
        if self.classes:
            parts.append(f"classes: {listed(self.classes)}")
        return f"Table({'; '.join(parts)})"

    def dataset(self, device: str | Device | None = None) -> TensorDataset:
        """`TensorDataset(inputs, targets)` with float32 inputs and int64 labels or float32 values; without
        targets, of the inputs alone.
        """
        fields = [self.inputs.astype(np.float32)]
        if self.targets is not None:
            labels = self.task == "classification"
            fields.append(self.targets.astype(np.int64 if labels else np.float32))
        return TensorDataset(*(tensor(field, device=device) for field in fields))


def listed(names: Sequence[str], most: int = 12) -> str:
    """The names, or the first `most` of them and how many there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"


def _likeness(array: Array) -> str:
    return f"{array.dtype}{list(array.shape)}"
