"""`tensorgrad predict`: a saved model, a file of samples, a CSV of predictions."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from tensorgrad.backends import device
from tensorgrad.cli.files import check_writable
from tensorgrad.cli.model_file import TrainedModel, load_model
from tensorgrad.cli.sources import read_inputs
from tensorgrad.creation import tensor
from tensorgrad.errors import ArgumentError
from tensorgrad.tensor import Tensor
from tensorgrad.train import predict

__all__ = ["run_predict"]


def run_predict(arguments: argparse.Namespace) -> int:
    """Write the predictions; return the exit code."""
    if arguments.output:
        check_writable(arguments.output)
    place = device(arguments.device)
    model = load_model(arguments.model, place)
    if arguments.probabilities and model.recipe.task == "regression":
        raise ArgumentError("--probabilities is for classification; this model predicts numbers")
    inputs = tensor(read_inputs(arguments.source, model.recipe.features, model.recipe.columns, arguments.header))
    outputs = predict(model.network, model.inputs.transform(inputs).float().to(place)).cpu()
    rows = _rows(model, outputs, arguments.probabilities)
    if not arguments.output:
        _write(sys.stdout, rows)
        return 0
    with open(arguments.output, "w", newline="", encoding="utf-8") as file:
        _write(file, rows)
    print(f"{outputs.shape[0]} predictions written to {arguments.output}")
    return 0


def _rows(model: TrainedModel, outputs: Tensor, probabilities: bool) -> Iterable[Sequence[object]]:
    if model.recipe.task == "regression":
        return _number_rows(model, outputs)
    return _class_rows(model, outputs, probabilities)


def _number_rows(model: TrainedModel, outputs: Tensor) -> Iterable[Sequence[object]]:
    values = outputs if model.targets is None else model.targets.inverse(outputs.double())
    several = values.shape[1] > 1
    yield [f"{model.recipe.target}_{i}" for i in range(values.shape[1])] if several else [model.recipe.target]
    # Nine digits say all that a float32 knows.
    yield from ([f"{value:.9g}" for value in row] for row in values.tolist())


def _class_rows(model: TrainedModel, outputs: Tensor, probabilities: bool) -> Iterable[Sequence[object]]:
    classes = model.recipe.classes
    chances = outputs.double().softmax(1)
    labels = outputs.argmax(1).tolist()
    yield [model.recipe.target, "probability", *([f"p({name})" for name in classes] if probabilities else [])]
    for label, row in zip(labels, chances.tolist(), strict=True):
        yield [classes[label], f"{row[label]:.4f}", *([f"{p:.6f}" for p in row] if probabilities else [])]


def _write(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    csv.writer(file, lineterminator="\n").writerows(rows)
