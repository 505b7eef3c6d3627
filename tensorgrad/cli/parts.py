"""A table divided into training, validation and test data, filled in, scaled, on a device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tensorgrad.backends import Device
from tensorgrad.creation import tensor
from tensorgrad.data import Imputer, Standardizer, Subset, Table, TensorDataset, train_val_test_split
from tensorgrad.data.imputer import Strategy
from tensorgrad.errors import FormatError
from tensorgrad.functional.comparison import isfinite
from tensorgrad.tensor import Tensor

__all__ = ["Parts", "network_inputs", "prepare"]


@dataclass
class Parts:
    """Inputs float32; labels int64 or scaled values float32. A part without samples is None.

    The scalers, and what missing values are filled with, are fitted on the training part alone; `targets` is None for
    labels, `fill` where nothing is to be filled in.
    """

    train: TensorDataset
    val: TensorDataset | None
    test: TensorDataset | None
    inputs: Standardizer
    targets: Standardizer | None
    fill: Imputer | None


def prepare(table: Table, val: float, test: float, seed: int, place: Device, strategy: Strategy | None) -> Parts:
    """Split (by class where there are classes), fit the scalers on the training part, and apply them to
    all. `strategy` says what missing values are filled with.
    """
    labels = table.task == "classification"
    whole = TensorDataset(tensor(table.inputs), tensor(table.targets))
    subsets = train_val_test_split(whole, val=val, test=test, seed=seed, stratify=labels)
    x, y = subsets[0].tensors
    fill = None if strategy is None else _imputer(table, x, strategy)
    inputs = Standardizer.fit(x if fill is None else fill.transform(x), alike=table.alike, skip=table.indicators)
    targets = None if labels else Standardizer.fit(y)

    def scaled(part: Subset) -> TensorDataset:
        rows = part.indices.tolist()
        x, y = part.tensors
        x = network_inputs(x, fill, inputs, lambda row, feature: table.place(rows[row], feature))
        if targets is not None:
            y = _narrow(targets, y, lambda row, _: f"{table.line(rows[row])}, column {table.target_name!r}")
        return TensorDataset(x, y).to(place)

    train, *held_out = subsets
    validation, testing = (scaled(part) if len(part) else None for part in held_out)
    return Parts(scaled(train), validation, testing, inputs, targets, fill)


def network_inputs(x: Tensor, fill: Imputer | None, scaler: Standardizer, place: Callable[[int, int], str]) -> Tensor:
    """What the network is given for the features `x`, float64: filled in and scaled there, and only then float32.

    Raises FormatError for a number that is then beyond float32; `place(row, feature)` says where it stands.
    """
    return _narrow(scaler, x if fill is None else fill.transform(x), place)


def _narrow(scaler: Standardizer, x: Tensor, place: Callable[[int, int], str]) -> Tensor:
    scaled = scaler.transform(x).float()
    finite = isfinite(scaled)
    if not finite.all().item():
        row, feature = finite.logical_not().nonzero()[0].tolist()
        raise FormatError(
            f"{place(row, feature)}: {x[row, feature].item():g} is too far from what the model was trained on (mean "
            f"{scaler.mean[feature].item():g}, standard deviation {scaler.std[feature].item():g}); correct it"
        )
    return scaled


def _imputer(table: Table, x: Tensor, strategy: Strategy) -> Imputer:
    """Fitted on `x`; where a column has no values there, the message names it."""
    absent = x.isnan().all(0).tolist()
    if True in absent:
        raise FormatError(
            f"column {(table.sources or table.feature_names)[absent.index(True)]!r} has no values in the training part "
            f"to take a {strategy} of; leave it out with --ignore"
        )
    return Imputer.fit(x, strategy)
