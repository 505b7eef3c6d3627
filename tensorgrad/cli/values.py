"""What the values of options are made of, and what is said of others."""

from __future__ import annotations

import argparse
from collections.abc import Callable

__all__ = ["count", "mark", "not_negative", "positive", "seed", "share", "sizes", "yes_no_auto"]


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


share = _bounded(float, lambda value: 0 <= value < 1, "a number in [0, 1)")
positive = _bounded(float, lambda value: 0 < value < float("inf"), "a positive number")
not_negative = _bounded(float, lambda value: 0 <= value < float("inf"), "a number that is not negative")
count = _bounded(int, lambda value: value >= 1, "a whole number of at least 1")
seed = _bounded(int, lambda value: 0 <= value < 2**63, "a whole number that is not negative")


def sizes(text: str) -> list[int]:
    """Widths of layers, separated by commas; none of them for `none`."""
    if text.strip().lower() in ("none", ""):
        return []
    try:
        return [int(count(part.strip())) for part in text.split(",")]
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"must be sizes such as 128,64, or none, got {text!r}") from error


def yes_no_auto(text: str) -> bool | None:
    """True, False, or None for auto."""
    answers: dict[str, bool | None] = {"auto": None, "yes": True, "no": False}
    if text not in answers:
        raise argparse.ArgumentTypeError(f"must be auto, yes or no, got {text!r}")
    return answers[text]


def mark(text: str) -> str:
    """What stands before fractions."""
    marks = {".": ".", ",": ",", "point": ".", "comma": ","}
    if text not in marks:
        raise argparse.ArgumentTypeError(f"must be . or , (or point, comma), got {text!r}")
    return marks[text]
