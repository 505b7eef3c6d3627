"""`tensorgrad predict`: a saved model, a file of samples, a CSV of predictions."""

from __future__ import annotations

import argparse
import sys

from tensorgrad.backends import device
from tensorgrad.cli.files import Result, check_results
from tensorgrad.cli.model_file import load_model
from tensorgrad.cli.parts import network_inputs
from tensorgrad.cli.predictions import is_predictions, prediction_rows, write_rows
from tensorgrad.cli.sources import file_format, is_file, read_samples
from tensorgrad.creation import tensor
from tensorgrad.data.text import Missing
from tensorgrad.errors import ArgumentError
from tensorgrad.train import predict

__all__ = ["run_predict"]


def run_predict(arguments: argparse.Namespace) -> int:
    """Write the predictions; return the exit code."""
    place = device(arguments.device)
    model = load_model(arguments.model, place)
    if arguments.output:
        mine = Result(arguments.output, "--output", "of predictions of this model", lambda p: is_predictions(p, model))
        inputs = [arguments.model, *([arguments.source] if is_file(arguments.source) else [])]
        check_results([mine], inputs, arguments.overwrite)
    if arguments.probabilities and model.recipe.task == "regression":
        raise ArgumentError("--probabilities is for classification; this model predicts numbers")
    missing: Missing = "error" if model.fill is None else "nan"
    samples = read_samples(arguments.source, model.recipe, file_format(arguments), arguments.unknown, missing)
    features = network_inputs(tensor(samples.inputs), model.fill, model.inputs, samples.place)
    outputs = predict(model.network, features.to(place)).cpu()
    rows = prediction_rows(model, outputs, arguments.probabilities)
    if not arguments.output:
        write_rows(sys.stdout, rows)
        return 0
    with open(arguments.output, "w", newline="", encoding="utf-8") as file:
        write_rows(file, rows)
    print(f"{outputs.shape[0]} predictions written to {arguments.output}")
    return 0
