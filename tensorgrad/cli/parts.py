"""A table divided into training, validation and test data, scaled, on a device."""

from __future__ import annotations

from dataclasses import dataclass

from tensorgrad.backends import Device
from tensorgrad.creation import tensor
from tensorgrad.data import Standardizer, Subset, Table, TensorDataset, train_val_test_split

__all__ = ["Parts", "prepare"]


@dataclass
class Parts:
    """Inputs float32; labels int64 or scaled values float32. A part without samples is None.

    The scalers are fitted on the training part alone; `targets` is None for labels.
    """

    train: TensorDataset
    val: TensorDataset | None
    test: TensorDataset | None
    inputs: Standardizer
    targets: Standardizer | None


def prepare(table: Table, val: float, test: float, seed: int, place: Device) -> Parts:
    """Split (by class where there are classes), fit the scalers on the training part, and apply them to
    all.
    """
    labels = table.task == "classification"
    whole = TensorDataset(tensor(table.inputs), tensor(table.targets))
    subsets = train_val_test_split(whole, val=val, test=test, seed=seed, stratify=labels)
    x, y = subsets[0].tensors
    inputs = Standardizer.fit(x, alike=table.alike)
    targets = None if labels else Standardizer.fit(y)

    def scaled(part: Subset) -> TensorDataset:
        x, y = part.tensors
        y = y if targets is None else targets.transform(y).float()
        return TensorDataset(inputs.transform(x).float(), y).to(place)

    train, *held_out = subsets
    validation, testing = (scaled(part) if len(part) else None for part in held_out)
    return Parts(scaled(train), validation, testing, inputs, targets)
