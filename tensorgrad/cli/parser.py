"""The arguments of every command, with help that shows how to use it."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from typing import Any, NoReturn

from tensorgrad.cli.data_command import run_data
from tensorgrad.cli.info_command import run_info
from tensorgrad.cli.optimizers import OPTIMIZERS
from tensorgrad.cli.predict_command import run_predict
from tensorgrad.cli.sources import TABLES
from tensorgrad.cli.train_command import run_train
from tensorgrad.cli.values import count, mark, not_negative, positive, seed, share, sizes, yes_no_auto
from tensorgrad.errors import ArgumentError
from tensorgrad.nn.mlp import ACTIVATIONS
from tensorgrad.version import __version__

__all__ = ["make_parser"]

_TRAIN_EXAMPLES = """\
examples:
  tensorgrad train digits
  tensorgrad train digits --hidden 256,128 --save digits.safetensors --plot curves.png
  tensorgrad train iris --save iris.safetensors
  tensorgrad train houses.csv --target price --task regression --ignore id --missing median
  tensorgrad train images.npz --device cuda --batch-size 256

A CSV file has one sample a line: one target column (the last unless --target names another), and
features. A column of text is one-hot: a feature for each text that it holds. What lies between cells,
decimal commas and the first line are recognised, or asked for. An NPZ file has arrays x and y. Ctrl-C
ends the training; the best weights so far are kept, reported and saved.
"""

_PREDICT_EXAMPLES = """\
examples:
  tensorgrad predict iris.safetensors new_flowers.csv
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
    parser.set_defaults(run=lambda _: _print_help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_train(commands)
    _add_predict(commands)
    _add_data(commands)
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
    train.add_argument(
        "source", metavar="DATA", help=f"{' or '.join(TABLES)} (come with the package), FILE.csv or FILE.npz"
    )
    data = train.add_argument_group("data")
    data.add_argument("--target", metavar="COLUMN", help="the column to predict, for CSV (default: the last)")
    data.add_argument("--task", choices=("classification", "regression"), help="default: what the targets look like")
    columns = "COLUMNS"
    data.add_argument(
        "--ignore", metavar=columns, action="append", default=[], help="to leave out: id,date; may be repeated"
    )
    data.add_argument(
        "--categorical", metavar=columns, action="append", default=[], help="numbers to take for names: zip,year"
    )
    data.add_argument(
        "--missing",
        choices=("error", "drop", "mean", "median"),
        help="lines with empty cells: refuse (default), leave out, or fill in what is usual in the training part",
    )
    _add_file_format(data)
    data.add_argument("--val", metavar="SHARE", type=share, default=0.1, help="share that validates (default: 0.1)")
    data.add_argument("--test", metavar="SHARE", type=share, default=0.2, help="share that tests (default: 0.2)")
    model = train.add_argument_group("model")
    model.add_argument(
        "--hidden",
        metavar="SIZES",
        type=sizes,
        default=[128, 64],
        help="hidden layers: 128,64 (default), or none",
    )
    model.add_argument("--activation", choices=tuple(ACTIVATIONS), default="relu", help="default: relu")
    model.add_argument("--dropout", metavar="P", type=share, help="default: 0.2 for classification, 0 for regression")
    _add_training(train)
    results = train.add_argument_group("results")
    results.add_argument("--save", metavar="FILE", help="save the model, for `tensorgrad predict`")
    results.add_argument("--plot", metavar="FILE.png", help="draw the curves of the training (needs matplotlib)")
    _add_overwrite(results)


def _add_training(train: argparse.ArgumentParser) -> None:
    group = train.add_argument_group("training")
    group.add_argument(
        "--device", default="auto", help="cpu, cuda, cuda:1 or auto (default): CUDA where it can be used"
    )
    group.add_argument("--optimizer", choices=tuple(OPTIMIZERS), default="adamw", help="default: adamw")
    rates = ", ".join(f"{rate:g} for {name}" for name, (_, rate) in OPTIMIZERS.items())
    group.add_argument("--lr", metavar="RATE", type=positive, help=f"learning rate (default: {rates})")
    group.add_argument("--weight-decay", metavar="W", type=not_negative, help="default: 0.01 for adamw, else 0")
    group.add_argument(
        "--label-smoothing", metavar="S", type=share, default=0.05, help="for classification (default: 0.05)"
    )
    group.add_argument(
        "--clip-norm", metavar="N", type=positive, help="limit the norm of the gradients (default: none)"
    )
    group.add_argument("--epochs", metavar="N", type=count, default=60, help="default: 60")
    group.add_argument("--batch-size", metavar="N", type=count, help="default: 32, from 10,000 training samples on 128")
    group.add_argument(
        "--patience",
        metavar="N",
        type=count,
        default=15,
        help="epochs without improvement to stop after (default: 15)",
    )
    group.add_argument("--seed", metavar="N", type=seed, default=0, help="default: 0; the same seed, the same result")
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
        "source",
        metavar="DATA",
        help=f"{', '.join(TABLES)}, FILE.csv or FILE.npz, with the features of the training data",
    )
    predict.add_argument("-o", "--output", metavar="FILE", help="write there instead of to standard output")
    predict.add_argument("--probabilities", action="store_true", help="add the probability of every class")
    predict.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 or auto (default)")
    predict.add_argument(
        "--unknown",
        choices=("error", "ignore"),
        default="error",
        help="a text that the training data did not have: refuse (default), or take it for none of those known",
    )
    _add_file_format(predict)
    _add_overwrite(predict)


def _add_data(commands: argparse._SubParsersAction[_Parser]) -> None:
    data = commands.add_parser(
        "data",
        help="write a table that comes with the package as CSV",
        description="Write a table that comes with the package to a CSV file, to see what one looks like.",
    )
    data.set_defaults(run=run_data)
    data.add_argument("table", choices=tuple(TABLES), help="its name")
    data.add_argument("-o", "--output", metavar="FILE", help="where to (default: NAME.csv)")
    data.add_argument("--overwrite", action="store_true", help="replace a file that holds something else")


def _add_file_format(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--header",
        type=yes_no_auto,
        metavar="{auto,yes,no}",
        default=None,
        help="whether the first line of a CSV file names the columns (default: auto)",
    )
    parser.add_argument("--delimiter", metavar="CHAR", help="between cells, or tab, space, ... (default: what fits)")
    parser.add_argument("--encoding", metavar="NAME", help="cp1252, latin-1, utf-16, ... (default: UTF-8)")
    parser.add_argument("--decimal", metavar="MARK", type=mark, help=". or , before fractions (default: what fits)")


def _add_overwrite(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace files of other kinds, but never an input")


def _print_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return 0
