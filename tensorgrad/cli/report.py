"""What `tensorgrad train` prints on standard output: one fact a line."""

from __future__ import annotations

import os
import sys
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from tensorgrad.backends import Device
from tensorgrad.backends.device import passed_over
from tensorgrad.cli.model_file import TrainedModel
from tensorgrad.cli.parts import Parts
from tensorgrad.data import Standardizer, Table, TensorDataset
from tensorgrad.data.table import listed
from tensorgrad.tensor import Tensor
from tensorgrad.train import History, accuracy, predict

__all__ = ["print_data", "print_doubt", "print_model", "print_outcome", "print_row", "print_test"]


def print_row(name: str, value: str) -> None:
    """One fact; at once, even into a pipe, so that what is known is seen before the training ends."""
    try:
        print(f"{name:<12}{value}", flush=True)
    except BrokenPipeError:  # the reader (`| head`) has seen enough; what was asked for is done and saved all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_data(source: str, table: Table, parts: Parts, strategy: str | None) -> None:
    """What there is to learn from; `strategy`: what missing values are filled with."""
    goal = f"{len(table.classes)} classes" if table.task == "classification" else f"predicting {table.target_name}"
    sizes = [0 if part is None else len(part) for part in (parts.train, parts.val, parts.test)]
    print_row("data", f"{source}: {len(table):,} samples, {table.inputs.shape[1]} features, {goal}")
    if table.read_as:
        print_row("read as", table.read_as)
    if table.levels:
        print_row("one-hot", listed([f"{name} ({len(texts)} texts)" for name, texts in table.levels.items()]))
    _print_missing(table, strategy)
    if table.padded:
        print_row("note:", f"{listed(table.padded)}: 007 is read as 7; --categorical or --ignore if these are names")
    print_row("split", "{:,} to train, {:,} to validate, {:,} to test".format(*sizes))


def _print_missing(table: Table, strategy: str | None) -> None:
    lacking = table.missing()
    if table.dropped:
        print_row("missing", f"{table.dropped:,} of {len(table) + table.dropped:,} lines left out")
    if lacking:
        columns = listed([f"{name} ({count})" for name, count in lacking.items()])
        print_row("missing", f"{columns}; filled in with the {strategy} of the training part")


def print_doubt(table: Table, said: bool) -> None:
    """One line where the targets were perhaps not meant as classes; `said`: it is known that they are classes."""
    count, numbers = len(table.classes), _are_numbers(table.classes)
    other = "--task regression predicts a number" if numbers else "is it the column to predict?"
    if 2 * count > len(table):
        print_row("note:", f"{table.target_name} has {count} classes in {len(table)} samples; {other}")
    elif numbers and count > 2 and not said:
        print_row("note:", f"the {count} values of {table.target_name} are taken for classes; {other}")
    twice = _written_twice(table.classes) if numbers else None
    if twice:
        print_row("note:", f"{twice[0]} and {twice[1]} of {table.target_name} are one number, here two classes")


def _written_twice(names: tuple[str, ...]) -> tuple[str, str] | None:
    """Two neighbours that are the same number."""
    return next((pair for pair in pairwise(names) if _number(pair[0]) == _number(pair[1])), None)


def _number(name: str) -> Decimal:
    number = Decimal(name.replace(",", "."))
    if not number.is_finite():  # a class may be called so
        raise InvalidOperation
    return number


def _are_numbers(names: tuple[str, ...]) -> bool:
    try:
        return [_number(name) for name in names] != []
    except InvalidOperation:
        return False


def print_model(model: TrainedModel, place: Device, asked: str) -> None:
    """What learns, and where, if `asked` for a device of that name."""
    recipe = model.recipe
    layers = "-".join(str(size) for size in recipe.sizes)
    dropout = f", dropout {recipe.dropout:g}" if recipe.dropout else ""
    print_row("device", f"{place}{_passed_over(place, asked)}")
    print_row("model", f"MLP {layers}, {recipe.activation}{dropout}")
    print_row("parameters", f"{sum(p.numel() for p in model.network.parameters()):,}")


def _passed_over(place: Device, asked: str) -> str:
    """What whoever left the choice would ask; whoever asked for a device has been told."""
    reasons = passed_over() if asked == "auto" and place.type == "cpu" else {}
    return "".join(f" (no {kind.upper()}: {reason})" for kind, reason in reasons.items())


def print_outcome(history: History, epochs: int, seconds: float) -> None:
    """How the training went."""
    waited = len(history.epochs) - 1 - (history.best_epoch or 0)
    why = {
        "epochs": "",
        "patience": f", stopped after {waited} without improvement",
        "interrupted": ", stopped by Ctrl-C",
        "non-finite loss": f", stopped: {history.detail}",
    }[history.stop_reason]
    best = "none completed" if history.best_epoch is None else f"best {history.best_epoch + 1}"
    print_row("epochs", f"{len(history.epochs)} of {epochs}, {best}{why}")
    print_row("time", f"{seconds:.1f} s")


def print_test(model: TrainedModel, test: TensorDataset | None) -> None:
    """How good the network is on samples it has never seen."""
    if test is None:
        print_row("test", "none: the test part is empty")
        return
    x, y = test.tensors
    output = predict(model.network, x)
    if model.targets is None:
        share = accuracy(output, y).item()
        print_row("accuracy", f"{share:.2%} of {len(test)} test samples")
    else:
        _print_errors(output.cpu(), y.cpu(), model.targets)


def _print_errors(output: Tensor, target: Tensor, scaler: Standardizer) -> None:
    """RMSE in the units of the data; R2 is 1 - (sum of squared errors) / (sum of squared deviations from the
    mean).
    """
    found, wanted = scaler.inverse(output.double()), scaler.inverse(target.double())
    errors = (found - wanted).square()
    spread = (wanted - wanted.mean(0)).square().sum().item()
    r2 = f", R2 {1 - errors.sum().item() / spread:.4f}" if spread else ""
    print_row("test", f"RMSE {errors.mean().sqrt().item():.6g}{r2} on {found.shape[0]} samples")
