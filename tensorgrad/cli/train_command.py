"""`tensorgrad train`: from a table of numbers to a tested network."""

from __future__ import annotations

import argparse
from time import perf_counter

from tensorgrad.backends import device
from tensorgrad.cli.files import Result, check_results
from tensorgrad.cli.model_file import Recipe, TrainedModel, is_model, save_model
from tensorgrad.cli.optimizers import make_optimizer
from tensorgrad.cli.parts import Parts, prepare
from tensorgrad.cli.plot import check_plot, is_plot, plot_history
from tensorgrad.cli.report import print_data, print_doubt, print_model, print_outcome, print_row, print_test
from tensorgrad.cli.sources import TABLES, is_file, read_table
from tensorgrad.data import Table
from tensorgrad.errors import ArgumentError
from tensorgrad.functional.loss import cross_entropy, mse_loss
from tensorgrad.random import manual_seed
from tensorgrad.tensor import Tensor
from tensorgrad.train import History, accuracy, fit

__all__ = ["run_train"]

_INTERRUPTED = 130
_MANY_SAMPLES = 10_000


def run_train(arguments: argparse.Namespace) -> int:
    """Train, report, and save what was asked for; return the exit code."""
    _check_results(arguments)
    arguments.written = not (arguments.save or arguments.plot)
    place = device(arguments.device)
    table = read_table(arguments)
    strategy = arguments.missing if arguments.missing in ("mean", "median") else None
    parts = prepare(table, arguments.val, arguments.test, arguments.seed, place, strategy)
    manual_seed(arguments.seed)
    recipe = _recipe(table, arguments)
    model = TrainedModel(recipe.build().to(place), recipe, parts.inputs, parts.targets, parts.fill)
    print_data(arguments.source, table, parts, strategy)
    print_doubt(table, said=arguments.task is not None or arguments.source in TABLES)
    print_model(model, place, arguments.device)
    started = perf_counter()
    history = _fit(model, parts, arguments)
    seconds = perf_counter() - started
    if history.best_epoch is None and history.stop_reason == "non-finite loss":
        raise ArgumentError(f"training failed: {history.detail}; try a smaller --lr or --clip-norm 1")
    _save_results(model, history, arguments)  # before anything is printed: nobody may be reading any more
    print_outcome(history, arguments.epochs, seconds)
    print_test(model, parts.test)
    for name, path in (("saved", arguments.save), ("plot", arguments.plot)):
        if path:
            print_row(name, path)
    return _INTERRUPTED if history.stop_reason == "interrupted" else 0


def _check_results(arguments: argparse.Namespace) -> None:
    """Now, not after minutes of training."""
    results = [
        Result(arguments.save, "--save", "a model of `tensorgrad train`", is_model),
        Result(arguments.plot, "--plot", "a plot of `tensorgrad train`", is_plot),
    ]
    inputs = [arguments.source] if is_file(arguments.source) else []
    check_results([result for result in results if result.path], inputs, arguments.overwrite)
    if arguments.plot:
        check_plot(arguments.plot)


def _recipe(table: Table, arguments: argparse.Namespace) -> Recipe:
    classifies = table.task == "classification"
    if table.task is None or table.targets is None or (classifies and len(table.classes) < 2):
        raise ArgumentError(
            f"{arguments.source} has only the class {table.classes[0]!r}; there is nothing to tell apart"
        )
    dropout = arguments.dropout if arguments.dropout is not None else 0.2 if classifies else 0.0
    outputs = len(table.classes) if classifies else table.targets.shape[1]
    return Recipe(
        sizes=[table.inputs.shape[1], *arguments.hidden, outputs],
        activation=arguments.activation,
        dropout=dropout,
        task=table.task,
        features=list(table.feature_columns),
        columns=list(table.columns),
        classes=list(table.classes),
        target=table.target_name,
        levels={name: list(texts) for name, texts in table.levels.items()},
    )


def _fit(model: TrainedModel, parts: Parts, arguments: argparse.Namespace) -> History:
    classifies = model.recipe.task == "classification"

    def smoothed(output: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(output, target, label_smoothing=arguments.label_smoothing)

    return fit(
        model.network,
        parts.train,
        smoothed if classifies else mse_loss,
        make_optimizer(arguments.optimizer, model.network.parameters(), arguments.lr, arguments.weight_decay),
        epochs=arguments.epochs,
        batch_size=arguments.batch_size or (128 if len(parts.train) >= _MANY_SAMPLES else 32),
        validation=parts.val,
        patience=arguments.patience,
        metrics={"accuracy": accuracy} if classifies else None,
        clip_norm=arguments.clip_norm,
        seed=arguments.seed,
        progress=not arguments.quiet,
    )


def _save_results(model: TrainedModel, history: History, arguments: argparse.Namespace) -> None:
    if arguments.save:
        save_model(model, arguments.save)
    if arguments.plot:
        plot_history(history, arguments.plot, f"tensorgrad train {arguments.source}")
    arguments.written = True
