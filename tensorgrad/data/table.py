"""A table of numbers on the host: what every reader returns and what a data set on a device is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tensorgrad.creation import tensor
from tensorgrad.data.dataset import TensorDataset

if TYPE_CHECKING:
    from tensorgrad.backends.device import Device

__all__ = ["Array", "Table", "Task"]

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

    def dataset(self, device: str | Device | None = None) -> TensorDataset:
        """`TensorDataset(inputs, targets)` with float32 inputs and int64 labels or float32 values; without
        targets, of the inputs alone.
        """
        fields = [self.inputs.astype(np.float32)]
        if self.targets is not None:
            labels = self.task == "classification"
            fields.append(self.targets.astype(np.int64 if labels else np.float32))
        return TensorDataset(*(tensor(field, device=device) for field in fields))
