"""The arguments of every command, with help that shows how to use it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn

from tensorgrad.cli.info_command import run_info
from tensorgrad.cli.optimizers import OPTIMIZERS
from tensorgrad.cli.predict_command import run_predict
from tensorgrad.cli.train_command import run_train
from tensorgrad.errors import ArgumentError
from tensorgrad.nn.mlp import ACTIVATIONS
from tensorgrad.version import __version__

__all__ = ["make_parser"]

_TRAIN_EXAMPLES = """\
examples:
  tensorgrad train digits
  tensorgrad train digits --hidden 256,128 --save digits.safetensors --plot curves.png
  tensorgrad train houses.csv --target price --task regression --epochs 200
  tensorgrad train images.npz --device cuda --batch-size 256

A CSV file has one sample a line: numbers, and one target column (the last unless --target names
another). An NPZ file has arrays x and y. Ctrl-C ends the training; the best weights so far are kept,
reported and saved.
"""

_PREDICT_EXAMPLES = """\
examples:
  tensorgrad predict digits.safetensors new_images.csv
  tensorgrad predict houses.safetensors houses.csv -o predictions.csv
  tensorgrad predict digits.safetensors digits --probabilities | head
"""


# What other programs call the same options.
_SYNONYMS = {"--learning-rate": "--lr", "--layers": "--hidden", "--early-stopping": "--patience"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"{message} (see {self.prog} --help)")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Complain about what is left here, where the command is known that it was meant for."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}{self._suggestion(left)}")
        return found, left

    def _suggestion(self, left: list[str]) -> str:
        known = {option: option for option in self._option_string_actions if option.startswith("--")}
        known |= {name: option for name, option in _SYNONYMS.items() if option in known}
        for word in left:
            meant = get_close_matches(word.partition("=")[0], known, 1) if word.startswith("--") else []
            if meant:
                return f"; did you mean {known[meant[0]]}?"
        return ""


def make_parser() -> argparse.ArgumentParser:
    """The parser of `tensorgrad`. The namespace it makes has `run`, the function of the command that was
    given.
    """
    parser = _Parser(prog="tensorgrad", description="Train neural networks from the command line, and use them.")
    parser.add_argument("--version", action="version", version=f"tensorgrad {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_train(commands)
    _add_predict(commands)
    info = commands.add_parser(
        "info", help="versions, devices, BLAS and threads", description="What runs here, and on what."
    )
    info.set_defaults(run=run_info)
    return parser


def _add_train(commands: argparse._SubParsersAction[_Parser]) -> None:
    train = commands.add_parser(
        "train",
        help="train a multi-layer perceptron on a table of numbers",
        description="Train a multi-layer perceptron; part of the data validates it, part tests it.",
        epilog=_TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.set_defaults(run=run_train)
    train.add_argument("source", metavar="DATA", help="digits (comes with the package), FILE.csv or FILE.npz")
    data = train.add_argument_group("data")
    data.add_argument("--target", metavar="COLUMN", help="the column to predict, for CSV (default: the last)")
    data.add_argument("--task", choices=("classification", "regression"), help="default: what the targets look like")
    data.add_argument("--ignore", metavar="COLUMNS", type=_names, default=(), help="columns to leave out: id,date")
    _add_header(data)
    data.add_argument("--val", metavar="SHARE", type=_share, default=0.1, help="share that validates (default: 0.1)")
    data.add_argument("--test", metavar="SHARE", type=_share, default=0.2, help="share that tests (default: 0.2)")
    model = train.add_argument_group("model")
    model.add_argument(
        "--hidden",
        metavar="SIZES",
        type=_sizes,
        default=[128, 64],
        help="hidden layers: 128,64 (default), or none",
    )
    model.add_argument("--activation", choices=tuple(ACTIVATIONS), default="relu", help="default: relu")
    model.add_argument("--dropout", metavar="P", type=_share, help="default: 0.2 for classification, 0 for regression")
    _add_training(train)
    results = train.add_argument_group("results")
    results.add_argument("--save", metavar="FILE", help="save the model, for `tensorgrad predict`")
    results.add_argument("--plot", metavar="FILE.png", help="draw the curves of the training (needs matplotlib)")


def _add_training(train: argparse.ArgumentParser) -> None:
    group = train.add_argument_group("training")
    group.add_argument(
        "--device", default="auto", help="cpu, cuda, cuda:1 or auto (default): CUDA where it can be used"
    )
    group.add_argument("--optimizer", choices=tuple(OPTIMIZERS), default="adamw", help="default: adamw")
    rates = ", ".join(f"{rate:g} for {name}" for name, (_, rate) in OPTIMIZERS.items())
    group.add_argument("--lr", metavar="RATE", type=_positive, help=f"learning rate (default: {rates})")
    group.add_argument("--weight-decay", metavar="W", type=_not_negative, help="default: 0.01 for adamw, else 0")
    group.add_argument(
        "--label-smoothing", metavar="S", type=_share, default=0.05, help="for classification (default: 0.05)"
    )
    group.add_argument(
        "--clip-norm", metavar="N", type=_positive, help="limit the norm of the gradients (default: none)"
    )
    group.add_argument("--epochs", metavar="N", type=_count, default=60, help="default: 60")
    group.add_argument(
        "--batch-size", metavar="N", type=_count, help="default: 32, from 10,000 training samples on 128"
    )
    group.add_argument(
        "--patience",
        metavar="N",
        type=_count,
        default=15,
        help="epochs without improvement to stop after (default: 15)",
    )
    group.add_argument("--seed", metavar="N", type=_seed, default=0, help="default: 0; the same seed, the same result")
    group.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_predict(commands: argparse._SubParsersAction[_Parser]) -> None:
    predict = commands.add_parser(
        "predict",
        help="apply a saved model to a file",
        description="Print the predictions of a model saved by `tensorgrad train --save`, as CSV.",
        epilog=_PREDICT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    predict.set_defaults(run=run_predict)
    predict.add_argument("model", metavar="MODEL", help="what `tensorgrad train --save` wrote")
    predict.add_argument(
        "source", metavar="DATA", help="digits, FILE.csv or FILE.npz, with the features of the training data"
    )
    predict.add_argument("-o", "--output", metavar="FILE", help="write there instead of to standard output")
    predict.add_argument("--probabilities", action="store_true", help="add the probability of every class")
    predict.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 or auto (default)")
    _add_header(predict)


def _add_header(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--header",
        type=_yes_no_auto,
        metavar="{auto,yes,no}",
        default=None,
        help="whether the first line of a CSV file names the columns (default: auto)",
    )


def _bounded(convert: Callable[[str], float], allowed: Callable[[float], bool], wanted: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = convert(text)
        except ValueError:
            value = float("nan")
        if not allowed(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")
        return value

    return parse


_share = _bounded(float, lambda value: 0 <= value < 1, "a number in [0, 1)")
_positive = _bounded(float, lambda value: 0 < value < float("inf"), "a positive number")
_not_negative = _bounded(float, lambda value: 0 <= value < float("inf"), "a number that is not negative")
_count = _bounded(int, lambda value: value >= 1, "a whole number of at least 1")
_seed = _bounded(int, lambda value: 0 <= value < 2**63, "a whole number that is not negative")


def _sizes(text: str) -> list[int]:
    if text.strip().lower() in ("none", ""):
        return []
    try:
        return [int(_count(part.strip())) for part in text.split(",")]
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"must be sizes such as 128,64, or none, got {text!r}") from error


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _yes_no_auto(text: str) -> bool | None:
    answers: dict[str, bool | None] = {"auto": None, "yes": True, "no": False}
    if text not in answers:
        raise argparse.ArgumentTypeError(f"must be auto, yes or no, got {text!r}")
    return answers[text]
